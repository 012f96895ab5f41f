#include "messages/wsman/envelope.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace outband::wsman {
namespace {

// OUTBAND_FIXTURES names a folder of answers captured from devices (amt/, cim/, ips/ below it).
TEST_CASE("every captured answer is read" *
          doctest::skip(std::getenv("OUTBAND_FIXTURES") == nullptr)) {
  const std::filesystem::path root = std::getenv("OUTBAND_FIXTURES");
  int read = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".xml")
      continue;
    CAPTURE(entry.path().string());
    std::ifstream in(entry.path(), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    auto answer = parse_response(text.str());
    if (entry.path().filename() == "getuuid-bad.xml") // deliberately invalid base64, valid XML
      continue;
    REQUIRE_MESSAGE(answer.ok(), to_string(answer.error()));
    CHECK_FALSE(answer->action.empty());
    CHECK_FALSE(answer->refused.has_value());
    if (entry.path().filename() == "pull.xml") {
      CHECK(answer->body.child("PullResponse") != nullptr);
    }
    ++read;
  }
  CHECK(read >= 296);
}

} // namespace
} // namespace outband::wsman
