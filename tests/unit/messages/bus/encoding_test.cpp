#include "messages/bus/encoding.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace outband::bus;

TEST_CASE("the root decides the encoding and its content type") {
  CHECK(encoding_of(bus::root::native) == encoding::msgpack);
  CHECK(encoding_of(bus::root::json) == encoding::cloudevents);
  CHECK(content_type_of(bus::root::native) == "application/vnd.oob.v1+msgpack");
  CHECK(content_type_of(encoding::cloudevents) == "application/cloudevents+json; charset=utf-8");
}

TEST_CASE("a content type that agrees or is missing is accepted") {
  for (auto good : {"", "application/vnd.oob.v1+msgpack", "Application/VND.oob.v1+msgpack",
                    "application/vnd.oob.v1+msgpack; x=y"})
    CHECK(check_content_type(bus::root::native, good).ok());
  for (auto good :
       {"", "application/cloudevents+json", "application/cloudevents+json;charset=utf-8",
        "application/json", "APPLICATION/JSON ; charset=UTF-8"})
    CHECK(check_content_type(bus::root::json, good).ok());
}

TEST_CASE("a content type that contradicts the root is refused by name") {
  for (auto bad : {"application/json", "application/cloudevents+json", "text/plain",
                   "application/vnd.oob.v2+msgpack", ";", "application/vnd.oob.v1+msgpackx"}) {
    CAPTURE(bad);
    const auto s = check_content_type(bus::root::native, bad);
    REQUIRE_FALSE(s.ok());
    CHECK(s.error().what == problem::malformed);
    CHECK(s.error().field == "content type");
  }
  const auto s = check_content_type(bus::root::json, "application/vnd.oob.v1+msgpack");
  REQUIRE_FALSE(s.ok());
  CHECK(s.error().detail == "'application/vnd.oob.v1+msgpack' does not belong below oobx/v1, where "
                            "application/cloudevents+json; charset=utf-8 is spoken");
}
