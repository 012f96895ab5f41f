#include "messages/wsman/conversation.hpp"

#include "tests/unit/messages/wsman/device.hpp"

#include <doctest/doctest.h>

namespace outband::wsman {
namespace {

using namespace test;

std::string settings(const std::string& inner) {
  return "<AMT_GeneralSettings xmlns=\"" + class_uri("AMT_GeneralSettings") + "\">" + inner +
         "</AMT_GeneralSettings>";
}

/// Reads a name and writes it back.
result<std::string> twice(talk& t) {
  auto read = t.get("AMT_GeneralSettings");
  if (!read)
    return read.error();
  std::string name((*read)->child_text("HostName"));
  if (auto put = t.put("AMT_GeneralSettings", property("HostName", name)); !put)
    return put.error();
  return name;
}

TEST_CASE("a conversation gives what its function makes of the answers") {
  conversation<std::string> c{twice, 40};
  CHECK_FALSE(c.outcome().ok());
  CHECK(c.outcome().error().what == problem::internal);
  auto first = c.next_request();
  REQUIRE(first);
  CHECK(first->find("<a:MessageID>40<") != std::string::npos);
  CHECK(c.next_request() == first); // to be sent again with credentials
  CHECK(c.last_question() == "AMT_GeneralSettings Get");
  CHECK_FALSE(c.change_sent());
  c.feed(200, envelope(40, settings("<HostName>edge</HostName>")));
  auto second = c.next_request();
  REQUIRE(second);
  CHECK(second->find("<a:MessageID>41<") != std::string::npos);
  CHECK(c.change_sent());
  CHECK_FALSE(c.changed_something());
  c.feed(200, envelope(41, ""));
  CHECK_FALSE(c.next_request());
  CHECK(c.finished());
  CHECK(c.changed_something());
  CHECK(c.last_question() == "AMT_GeneralSettings Put");
  auto told = c.outcome();
  REQUIRE(told.ok());
  CHECK(*told == "edge");
  c.feed(200, "late");
  CHECK(*c.outcome() == "edge");
}

TEST_CASE("a refusal names the question that it answers") {
  conversation<std::string> c{twice};
  c.feed(400, refusal(0, "AccessDenied"));
  REQUIRE(c.finished());
  CHECK(c.outcome().error().what == problem::device_refused);
  CHECK(c.outcome().error().detail.find("AMT_GeneralSettings Get: ") == 0);
}

TEST_CASE("refused credentials end a conversation whatever its function would tolerate") {
  conversation<nothing> c{[](talk& t) -> status {
    (void)t.get("AMT_GeneralSettings");
    return success();
  }};
  REQUIRE(c.next_request());
  c.feed(401, "");
  REQUIRE(c.finished());
  CHECK(c.outcome().error().what == problem::device_auth);
}

TEST_CASE("a conversation that asks nothing is over at once") {
  conversation<int> c{[](talk&) -> result<int> {
    return 7;
  }};
  CHECK_FALSE(c.next_request());
  CHECK(*c.outcome() == 7);
  CHECK(c.last_question().empty());
  auto moved = std::move(c);
  CHECK(*moved.outcome() == 7);
}

} // namespace
} // namespace outband::wsman
