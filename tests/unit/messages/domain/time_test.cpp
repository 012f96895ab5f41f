#include "messages/domain/time.hpp"

#include <doctest/doctest.h>

using namespace outband;

TEST_CASE("a time is shown in RFC 3339 with milliseconds") {
  CHECK(to_rfc3339(0) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339(951782400000 - 1) == "2000-02-28T23:59:59.999Z");
  CHECK(to_rfc3339(951782400000) == "2000-02-29T00:00:00.000Z");
  CHECK(to_rfc3339(1795235697123) == "2026-11-21T04:34:57.123Z");
  CHECK(to_rfc3339(max_time_ms) == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("a time outside the years is shown as the nearest end") {
  CHECK(to_rfc3339(-1) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339(INT64_MAX) == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("every day until 2400 is read back as it was shown") {
  for (time_ms t = 0; t < 13569465600000; t += 86400000 + 1) {
    const auto back = parse_rfc3339(to_rfc3339(t));
    REQUIRE(back.has_value());
    REQUIRE(*back == t);
  }
}

TEST_CASE("offsets fractions and lower case are understood") {
  CHECK(parse_rfc3339("2026-11-21T04:34:57Z") == 1795235697000);
  CHECK(parse_rfc3339("2026-11-21t04:34:57.1z") == 1795235697100);
  CHECK(parse_rfc3339("2026-11-21T04:34:57.123456789Z") == 1795235697123);
  CHECK(parse_rfc3339("2026-11-21T05:34:57+01:00") == 1795235697000);
  CHECK(parse_rfc3339("2026-11-20T23:04:57-05:30") == 1795235697000);
}

TEST_CASE("what is not a time is refused") {
  for (auto text : {"",
                    "2026",
                    "2026-11-21",
                    "2026-11-21T04:34:57",
                    "2026-11-21 04:34:57Z",
                    "2026-13-01T00:00:00Z",
                    "2026-00-01T00:00:00Z",
                    "2026-02-29T00:00:00Z",
                    "2026-11-21T24:00:00Z",
                    "2026-11-21T04:60:00Z",
                    "2026-11-21T04:34:60Z",
                    "2026-11-21T04:34:57.Z",
                    "2026-11-21T04:34:57.1234567890Z",
                    "2026-11-21T04:34:57+0100",
                    "2026-11-21T04:34:57+24:00",
                    "2026-11-21T04:34:57Zx",
                    "1969-12-31T23:59:59Z",
                    "1970-01-01T00:00:00+00:01",
                    "9999-12-31T23:59:59-00:01",
                    "-026-11-21T04:34:57Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text).has_value());
  }
}
