#include "messages/amt/consent.hpp"

#include "tests/unit/messages/amt/captured.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string service = "IPS_OptInService";

TEST_CASE("a consent code is requested and the answer handed on as MPS does") {
  firmware f;
  f.returns(service, "StartOptIn", 0);
  auto told = f.carry_out("consent.request");
  REQUIRE(told.ok());
  CHECK(f.asked == questions{"IPS_OptInService StartOptIn"});
  CHECK(f.sent("IPS_OptInService StartOptIn").name == "StartOptIn_INPUT");
  const auto& v = told;
  CHECK(json::dump(*v->find("Body")) == R"({"ReturnValue":0,"ReturnValueStr":"SUCCESS"})");
  REQUIRE(v->find("Header") != nullptr);
  CHECK(json::dump(*v->find("Header")->find("RelatesTo")) == R"("100")"); // EMF's client
  CHECK(json::dump(*v->find("ReturnValue")) == "0");
}

TEST_CASE("a refused consent is a result with a word of what to do") {
  firmware f;
  f.returns(service, "StartOptIn", 2);
  auto told = f.carry_out("consent.request");
  REQUIRE(told.ok());
  const auto& v = told;
  const auto* body = v->find("Body");
  CHECK(json::dump(*body->find("ReturnValue")) == "2");
  CHECK(*body->find("ReturnValueStr")->text() == "NOT_READY");
  CHECK(body->find("text")->text()->find("on the screen already") != std::string::npos);
  f = {};
  f.returns(service, "CancelOptIn", 2066);
  told = f.carry_out("consent.cancel");
  REQUIRE(told.ok());
  CHECK(*v->find("Body")->find("ReturnValueStr")->text() == "UNSUPPORTED");
  f = {};
  f.returns(service, "SendOptInCode", 1);
  told = f.carry_out("consent.send", R"({"consentCode":"1"})");
  REQUIRE(told.ok());
  CHECK(v->find("Body")->find("text")->text()->find("the code is wrong") != std::string::npos);
}

TEST_CASE("a code that lost its zeros is given them back") {
  firmware f;
  f.returns(service, "SendOptInCode", 0);
  for (const auto* argument :
       {R"({"consentCode":"012345"})", R"({"consentCode":12345})", R"({"consentCode":"12345"})"}) {
    CAPTURE(argument);
    CHECK(complaints("consent.send", argument).empty());
    REQUIRE(f.carry_out("consent.send", argument).ok());
    CHECK(f.sent_text("IPS_OptInService SendOptInCode", "OptInCode") == "012345");
  }
  CHECK(consent_code("0") == "000000");
  CHECK(consent_code("999999") == "999999");
}

TEST_CASE("what is no code of six digits is refused where it arrives") {
  for (const auto* argument :
       {"{}", R"({"consentCode":""})", R"({"consentCode":"1234567"})", R"({"consentCode":-1})",
        R"({"consentCode":1.5})", R"({"consentCode":"12 456"})", R"({"consentCode":null})",
        R"({"consentCode":"<a/>"})", R"({"consentCode":[1]})", R"({"consentCode":true})"}) {
    CAPTURE(argument);
    CHECK(complaints("consent.send", argument) == questions{"consentCode"});
  }
  CHECK(find_operation("consent.send")->secret);
}

TEST_CASE("a firmware without consent refuses with a fault") {
  firmware f;
  auto told = f.carry_out("consent.cancel");
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().what == problem::device_refused);
}

TEST_CASE("an answer of another method is not taken for consent") {
  firmware f;
  f.gives("IPS_OptInService StartOptIn",
          "<CancelOptIn_OUTPUT xmlns=\"" + uri(service) +
              "\"><ReturnValue>0</ReturnValue></CancelOptIn_OUTPUT>");
  auto told = f.carry_out("consent.request");
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().what == problem::device_protocol);
  f = {};
  f.gives("IPS_OptInService StartOptIn",
          "<StartOptIn_OUTPUT xmlns=\"" + uri(service) +
              "\"><ReturnValue>zero</ReturnValue></StartOptIn_OUTPUT>");
  CHECK(f.carry_out("consent.request").error().what == problem::device_protocol);
}

} // namespace
} // namespace outband::amt
