#include "gateway/rest/exposition.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace outband;
using rest::exposition;

TEST_CASE("a metric is written with its help and type before its samples") {
  exposition x;
  x.counter("things_total", "What there is.").is(7).is(8, {{"kind", "a"}, {"size", "large"}});
  x.gauge("load", "Now.").is_real(0.25);
  CHECK(x.take() == "# HELP outband_things_total What there is.\n"
                    "# TYPE outband_things_total counter\n"
                    "outband_things_total 7\n"
                    "outband_things_total{kind=\"a\",size=\"large\"} 8\n"
                    "# HELP outband_load Now.\n"
                    "# TYPE outband_load gauge\n"
                    "outband_load 0.25\n");
}

TEST_CASE("a label may carry any text") {
  exposition x;
  x.gauge("g", "h").is(1, {{"l", "a\"b\\c\nd"}});
  CHECK(x.take().find("outband_g{l=\"a\\\"b\\\\c\\nd\"} 1\n") != std::string::npos);
}

TEST_CASE("a histogram's buckets are cumulative and end with everything") {
  latency took;
  took.add(std::chrono::microseconds(100)); // a bound belongs to its bucket
  took.add(std::chrono::milliseconds(3));
  took.add(std::chrono::seconds(31));
  took.add(std::chrono::nanoseconds(-5)); // a clock that went back
  exposition x;
  x.histogram("h_seconds", "h").is(took.read(), {{"lane", "a"}});
  const auto text = x.take();
  const auto has = [&](const char* line) {
    CAPTURE(text);
    CHECK(text.find(line) != std::string::npos);
  };
  has("outband_h_seconds_bucket{lane=\"a\",le=\"0.0001\"} 2\n");
  has("outband_h_seconds_bucket{lane=\"a\",le=\"0.0025\"} 2\n");
  has("outband_h_seconds_bucket{lane=\"a\",le=\"0.005\"} 3\n");
  has("outband_h_seconds_bucket{lane=\"a\",le=\"30\"} 3\n");
  has("outband_h_seconds_bucket{lane=\"a\",le=\"+Inf\"} 4\n");
  has("outband_h_seconds_sum{lane=\"a\"} 31.0031\n");
  has("outband_h_seconds_count{lane=\"a\"} 4\n");
}

TEST_CASE("every time falls into exactly one bucket") {
  latency took;
  std::uint64_t n = 0;
  for (double bound : latency::bounds)
    for (double factor : {0.9, 1.1}) {
      took.add(std::chrono::nanoseconds(static_cast<std::int64_t>(bound * factor * 1e9)));
      ++n;
    }
  took.add(std::chrono::nanoseconds(std::numeric_limits<std::int64_t>::max()));
  const auto r = took.read();
  CHECK(r.total() == n + 1);
  for (std::size_t i = 1; i < latency::bounds.size(); ++i)
    CHECK(r.counts[i] == 2);
  CHECK(r.counts.back() == 2);
}
