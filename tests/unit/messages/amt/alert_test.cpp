#include "messages/amt/alert.hpp"
#include "messages/rest/json.hpp"

#include <doctest/doctest.h>

#include <string>

namespace outband::amt {
namespace {

const std::string event_action = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event";

std::string soap(const std::string& inner, const std::string& cls = "CIM_AlertIndication",
                 const std::string& action = event_action) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
         "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
         "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
         "xmlns:g=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_AlertIndication\" "
         "xmlns:h=\"http://schemas.dmtf.org/wbem/wscim/1/common\"><a:Header><b:Action>" +
         action + "</b:Action></a:Header><a:Body><g:" + cls + ">" + inner + "</g:" + cls +
         "></a:Body></a:Envelope>";
}

std::string text_at(const json::value& v, const char* name) {
  const auto* found = v.find(name);
  return found != nullptr && found->text() != nullptr ? *found->text() : std::string();
}

json::value told(const std::string& inner) {
  auto out = read_alert(soap(inner));
  REQUIRE_MESSAGE(out.ok(), to_string(out.error()));
  auto read = json::parse(*out);
  REQUIRE(read.ok());
  return *read;
}

std::string refusal(const std::string& xml) {
  auto out = read_alert(xml);
  REQUIRE_FALSE(out.ok());
  return out.error().detail;
}

TEST_CASE("an alert is one sentence and what the firmware said") {
  const auto a = told(
      "<g:MessageID>iAMT0052</g:MessageID><g:MessageArguments>1</g:MessageArguments>"
      "<g:MessageArguments>Interop:x</g:MessageArguments><g:PerceivedSeverity>2"
      "</g:PerceivedSeverity><g:IndicationTime><h:Datetime>2026-11-21T12:00:00Z</h:Datetime>"
      "</g:IndicationTime><g:IndicationFilterName>Intel(r) AMT:AllEvents</g:IndicationFilterName>"
      "<g:IndicationIdentifier>Intel(r):7</g:IndicationIdentifier><g:Message></g:Message>"
      "<g:OwningEntity>Intel(r) AMT</g:OwningEntity><g:SystemName>pc</g:SystemName>");
  CHECK(json::dump(a) ==
        R"({"text":"A KVM session has started.","class":"CIM_AlertIndication",)"
        R"("severity":"information","message":"iAMT0052","arguments":["1","Interop:x"],)"
        R"("time":"2026-11-21T12:00:00Z","filter":"Intel(r) AMT:AllEvents","id":"Intel(r):7",)"
        R"("owner":"Intel(r) AMT","system":"pc"})");
}

TEST_CASE("the same message with another argument is another sentence") {
  CHECK(text_at(told("<g:MessageID>iAMT0052</g:MessageID><g:MessageArguments>2"
                     "</g:MessageArguments>"),
                "text") == "A KVM session has ended.");
}

TEST_CASE("an alert nobody knows is told by its own words or by its number") {
  CHECK(text_at(told("<g:MessageID>PLAT9999</g:MessageID><g:Message>The case is open</g:Message>"),
                "text") == "The case is open");
  CHECK(text_at(told("<g:MessageID>PLAT9999</g:MessageID><g:MessageArguments>5"
                     "</g:MessageArguments>"),
                "text") == "The firmware sent the alert PLAT9999 (5).");
  const auto bare = told("");
  CHECK(text_at(bare, "text") == "The firmware sent an alert.");
  CHECK(text_at(bare, "severity") == "unknown");
  CHECK(text_at(told("<g:PerceivedSeverity>6</g:PerceivedSeverity>"), "severity") == "critical");
  CHECK(text_at(told("<g:PerceivedSeverity>99</g:PerceivedSeverity>"), "severity") == "unknown");
}

TEST_CASE("long texts and many arguments are cut and never inside a character") {
  std::string many;
  for (int i = 0; i < 500; ++i)
    many += "<g:MessageArguments>" + std::string(80, 'x') + "</g:MessageArguments>";
  const auto a = told("<g:Message>x" +
                      [] {
                        std::string s;
                        for (int i = 0; i < 400; ++i)
                          s += "\xC3\xA4";
                        return s;
                      }() +
                      "</g:Message>" + many);
  CHECK(text_at(a, "text").size() == 255);
  REQUIRE(a.find("arguments") != nullptr);
  CHECK(a.find("arguments")->items()->size() == 4);
}

TEST_CASE("what is no event is refused with the reason") {
  CHECK(refusal("garbage").empty() == false);
  CHECK(refusal("<x/>") == "not a SOAP 1.2 envelope");
  CHECK(refusal(soap("", "CIM_AlertIndication", "urn:other")) ==
        "the envelope's action is not that of an event");
  CHECK(refusal(soap("", "Toast")) == "the event is of no class of CIM, AMT or IPS");
  CHECK(refusal(soap("", "CIM_Chassis")) == "the event is of no class of CIM, AMT or IPS");
  CHECK(refusal(soap("</g:CIM_AlertIndication><g:CIM_AlertIndication>")) ==
        "an event's body is one instance");
  CHECK(refusal(soap(std::string(max_alert, ' '))) == "an event is at most 65536 octets");
}

} // namespace
} // namespace outband::amt
