// What others rely on: the page, subscribers of the mirror, an older or newer program of ours.
// A change here is a change of the public interface.
#include "samples.hpp"

using namespace outband;
using namespace outband::bus;

namespace {

std::string hex(std::string_view octets) {
  static const char digits[] = "0123456789abcdef";
  std::string out;
  for (unsigned char c : octets) {
    out.push_back(digits[c >> 4]);
    out.push_back(digits[c & 15]);
  }
  return out;
}

envelope public_envelope() {
  envelope e;
  e.id = sample::message_id;
  e.time = sample::now;
  e.source = "ctl-0";
  e.rev = 42;
  e.epoch = 7;
  e.about = sample::device;
  return e;
}

} // namespace

TEST_CASE("an event is this CloudEvent") {
  auto env = public_envelope();
  env.rev = 0;
  env.seq = 4294967296; // beyond CloudEvents' 32-bit Integer
  env.correlation = sample::other_id;
  env.causation = sample::message_id;
  env.trace_parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  env.by = "op/alice";
  CHECK(encode(env, sample::happening(), encoding::cloudevents) ==
        R"({"specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057",)"
        R"("source":"/oob/acme/dev/12345678-9abc-def0-1234-56789abcdef0",)"
        R"("type":"io.oob.event.power.changed.v1","time":"2026-11-21T04:34:57.123Z",)"
        R"("subject":"12345678-9abc-def0-1234-56789abcdef0",)"
        R"("datacontenttype":"application/json","producer":"ctl-0","sequence":"4294967296",)"
        R"("linkepoch":7,"correlationid":"01890a5d-ac96-774b-bcce-b302099a8058",)"
        R"("causationid":"01890a5d-ac96-774b-bcce-b302099a8057",)"
        R"("traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",)"
        R"("actor":"op/alice","data":{"class":"power","t":"power.changed",)"
        R"("text":"It is off now.","from":"on","to":"off","by":"op/alice",)"
        R"("command":"01890a5d-ac96-774b-bcce-b302099a8058"}})");
}

TEST_CASE("a current document is this CloudEvent") {
  CHECK(encode(public_envelope(), sample::current(), encoding::cloudevents) ==
        R"({"specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057",)"
        R"("source":"/oob/acme/dev/12345678-9abc-def0-1234-56789abcdef0",)"
        R"("type":"io.oob.current.v1","time":"2026-11-21T04:34:57.123Z",)"
        R"("subject":"12345678-9abc-def0-1234-56789abcdef0",)"
        R"("datacontenttype":"application/json","producer":"ctl-0","revision":42,"linkepoch":7,)"
        R"("data":{"power":{"state":"off","code":8,"os":2,"since":"2026-11-21T04:33:57.123Z",)"
        R"("observed":"2026-11-21T04:34:56.123Z"},"link":{"state":"late","inst":"term-1",)"
        R"("epoch":7,"peer":"192.0.2.7","why":"silent for 50 s",)"
        R"("since":"2026-11-21T04:33:27.123Z"},"amt":{"version":"16.1.25","mode":"ccm"},)"
        R"("desiredRev":5,"conds":[{"type":"power","status":false,"code":"in-progress",)"
        "\"reason\":\"asked to power off \\\"now\\\" \xC3\xA4\","
        R"("since":"2026-11-21T04:34:57.123Z"},{"type":"link","status":true}]}})");
}

TEST_CASE("the other public bodies have these JSON members") {
  const auto data = [](const std::string& cloud_event) {
    const auto at = cloud_event.find("\"data\":");
    return at == std::string::npos ? cloud_event : cloud_event.substr(at + 7);
  };
  const auto env = public_envelope();
  CHECK(data(encode(env, sample::desired(), encoding::cloudevents)) ==
        R"({"power":{"target":"sleep","policy":"immediate"}}})");
  CHECK(data(encode(env, sample::present(), encoding::cloudevents)) ==
        R"({"link":"up","inst":"term-1","ep":7,"since":"2026-11-21T04:34:57.123Z"}})");
  auto r = sample::answer();
  r.snapshot.reset();
  CHECK(data(encode(env, r, encoding::cloudevents)) ==
        R"({"request":"01890a5d-ac96-774b-bcce-b302099a8058","status":"failed","code":1002,)"
        R"("msg":"The firmware refused.","why":{"code":"device-refused","detail":"NOT_READY",)"
        R"("field":"power"},"rev":"9007199254740993","returnValue":2}})");
  r = {};
  r.status = request_status::rejected;
  r.why = fail(problem::revision_conflict);
  CHECK(data(encode(env, r, encoding::cloudevents)) ==
        R"({"status":"rejected","code":409,"why":{"code":"revision-conflict"}}})");
}

TEST_CASE("a representative current document in MessagePack is these octets") {
  // Decoded and compared with npm @msgpack/msgpack, which re-encodes it to the same octets.
  current_state c;
  c.power = {power_state::on, 2, 1795235000000, 1795235600000};
  c.link = {link_state::up, 7, "term-1", "192.0.2.7", "", 1795230000000};
  c.amt = {"16.1.25", 1};
  c.desired_rev = 5;
  c.conditions = {{"power", true, "", "", 1795235600000}};
  const auto octets = encode(public_envelope(), c, encoding::msgpack);
  // The specification's estimate is 272 octets; growth costs memory per device in the broker.
  CHECK(octets.size() == 276);
  CHECK(hex(octets) ==
        "88a17601a26964c41001890a5dac96774bbcceb302099a8057a16ba763757272656e74a27473cf00"
        "0001a1fc62d1e3a3737263a563746c2d30a37265762aa2657007a16485a5706f77657285a5737461"
        "7465a26f6ea4636f646502a26f7302a573696e6365cf000001a1fc582ec0a86f62736572766564cf"
        "000001a1fc615680a46c696e6b85a57374617465a27570a4696e7374a67465726d2d31a565706f63"
        "6807a470656572a93139322e302e322e37a573696e6365cf000001a1fc0be380a3616d7482a77665"
        "7273696f6ea731362e312e3235a46d6f6465a361636daa6465736972656452657605a5636f6e6473"
        "9183a474797065a5706f776572a6737461747573c3a573696e6365cf000001a1fc615680");
}

TEST_CASE("a request as a client writes it in MessagePack is these octets") {
  request r;
  r.id = sample::message_id;
  r.body = ask_desired{{power_target::off, power_policy::ordered}, revision{7}};
  r.deadline = sample::now;
  envelope env;
  env.time = sample::now;
  CHECK(hex(encode(env, r, encoding::msgpack)) ==
        "85a17601a26964c41001890a5dac96774bbcceb302099a8057a16ba772657175657374a27473cf00"
        "0001a1fc62d1e3a16484a3616374ad646573697265642e7061746368a361726781a5706f77657282"
        "a6746172676574a36f6666a6706f6c696379a76f726465726564a5696652657607a8646561646c69"
        "6e65cf000001a1fc62d1e3");
}
