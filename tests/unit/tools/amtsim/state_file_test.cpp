#include "tools/amtsim/state_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

namespace outband::amtsim {
namespace {

struct folder {
  folder() {
    auto name = (std::filesystem::temp_directory_path() / "amtsim-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

TEST_CASE("power states survive in the state file") {
  folder f;
  const auto path = (f.path / "state.json").string();
  CHECK(read_state(path).empty());
  machine_report r;
  r.guid = *parse_uuid("12345678-9abc-def0-1234-56789abcdef0");
  r.power = power_state::off_soft;
  r.boots = 7;
  CHECK(write_state(path, {r}).empty());
  const auto kept = read_state(path);
  REQUIRE(kept.count(r.guid) == 1);
  CHECK(kept.at(r.guid).power == power_state::off_soft);
  CHECK(kept.at(r.guid).boots == 7);
  CHECK(std::distance(std::filesystem::directory_iterator(f.path), {}) == 1);
}

TEST_CASE("a damaged state file is refused rather than ignored") {
  folder f;
  const auto path = (f.path / "state.json").string();
  for (const auto* text :
       {"", "[]", "{\"version\":2,\"machines\":{}}", "{\"version\":1}",
        "{\"version\":1,\"machines\":{\"x\":{\"power\":2,\"boots\":0}}}",
        "{\"version\":1,\"machines\":{\"12345678-9abc-def0-1234-56789abcdef0\":{\"power\":99,"
        "\"boots\":0}}}"}) {
    CAPTURE(text);
    std::ofstream(path) << text;
    CHECK_THROWS_AS(read_state(path), std::runtime_error);
  }
}

TEST_CASE("a state file that cannot be written is a sentence") {
  CHECK(write_state("/nonexistent-folder/state.json", {}).find("cannot be written") !=
        std::string::npos);
}

} // namespace
} // namespace outband::amtsim
