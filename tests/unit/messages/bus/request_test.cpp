#include "messages/bus/json.hpp"
#include "messages/bus/msgpack.hpp"
#include "samples.hpp"

using namespace outband;
using namespace outband::bus;

namespace {

const principal alice{principal::kind::person, "acme", "alice"};

parsed_topic topic(bus::root r, const principal& by = alice) {
  return *parse_topic(request_topic("acme", by, sample::device.device, r));
}

/// The failure in words, "" if it was accepted.
std::string said(std::string_view payload, bus::root r = bus::root::json) {
  const auto got = decode_request(payload, topic(r));
  return got.ok() ? std::string() : to_string(got.error());
}

/// A MessagePack request whose body is this JSON.
std::string native(const std::string& body) {
  value::map m{{"v", std::uint64_t{1}},
               {"id", sample::message_id},
               {"k", std::string("request")},
               {"d", *from_json(body)}};
  return to_msgpack(m);
}

std::string cloud_event(const std::string& data) {
  return R"({"specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057",)"
         R"("source":"urn:home-assistant","type":"io.oob.request.v1","data":)" +
         data + "}";
}

} // namespace

TEST_CASE("every request survives both encodings and takes its asker from the topic") {
  for (const auto& body : sample::requests())
    for (auto r : {bus::root::native, bus::root::json})
      for (auto kind : {principal::kind::person, principal::kind::external}) {
        request sent;
        sent.id = sample::message_id;
        sent.body = body;
        sent.deadline = sample::now;
        // What the sender claims does not travel.
        sent.by = {principal::kind::person, "blue", "mallory"};
        sent.target = {"blue", sample::other_id};
        sent.channel = "rest";
        auto env = sample::full_envelope();
        env.id = sample::other_id;
        env.by = "op/mallory";
        env.about = device_ref{"blue", sample::other_id};
        const auto got = decode_request(encode(env, sent, encoding_of(r)),
                                        topic(r, principal{kind, "acme", "alice"}));
        INFO((got.ok() ? std::string() : to_string(got.error())));
        REQUIRE(got.ok());
        CHECK(got->id == sample::message_id);
        CHECK(got->body.id == sample::message_id);
        CHECK(got->body.target == sample::device);
        CHECK(got->body.by.what == kind);
        CHECK(got->body.by.tenant == "acme");
        CHECK(got->body.by.name == "alice");
        CHECK(got->body.channel == "mqtt");
        CHECK(got->body.deadline == sample::now);
        CHECK(got->env.by.empty());
        CHECK(got->env.kind == document::request);
        CHECK(got->env.about == sample::device);
        CHECK(got->env.correlation == env.correlation);
        sample::check(got->body.body, body);
      }
}

TEST_CASE("a plain JSON body is a request and may do without an id") {
  const auto got = decode_request(
      R"({"act":"desired.patch","arg":{"power":{"target":"off","policy":"ordered"}},"ifRev":7,)"
      R"("deadline":"2026-11-21T04:34:57.123Z"})",
      topic(bus::root::json));
  REQUIRE(got.ok());
  CHECK_FALSE(got->id.has_value());
  CHECK(got->body.id.is_nil());
  CHECK(got->body.deadline == sample::now);
  sample::check(got->body.body, ask_desired{{power_target::off, power_policy::ordered}, 7});

  const auto with_id = decode_request(
      R"({"id":"01890a5d-ac96-774b-bcce-b302099a8057","act":"snapshot"})", topic(bus::root::json));
  REQUIRE(with_id.ok());
  CHECK(with_id->id == sample::message_id);
  CHECK_FALSE(with_id->body.deadline.has_value());
}

TEST_CASE("the forms that are written down are understood") {
  for (const char* good :
       {R"({"act":"desired.patch","arg":{"power":{"target":"on"}}})",
        R"({"act":"desired.patch","arg":{"power":{"policy":"immediate"}},"ifRev":0})",
        R"({"act":"power.once","arg":{"what":"reset","policy":"immediate"}})",
        R"({"act":"power.once","arg":{"what":"cycle"}})",
        R"({"act":"power.action","arg":{"action":10}})", R"({"act":"snapshot"})",
        R"({"act":"snapshot","arg":{}})",
        // Milliseconds, as in MessagePack, are welcome in JSON too.
        R"({"act":"snapshot","deadline":1795235697123})"}) {
    CAPTURE(good);
    CHECK(said(good) == "");
    CHECK(said(cloud_event(good)) == "");
  }
  CHECK(said(native(R"({"act":"power.action","arg":{"action":10}})"), bus::root::native) == "");
}

TEST_CASE("what is wrong with a request is told by field and in words") {
  struct row {
    const char* body;
    const char* words;
  };
  for (const auto& r :
       {row{R"({"act":"desired.patch","arg":{"power":{"target":"onn"}}})",
            "arg.power.target: 'onn' is not one of keep, on, off, sleep, hibernate (malformed)"},
        row{R"({"act":"desired.patch","arg":{"power":{"policy":"gently"}}})",
            "arg.power.policy: 'gently' is not one of ordered, immediate (malformed)"},
        row{R"({"act":"desired.patch","arg":{"power":{"target":null}}})",
            "arg.power.target: must be text, not null (malformed)"},
        row{R"({"act":"desired.patch","arg":{"power":{"target":2}}})",
            "arg.power.target: must be text, not an integer (malformed)"},
        row{R"({"act":"desired.patch","arg":{"power":"on"}})",
            "arg.power: must be a map, not text (malformed)"},
        row{R"({"act":"desired.patch","arg":{"power":{"state":"on"}}})",
            "arg.power.state: is not a known field here (malformed)"},
        row{R"({"act":"desired.patch","arg":{"features":{}}})",
            "arg.features: is not a known field here (malformed)"},
        row{R"({"act":"desired.patch","arg":{"power":{}}})",
            "arg: names nothing to change (malformed)"},
        row{R"({"act":"desired.patch","arg":{}})", "arg: names nothing to change (malformed)"},
        row{R"({"act":"desired.patch"})", "arg: is missing (malformed)"},
        row{R"({"act":"desired.patch","arg":[]})", "arg: must be a map, not a list (malformed)"},
        row{R"({"act":"desired.patch","arg":{"power":{"target":"on"}},"ifRev":-1})",
            "ifRev: must be between 0 and 18446744073709551615, not negative (malformed)"},
        row{R"({"act":"desired.patch","arg":{"power":{"target":"on"}},"ifRev":1.5})",
            "ifRev: must be an integer, not a fraction (malformed)"},
        row{R"({"act":"desired.patch","arg":{"power":{"target":"on"}},"ifRev":"7"})",
            "ifRev: must be an integer, not text (malformed)"},
        row{R"({"act":"power.once","arg":{"what":"explode"}})",
            "arg.what: 'explode' is not one of reset, cycle (malformed)"},
        row{R"({"act":"power.once","arg":{}})", "arg.what: is missing (malformed)"},
        row{R"({"act":"power.once","arg":{"what":"reset"},"ifRev":7})",
            "ifRev: is not a known field here (malformed)"},
        row{R"({"act":"power.action","arg":{"action":99}})",
            "arg.action: must be between 2 and 16, not 99 (malformed)"},
        row{R"({"act":"power.action","arg":{"action":"reset"}})",
            "arg.action: must be an integer, not text (malformed)"},
        row{R"({"act":"power.action","arg":{"action":18446744073709551615}})",
            "arg.action: must be between 2 and 16, not 18446744073709551615 (malformed)"},
        row{R"({"act":"snapshot","arg":{"deep":true}})",
            "arg.deep: is not a known field here (malformed)"},
        row{R"({"act":"format.disk"})", "act: 'format.disk' is not one of desired.patch, "
                                        "power.once, power.action, snapshot (malformed)"},
        row{R"({"act":7})", "act: must be text, not an integer (malformed)"},
        row{R"({"arg":{}})", "act: is missing (malformed)"},
        row{R"({"act":"snapshot","deadline":-5})",
            "deadline: must be a time like 2026-11-21T10:00:00Z, not a negative integer "
            "(malformed)"},
        row{R"({"act":"snapshot","deadline":"soon"})",
            "deadline: 'soon' is not a time like 2026-11-21T10:00:00Z (malformed)"},
        row{R"({"act":"snapshot","deadline":999999999999999})",
            "deadline: lies beyond the year 9999 (malformed)"},
        row{R"({"act":"snapshot","dry":true})", "dry: is not a known field here (malformed)"}}) {
    CAPTURE(r.body);
    CHECK(said(r.body) == r.words);

    CHECK(said(cloud_event(r.body)) == "data." + std::string(r.words));
  }
}

TEST_CASE("who asks and what about cannot be smuggled into the payload") {
  for (const char* key : {"by", "actor", "target", "channel", "tenant", "principal", "device"}) {
    CAPTURE(key);
    const auto body = R"({"act":"snapshot",")" + std::string(key) + R"(":"op/root"})";
    CHECK(said(body) == std::string(key) + ": is not a known field here (malformed)");
    CHECK(said(cloud_event(body)) ==
          "data." + std::string(key) + ": is not a known field here (malformed)");
    CHECK(said(native(body), bus::root::native) ==
          "d." + std::string(key) + ": is not a known field here (malformed)");
  }
}

TEST_CASE("a MessagePack request is strict in its body and lenient around it") {
  value::map m{{"v", std::uint64_t{1}},
               {"id", sample::message_id},
               {"k", std::string("request")},
               {"future", std::string("x")},
               {"d", value::map{{"act", std::string("snapshot")}}}};
  CHECK(said(to_msgpack(m), bus::root::native) == "");
  m.back().content.get<value::map>()->push_back({"future", value(true)});
  CHECK(said(to_msgpack(m), bus::root::native) ==
        "d.future: is not a known field here (malformed)");
  // Without an id a resend could not be recognised.
  m.back().content = value::map{{"act", std::string("snapshot")}};
  m.erase(m.begin() + 1);
  CHECK(said(to_msgpack(m), bus::root::native) == "id: is missing (malformed)");
}

TEST_CASE("a CloudEvent needs its attributes and may have more") {
  CHECK(said(R"({"specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057","source":"x",)"
             R"("type":"io.oob.request.v1","myext":"y","time":"2026-11-21T04:34:57Z",)"
             R"("datacontenttype":"application/json; charset=utf-8","data":{"act":"snapshot"}})") ==
        "");
  CHECK(said(R"({"specversion":"1.0","source":"x","type":"io.oob.request.v1",)"
             R"("data":{"act":"snapshot"}})") == "id: is missing (malformed)");
  CHECK(said(R"({"specversion":"1.0","id":"A-1","source":"x","type":"io.oob.request.v1",)"
             R"("data":{"act":"snapshot"}})") ==
        "id: 'A-1' is not a UUID in 8-4-4-4-12 form (malformed)");
  CHECK(said(R"({"specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057","source":"x",)"
             R"("type":"io.oob.desired.v1","data":{"act":"snapshot"}})") ==
        "type: 'io.oob.desired.v1' where 'request' belongs (malformed)");
  CHECK(said(R"({"specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057","source":"x",)"
             R"("type":"io.oob.request.v1","data_base64":"eyJ9"})") ==
        "data: is missing (malformed)");
}

TEST_CASE("a client cannot mark its request as deleted to skip the body") {
  CHECK(said(R"({"specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057","source":"x",)"
             R"("type":"io.oob.request.v1","deleted":true})") == "data: is missing (malformed)");
}

TEST_CASE("requests are bounded in size and depth") {
  const std::string padded = R"({"act":"snapshot")" + std::string(max_request, ' ') + "}";
  CHECK(said(padded) == "a payload of 32786 octets; at most 32768 are read (too-large)");
  CHECK(said(R"({"act":"snapshot","arg":)" + std::string(200, '[') + std::string(200, ']') + "}") ==
        "nested deeper than 16 levels (too-large)");
  CHECK(said("\xdd\xff\xff\xff\xff", bus::root::native) ==
        "a list of 4294967295 elements; at most 1024 are read (too-large)");
  CHECK(said("[]") == "a request is a map, not a list (malformed)");
  CHECK(said("") == "an empty payload (malformed)");
  CHECK(said(R"({"act":"snapshot","act":"power.once"})") ==
        "the key 'act' appears twice (malformed)");
}

TEST_CASE("a request cut off anywhere is refused") {
  request r;
  r.id = sample::message_id;
  r.body = ask_desired{{power_target::off, power_policy::ordered}, revision{7}};
  r.deadline = sample::now;
  for (auto e : {bus::root::native, bus::root::json}) {
    const auto whole = encode(sample::full_envelope(), r, encoding_of(e));
    CHECK(said(whole, e) == "");
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      CAPTURE(cut);
      CHECK(said(std::string_view(whole).substr(0, cut), e) != "");
    }
  }
}

TEST_CASE("the words of a hostile request come back clean and short") {
  const auto words = said("{\"act\":\"" + std::string(4000, 'x') + "\"}");
  CHECK(words.size() < 200);
  const auto key = said("{\"act\":\"snapshot\",\"" + std::string(4000, 'k') + "\":1}");
  CHECK(key.size() < 200);
}

TEST_CASE("only a topic of requests makes a request") {
  const auto got = decode_request(R"({"act":"snapshot"})",
                                  *parse_topic(current_topic(sample::device, bus::root::json)));
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().field == "topic");
}
