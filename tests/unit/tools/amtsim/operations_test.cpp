// What the product asks of a firmware, asked of the simulated one: two readings of the same facts.
#include "messages/amt/alert.hpp"
#include "messages/amt/catalogue.hpp"
#include "messages/amt/events.hpp"
#include "messages/amt/operation_run.hpp"
#include "messages/domain/amt.hpp"
#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/subscription_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

result<json::value> carry_out(bench_machine& m, const std::string& name,
                              const std::string& argument = "{}") {
  outband::amt::operation_run run{outband::amt::perform{name, argument, false}};
  while (auto soap = run.next_request()) {
    const auto reply = serve(m, *soap);
    run.feed(reply.http_status, reply.xml);
  }
  auto told = run.outcome();
  if (!told)
    return told.error();
  return json::parse(std::get<outband::amt::document>(*told).json);
}

std::string shown(bench_machine& m, const std::string& name, const std::string& argument = "{}") {
  auto told = carry_out(m, name, argument);
  REQUIRE_MESSAGE(told.ok(), name, ": ", to_string(told.error()));
  return json::dump(*told);
}

failure refusal_of(bench_machine& m, const std::string& name, const std::string& argument) {
  auto told = carry_out(m, name, argument);
  REQUIRE_FALSE(told.ok());
  return told.error();
}

bool flag(bench_machine& m, const char* feature) {
  auto told = carry_out(m, "features.get");
  REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
  const auto* found = told->find(feature);
  REQUIRE(found != nullptr);
  REQUIRE(found->boolean() != nullptr);
  return *found->boolean();
}

const settings& older() {
  static const settings s = [] {
    auto out = exact();
    out.kind = *find_firmware("amt12");
    return out;
  }();
  return s;
}

TEST_CASE("every operation that only reads is answered by every simulated firmware") {
  for (const auto* s : {&exact(), &older()})
    for (const auto& o : outband::amt::operations()) {
      if (o.effect != wsman::effect::none || o.check != nullptr)
        continue;
      CAPTURE(std::string(o.name));
      bench_machine m(*s);
      auto told = carry_out(m, std::string(o.name));
      if (!told) // what the older firmware has not must not look like a defect
        CHECK_MESSAGE(told.error().what != problem::device_protocol, to_string(told.error()));
      else
        CHECK_FALSE(told->is_null());
    }
}

TEST_CASE("a machine tells its events to us once it is asked and until it is asked again") {
  bench_machine m;
  CHECK(shown(m, "events.subscribe") == R"({"subscribed":true,"filter":"Intel(r) AMT:All"})");
  REQUIRE(m.model.subscriptions->subscriptions.size() == 1);
  CHECK(m.model.subscriptions->subscriptions[0].with_ack);
  // It remembers; asking again must not fill its few places.
  CHECK(shown(m, "events.subscribe") == R"({"subscribed":true,"filter":"Intel(r) AMT:All"})");
  CHECK(m.model.subscriptions->subscriptions.size() == 1);

  raise_alert(m.model, {"iAMT0052", "1"}, 1700000000);
  REQUIRE(m.model.subscriptions->waiting.size() == 1);
  const auto& sent = m.model.subscriptions->waiting.front();
  CHECK(sent.host == outband::amt::delivery::host);
  CHECK(sent.port == outband::amt::delivery::port);
  const auto told =
      outband::amt::read_alert(sent.request.substr(sent.request.find("\r\n\r\n") + 4));
  REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
  CHECK(told->find("A KVM session has started.") != std::string::npos);

  CHECK(shown(m, "events.unsubscribe") == R"({"subscribed":false,"ended":1})");
  CHECK(m.model.subscriptions->subscriptions.empty());
  CHECK(shown(m, "events.unsubscribe") == R"({"subscribed":false,"ended":0})");
}

TEST_CASE("only our own subscriptions are ended") {
  bench_machine m;
  m.model.subscriptions.change().subscriptions.push_back(
      {9, "Intel(r) AMT:All", "10.0.0.1:5000", false, {}});
  m.model.subscriptions.change().next_number = 10;
  REQUIRE(carry_out(m, "events.subscribe").ok());
  CHECK(m.model.subscriptions->subscriptions.size() == 2);
  REQUIRE(carry_out(m, "events.unsubscribe").ok());
  REQUIRE(m.model.subscriptions->subscriptions.size() == 1);
  CHECK(m.model.subscriptions->subscriptions[0].number == 9);
}

TEST_CASE("features stay as they were set") {
  bench_machine m;
  CHECK(shown(m, "features.set",
              R"({"userConsent":"kvm","enableSOL":false,"enableIDER":true,)"
              R"("enableKVM":false,"ocr":true,"rpe":true})") ==
        R"({"status":"AMT Features updated"})");
  auto told = carry_out(m, "features.get");
  REQUIRE(told.ok());
  CHECK(*told->find("userConsent")->text() == "kvm");
  CHECK_FALSE(*told->find("SOL")->boolean());
  CHECK(*told->find("IDER")->boolean());
  CHECK_FALSE(*told->find("KVM")->boolean());
  CHECK(*told->find("redirection")->boolean());
  CHECK(*told->find("ocr")->boolean());
  CHECK(*told->find("rpe")->boolean());
  CHECK(*told->find("rpeSupported")->boolean());
  CHECK(*told->find("httpsBootSupported")->boolean());
  CHECK(*told->find("winREBootSupported")->boolean());
  CHECK(*told->find("localPBABootSupported")->boolean());
  REQUIRE(carry_out(m, "features.set",
                    R"({"userConsent":"none","enableSOL":false,"enableIDER":false,)"
                    R"("enableKVM":false,"ocr":false})")
              .ok());
  CHECK_FALSE(flag(m, "redirection"));
  CHECK_FALSE(flag(m, "ocr"));
  CHECK(flag(m, "rpe"));
}

TEST_CASE("client control mode keeps its consent policy") {
  bench_machine m;
  m.model.control_mode = 1;
  const auto why = refusal_of(m, "features.set",
                              R"({"userConsent":"none","enableSOL":true,"enableIDER":true,)"
                              R"("enableKVM":true})");
  CHECK(why.what == problem::unsupported);
  CHECK(why.field == "userConsent");
}

TEST_CASE("a boot order waits for the next boot and needs consent where it is needed") {
  bench_machine m;
  m.model.feature.opt_in_required = 0xFFFFFFFF;
  const std::string pxe = R"({"action":400,"useSOL":false})";
  CHECK(refusal_of(m, "boot.set", pxe).detail.find("request a consent code") != std::string::npos);
  CHECK(m.model.boot_source.empty());

  REQUIRE(carry_out(m, "consent.request").ok());
  const auto code = std::to_string(m.model.consent.code);
  REQUIRE(carry_out(m, "consent.send", R"({"consentCode":")" + code + "\"}").ok());
  auto state = carry_out(m, "features.get");
  REQUIRE(state.ok());
  CHECK(*state->find("optInState")->integer() == 3);
  auto told = carry_out(m, "boot.set", pxe);
  REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
  CHECK(*told->find("Body")->find("ReturnValue")->integer() == 0);
}

TEST_CASE("HTTPS boot is taken as soon as the feature is on") {
  bench_machine m;
  m.model.feature.opt_in_required = 0;
  m.model.feature.boot_service = 32768;
  const std::string order = R"({"action":105,"useSOL":false,"bootDetails":{)"
                            R"("url":"https://s.example/a.efi","username":"u","password":"p"}})";
  CHECK(refusal_of(m, "boot.set", order).detail.find("One-Click Recovery") != std::string::npos);
  CHECK(m.model.boot.uefi_parameters == 0); // nothing stays behind
  m.model.feature.boot_service = 32769;
  auto told = carry_out(m, "boot.set", order);
  REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
}

TEST_CASE("WinRE is found by its kind") {
  bench_machine m;
  m.model.feature.opt_in_required = 0;
  m.model.feature.boot_service = 32769;
  auto told = carry_out(m, "boot.set", R"({"action":109,"useSOL":false})");
  REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
  bench_machine plain(older());
  plain.model.feature.opt_in_required = 0;
  CHECK(refusal_of(plain, "boot.set", R"({"action":109,"useSOL":false})").what ==
        problem::unsupported);
}

TEST_CASE("an erase is armed on a machine that has it and refused on one that has not") {
  bench_machine m;
  CHECK(shown(m, "erase.capabilities") == R"({"secureEraseAllSSDs":true,"tpmClear":true,)"
                                          R"("restoreBIOSToEOM":true,"unconfigureCSME":false})");
  CHECK(shown(m, "erase.set", R"({"tpmClear":true})") == R"({"status":"SUCCESS","ReturnValue":0})");
  bench_machine plain(older());
  CHECK(refusal_of(plain, "erase.set", R"({"tpmClear":true})").what == problem::unsupported);
}

TEST_CASE("alarms are kept until they are removed") {
  bench_machine m;
  CHECK(shown(m, "alarms.list") == "[]");
  for (const auto* name : {"a", "b", "c", "d", "e"})
    REQUIRE(carry_out(m, "alarms.add",
                      std::string(R"({"ElementName":")") + name +
                          R"(","StartTime":"2099-01-01T02:00:00Z",)"
                          R"("Interval":1563})")
                .ok());
  auto told = carry_out(m, "alarms.list");
  REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
  REQUIRE(told->items()->size() == 5);
  const auto& first = told->items()->front();
  CHECK(*first.find("InternalInMinutes")->integer() == 1563);
  CHECK(*first.find("StartTime")->find("Datetime")->text() == "2099-01-01T02:00:00Z");
  CHECK(refusal_of(m, "alarms.add", R"({"ElementName":"f","StartTime":"2099-01-01T02:00:00Z"})")
            .detail.find("quota exceeded") != std::string::npos);
  CHECK(shown(m, "alarms.remove", R"({"Name":"c"})") == R"({"status":"SUCCESS"})");
  CHECK(refusal_of(m, "alarms.remove", R"({"Name":"c"})").what == problem::not_found);
}

TEST_CASE("the display of a session is chosen") {
  bench_machine m;
  REQUIRE(carry_out(m, "displays.set", R"({"displayIndex":1})").ok());
  auto told = carry_out(m, "displays.get");
  REQUIRE(told.ok());
  const auto& displays = *told->find("displays")->items();
  REQUIRE(displays.size() == 4);
  CHECK(*displays[1].find("isDefault")->boolean());
  CHECK_FALSE(*displays[0].find("isDefault")->boolean());
  CHECK(*displays[0].find("role")->text() == "primary");
}

TEST_CASE("the OS is asked to save power and to stop it") {
  bench_machine m;
  auto told = carry_out(m, "power.os", R"({"action":501})");
  REQUIRE(told.ok());
  const auto* name = told->find("Body")->find("ReturnValueStr");
  REQUIRE(name != nullptr);
  CHECK(*name->text() == "COMPLETED_WITH_NO_ERROR");
}

TEST_CASE("a deactivated machine is not provisioned any more") {
  bench_machine m;
  CHECK(shown(m, "deactivate") == R"({"status":"SUCCESS"})");
  CHECK(m.model.control_mode == 0);
}

} // namespace
} // namespace outband::amtsim
