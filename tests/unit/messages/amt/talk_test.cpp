#include "messages/wsman/talk.hpp"

#include "tests/unit/messages/wsman/device.hpp"

#include <doctest/doctest.h>

namespace outband::wsman {
namespace {

using namespace test;

std::string general(std::uint32_t id, const std::string& host) {
  return envelope(id, instance(amt, "AMT_GeneralSettings", "<HostName>" + host + "</HostName>"));
}

TEST_CASE("an operation is run again until it asks nothing new") {
  talk t(10);
  int runs = 0;
  auto operation = [&]() -> result<std::string> {
    ++runs;
    t.rewind();
    auto a = t.get("AMT_GeneralSettings");
    if (!a)
      return a.error();
    auto b = t.get("AMT_RedirectionService");
    if (!b && !t.is_absent())
      return b.error();
    return std::string((*a)->child_text("HostName"));
  };
  CHECK_FALSE(operation().ok());
  REQUIRE(t.waits());
  CHECK(parse_request(t.request())->message_id == "10");
  t.feed(200, general(10, "pc"));
  CHECK_FALSE(t.waits());
  CHECK_FALSE(operation().ok());
  REQUIRE(t.waits());
  CHECK(parse_request(t.request())->message_id == "11");
  t.feed(400, refusal(11, "DestinationUnreachable"));
  auto told = operation();
  CHECK_FALSE(t.waits());
  REQUIRE(told.ok());
  CHECK(*told == "pc");
  CHECK(runs == 3);
}

TEST_CASE("an operation that tolerates a refusal does not tolerate nonsense") {
  struct row {
    int status;
    std::string body;
  };
  for (const auto& r : {row{200, "<html>"}, row{401, ""}, row{503, ""},
                        row{200, envelope(0, instance(cim, "CIM_Chip", ""))},
                        row{200, general(7, "pc")}, row{400, general(0, "pc")}}) {
    talk t;
    auto operation = [&] {
      t.rewind();
      return t.get("AMT_GeneralSettings").ok();
    };
    CHECK_FALSE(operation());
    t.feed(r.status, r.body);
    CHECK_FALSE(operation());
    REQUIRE(t.broken().has_value());
    CHECK_FALSE(t.waits());
  }
}

TEST_CASE("an operation that asks something else the second time is stopped") {
  talk t;
  t.rewind();
  CHECK_FALSE(t.get("AMT_GeneralSettings").ok());
  t.feed(200, general(0, "pc"));
  t.rewind();
  CHECK_FALSE(t.get("AMT_RedirectionService").ok());
  REQUIRE(t.broken().has_value());
  CHECK(t.broken()->what == problem::internal);
}

TEST_CASE("a method tells its ReturnValue and its results") {
  talk t;
  auto ask = [&] {
    t.rewind();
    return t.invoke("IPS_OptInService", "StartOptIn");
  };
  CHECK_FALSE(ask().ok());
  CHECK(t.change_asked());
  t.feed(200, test::returned(0, ips + "IPS_OptInService", "StartOptIn", "2"));
  auto told = ask();
  REQUIRE(told.ok());
  CHECK(told->value == 2);
  CHECK_FALSE(t.change_asked());
}

TEST_CASE("a list is pulled to its end and read from one place") {
  talk t;
  auto ask = [&] {
    t.rewind();
    auto items = t.list("CIM_Chip");
    return items ? static_cast<int>(instances(**items, "CIM_Chip").size()) : -1;
  };
  CHECK(ask() == -1);
  t.feed(200, context(0, "a"));
  CHECK(ask() == -1);
  t.feed(200, pulled(1, instance(cim, "CIM_Chip", ""), "b"));
  CHECK(ask() == -1);
  t.feed(200, pulled(2, instance(cim, "CIM_Chip", "") + instance(cim, "CIM_Card", "")));
  CHECK(ask() == 2);
  CHECK(ask() == 2);
}

TEST_CASE("what is created is told by its selectors") {
  talk t;
  auto ask = [&] {
    t.rewind();
    return t.create("AMT_TLSCredentialContext", {});
  };
  CHECK_FALSE(ask().ok());
  t.feed(200,
         envelope(0,
                  "<t:ResourceCreated xmlns:t=\"http://schemas.xmlsoap.org/ws/2004/09/transfer\">"
                  "<b:Address>x</b:Address><b:ReferenceParameters><c:ResourceURI>u</c:ResourceURI>"
                  "<c:SelectorSet><c:Selector Name=\"InstanceID\">7</c:Selector>"
                  "</c:SelectorSet></b:ReferenceParameters></t:ResourceCreated>"));
  auto told = ask();
  REQUIRE(told.ok());
  REQUIRE(told->selectors.size() == 1);
  CHECK(told->selectors.front().value == "7");
}

TEST_CASE("properties of the wrong form are named") {
  auto n = parse_xml("<A><N>x</N><B>maybe</B><T>abc</T></A>");
  REQUIRE(n.ok());
  CHECK(number_in(*n, "N").error().detail == "A.N is 'x', not a number from 0 to 4294967295");
  CHECK(number_in(*n, "M").error().detail == "A.M is missing");
  CHECK(*number_or(*n, "M", 7) == 7);
  CHECK(bool_or(*n, "B", true).error().detail == "A.B is 'maybe', neither true nor false");
  CHECK(*bool_or(*n, "C", true));
  CHECK_FALSE(text_in(*n, "T", 2).ok());
  CHECK(*text_in(*n, "T", 3) == "abc");
}

} // namespace
} // namespace outband::wsman
