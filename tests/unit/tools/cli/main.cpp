#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdlib>
#include <ctime>
#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::off);
  ::setenv("TZ", "UTC0", 1); // tables show local time
  ::tzset();
  return doctest::Context(argc, argv).run();
}
