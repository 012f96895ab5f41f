#include "messages/bus/stored.hpp"

#include "messages/bus/msgpack.hpp"
#include "samples.hpp"

#include <set>

using namespace outband;
using namespace outband::bus;

TEST_CASE("what is stored is loaded again") {
  for (const auto& r : sample::requests()) {
    const auto back = unpack_request_body(pack(r));
    REQUIRE(back.ok());
    sample::check(*back, r);
  }
  const auto answer = unpack_response(pack(sample::answer()));
  REQUIRE(answer.ok());
  sample::check(*answer, sample::answer());
  const auto desired = unpack_desired(pack(sample::desired()));
  REQUIRE(desired.ok());
  sample::check(*desired, sample::desired());
  const auto current = unpack_current(pack(sample::current()));
  REQUIRE(current.ok());
  sample::check(*current, sample::current());
}

TEST_CASE("a response about no request has no id and is stored all the same") {
  const auto back = unpack_response(pack(response{}));
  REQUIRE(back.ok());
  CHECK(back->id.is_nil());
}

TEST_CASE("what a newer program stored is loaded without the fields that are new") {
  auto tree = from_msgpack(pack(sample::desired()));
  REQUIRE(tree.ok());
  auto& m = *tree->get<value::map>();
  m.push_back({"features", value(value::map{})});
  m.front().content.get<value::map>()->push_back({"schedule", std::string("nightly")});
  const auto back = unpack_desired(to_msgpack(*tree));
  REQUIRE(back.ok());
  sample::check(*back, sample::desired());
}

TEST_CASE("a damaged column is a failure and not a default") {
  const auto good = pack(sample::current());
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    CAPTURE(cut);
    CHECK_FALSE(unpack_current(good.substr(0, cut)).ok());
  }
  CHECK_FALSE(unpack_current(good + "x").ok());
  CHECK_FALSE(unpack_request_body("\x90").ok());
  CHECK_FALSE(unpack_desired("\x80").ok());
}

TEST_CASE("the hash tells wishes apart and is the same for the same wish") {
  std::set<std::string> hashes;
  for (const auto& r : sample::requests()) {
    const auto h = argument_hash(r);
    CHECK(h.size() == 64);
    CHECK(h.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(argument_hash(r) == h);
    hashes.insert(h);
  }
  CHECK(hashes.size() == sample::requests().size());
  // Of 81 a3 "act" a8 "snapshot". The canonical form is part of the database.
  CHECK(argument_hash(ask_snapshot{}) ==
        "09733a4514c7fe4f3a8ea387e41bfcb5a47805af9fde014a77ac2bb010a8544d");
}

TEST_CASE("the hash does not depend on the encoding or the order of members") {
  const auto native = *parse_topic(
      request_topic("acme", {principal::kind::person, "acme", "alice"}, sample::device.device));
  auto json = native;
  json.root = bus::root::json;
  request r;
  r.id = sample::message_id;
  r.body = ask_once{power_once::reset, power_policy::ordered};
  const auto a = decode_request(encode({}, r, encoding::msgpack), native);
  const auto b =
      decode_request(R"({"arg":{"policy":"ordered","what":"reset"},"act":"power.once"})", json);
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK(argument_hash(a->body.body) == argument_hash(b->body.body));
}
