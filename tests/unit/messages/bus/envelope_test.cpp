#include "samples.hpp"

using namespace outband;
using namespace outband::bus;

namespace {

constexpr encoding both[] = {encoding::msgpack, encoding::cloudevents};

/// Encodes, decodes, compares every field; then the second encoding equals the first octet by
/// octet.
template <class T, class Decode>
void round_trip(const T& body, document kind, Decode decode, bool with_device = true) {
  for (auto e : both) {
    auto env = sample::full_envelope();
    if (!with_device)
      env.about.reset();
    const auto octets = encode(env, body, e);
    CAPTURE(octets);
    const auto back = decode(octets, e);
    INFO((back.ok() ? std::string() : to_string(back.error())));
    REQUIRE(back.ok());
    CHECK(back->env.kind == kind);
    sample::check_envelope(back->env, env);
    CHECK(back->env.about == (e == encoding::cloudevents ? env.about : std::nullopt));
    sample::check(back->body, body);
    auto again = back->env;
    again.about = env.about;
    CHECK(encode(again, back->body, e) == octets);
  }
}

} // namespace

TEST_CASE("a desired document survives both encodings") {
  round_trip(sample::desired(), document::desired, decode_desired);
  for (auto t : {power_target::keep, power_target::on, power_target::off, power_target::sleep,
                 power_target::hibernate})
    round_trip(desired_state{{t, power_policy::ordered}}, document::desired, decode_desired);
}

TEST_CASE("a current document survives both encodings") {
  round_trip(sample::current(), document::current, decode_current);
  round_trip(current_state{}, document::current, decode_current);
  auto c = sample::current();
  for (int code : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13})
    for (int mode : {0, 1, 4}) {
      c.power.state = static_cast<power_state>(code);
      c.amt.provisioning_mode = mode;
      round_trip(c, document::current, decode_current);
    }
}

TEST_CASE("a presence document survives both encodings") {
  for (auto s : {link_state::down, link_state::up, link_state::late, link_state::unknown}) {
    auto p = sample::present();
    p.link = s;
    p.why = "because";
    round_trip(p, document::presence, decode_presence);
  }
  round_trip(presence{}, document::presence, decode_presence);
}

TEST_CASE("an event survives both encodings") {
  round_trip(sample::happening(), document::event, decode_event);
  for (auto c : {event_class::link, event_class::power, event_class::amt, event_class::command,
                 event_class::config}) {
    event e;
    e.cls = c;
    e.type = "link.up";
    round_trip(e, document::event, decode_event);
  }
}

TEST_CASE("a response survives both encodings") {
  round_trip(sample::answer(), document::response, decode_response);
  for (auto s : {request_status::accepted, request_status::done, request_status::failed,
                 request_status::rejected, request_status::expired, request_status::unknown,
                 request_status::running}) {
    response r;
    r.status = s;
    round_trip(r, document::response, decode_response);
  }
  for (int i = 0; i <= static_cast<int>(problem::duplicate_guid); ++i) {
    response r;
    r.why = fail(static_cast<problem>(i), "words");
    round_trip(r, document::response, decode_response);
  }
}

TEST_CASE("internal documents survive both encodings") {
  round_trip(sample::batch(), document::observation, decode_observations, false);
  round_trip(std::vector<observation>{}, document::observation, decode_observations, false);
  for (const auto& w : sample::works())
    round_trip(w, document::work, decode_work);
  for (const auto& a : sample::answers())
    round_trip(a, document::answer, decode_answer);
}

TEST_CASE("platform documents survive both encodings") {
  for (auto e : both) {
    auto env = sample::full_envelope();
    env.about.reset();

    const auto w = decode_wake(encode(env, wake{sample::device, "desired"}, e), e);
    REQUIRE(w.ok());
    CHECK(w->env.kind == document::wake);
    CHECK(w->body.device == sample::device);
    CHECK(w->body.what == "desired");
    sample::check_envelope(w->env, env);

    const auto n =
        decode_node_presence(encode(env, node_presence{sample::other_id, "n1", true, 5000}, e), e);
    REQUIRE(n.ok());
    CHECK(n->body.incarnation == sample::other_id);
    CHECK(n->body.instance == "n1");
    CHECK(n->body.up);
    CHECK(n->body.links == 5000);

    const auto c = decode_controller_presence(
        encode(env, controller_presence{"n1", sample::other_id, 3, false}, e), e);
    REQUIRE(c.ok());
    CHECK(c->body.instance == "n1");
    CHECK(c->body.incarnation == sample::other_id);
    CHECK(c->body.epoch == 3);
    CHECK_FALSE(c->body.up);

    const auto k = decode_canary(encode(env, canary{12, sample::now}, e), e);
    REQUIRE(k.ok());
    CHECK(k->body.gen == 12);
    CHECK(k->body.at == sample::now);
  }
}

TEST_CASE("an envelope with nothing but an id survives both encodings") {
  for (auto e : both) {
    envelope env;
    env.id = sample::message_id;
    const auto back = decode_presence(encode(env, sample::present(), e), e);
    REQUIRE(back.ok());
    sample::check_envelope(back->env, env);
    CHECK_FALSE(back->env.about.has_value());
  }
}

TEST_CASE("numbers at their widest survive both encodings") {
  for (std::uint64_t n :
       {std::uint64_t{0x7FFFFFFF}, std::uint64_t{0x80000000}, std::uint64_t{1} << 53,
        (std::uint64_t{1} << 53) + 1, std::uint64_t{1} << 63, UINT64_MAX})
    for (auto e : both) {
      auto env = sample::full_envelope();
      env.rev = env.seq = env.epoch = env.ctl = n;
      auto p = sample::present();
      p.epoch = n;
      const auto back = decode_presence(encode(env, p, e), e);
      REQUIRE(back.ok());
      sample::check_envelope(back->env, env);
      CHECK(back->body.epoch == n);
    }
}

TEST_CASE("a tombstone is a deleted document without a body") {
  for (auto e : both) {
    const auto env = sample::full_envelope();
    const auto d = decode_desired(encode_tombstone(env, document::desired, e), e);
    REQUIRE(d.ok());
    CHECK(d->env.deleted);
    CHECK(d->env.rev == 42);
    CHECK(d->body.power.target == power_target::keep);
    const auto c = decode_current(encode_tombstone(env, document::current, e), e);
    REQUIRE(c.ok());
    CHECK(c->env.deleted);
    CHECK(decode_presence(encode_tombstone(env, document::presence, e), e)->env.deleted);
    CHECK_FALSE(decode_presence(encode_tombstone(env, document::current, e), e).ok());
  }
}

TEST_CASE("one kind of document is not read as another") {
  for (auto e : both) {
    const auto octets = encode(sample::full_envelope(), sample::present(), e);
    for (const auto& wrong : {to_string(decode_desired(octets, e).error()),
                              to_string(decode_current(octets, e).error()),
                              to_string(decode_response(octets, e).error()),
                              to_string(decode_canary(octets, e).error())}) {
      CAPTURE(wrong);
      CHECK(wrong.find(e == encoding::msgpack ? "k: 'presence' where"
                                              : "type: 'io.oob.presence.v1' where") == 0);
    }
    const auto event_octets = encode(sample::full_envelope(), sample::happening(), e);
    CHECK_FALSE(decode_presence(event_octets, e).ok());
    // And not in the other encoding.
    const auto other = e == encoding::msgpack ? encoding::cloudevents : encoding::msgpack;
    CHECK_FALSE(decode_presence(octets, other).ok());
  }
}

TEST_CASE("text beyond its limit is cut between characters when written") {
  auto p = sample::present();
  p.instance = std::string(63, 'x') + "\xC3\xA4"; // 65 octets; the last character has two
  p.why = std::string("bad \xFF octet and \0 nul", 21);
  for (auto e : both) {
    const auto back = decode_presence(encode(sample::full_envelope(), p, e), e);
    REQUIRE(back.ok());
    CHECK(back->body.instance == std::string(63, 'x'));
    CHECK(back->body.why == "bad ? octet and ? nul");
  }
}

TEST_CASE("the fullest batch stays below the limit of a payload") {
  const std::string longest(4096, 'x');
  const device_ref far{std::string(20, 't'), sample::device.device};
  const observation worst{far, UINT64_MAX, 253402300799999,
                          amt_answer{sample::message_id, far, UINT64_MAX,
                                     fail(problem::revision_conflict, longest, longest)}};
  const std::vector<observation> all(max_batch + 10, worst);
  const auto octets = encode(sample::full_envelope(), all, encoding::msgpack);
  CHECK(octets.size() <= max_payload);
  const auto back = decode_observations(octets, encoding::msgpack);
  REQUIRE(back.ok());
  CHECK(back->body.size() == max_batch);
}
