// What tools/bench judges by.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "tools/bench/statistics.hpp"

#include <doctest/doctest.h>

#include <cmath>

using outband::bench::samples;
using outband::bench::trend_of;

TEST_CASE("a quantile is one of the values") {
  samples s;
  CHECK(s.median() == 0);
  for (const double v : {5.0, 1.0, 3.0, 2.0, 4.0})
    s.add(v);
  CHECK(s.median() == 3);
  CHECK(s.quantile(0) == 1);
  CHECK(s.quantile(0.99) == 5);
}

TEST_CASE("the trend of values on a line is that line") {
  const auto t = trend_of({10, 9, 8, 7, 6});
  CHECK(t.first == doctest::Approx(10));
  CHECK(t.last == doctest::Approx(6));
  CHECK(t.ratio == doctest::Approx(0.6));
  CHECK(t.error == doctest::Approx(0));
}

TEST_CASE("one slow minute in the middle is no trend but makes it uncertain") {
  const auto t = trend_of({10, 10, 4, 10, 10});
  CHECK(t.ratio == doctest::Approx(1));
  CHECK(t.error > 0.2);
}

TEST_CASE("a slow end is a trend") {
  CHECK(trend_of({10, 10, 10, 10, 8}).ratio < 0.9);
  CHECK(trend_of({10, 10, 10, 10, 12}).ratio > 1.1);
}

TEST_CASE("the error of a trend is that of its slope") {
  // By hand: slope 0.6, residuals -0.4 0.8 -0.4 mean 2; their squares 0.96, n - 2 = 1.
  const auto t = trend_of({1, 2.8, 2.2});
  CHECK(t.first == doctest::Approx(1.4));
  CHECK(t.last == doctest::Approx(2.6));
  CHECK(t.error == doctest::Approx(std::sqrt(0.96 / 2) * 2 / 2));
}

TEST_CASE("too few values have no trend and no error") {
  CHECK(trend_of({}).ratio == 1);
  CHECK(trend_of({3}).ratio == 1);
  CHECK(trend_of({2, 4}).ratio == doctest::Approx(2));
  CHECK(trend_of({2, 4}).error == 0);
  CHECK(trend_of({0, 0, 0}).ratio == 1);
}
