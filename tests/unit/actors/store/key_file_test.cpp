#include "actors/secrets/key_file.hpp"
#include "tests/support/tempdir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>
#include <sys/stat.h>
#include <thread>
#include <vector>

using namespace outband;
using namespace outband::secrets;
using test::tempdir;

namespace {
std::string hex_line(char digit) {
  return std::string(64, digit) + "\n";
}
} // namespace

TEST_CASE("the first start makes a key that only the owner may read") {
  tempdir folder;
  auto path = folder.file("master.key");
  auto made = load_or_create_key(path);
  REQUIRE(made);
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  auto text = test::read_file(path);
  CHECK(text.size() == 65);
  CHECK(std::count(text.begin(), text.end(), '0') < 40); // not all zeros
  auto again = load_or_create_key(path);
  REQUIRE(again);
  CHECK(again->id() == made->id());
  // Nothing else is left beside it.
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a key that others may read is refused") {
  tempdir folder;
  auto path = folder.write("master.key", hex_line('a'));
  REQUIRE(load_or_create_key(path));
  for (mode_t mode : {0640, 0604, 0620, 0602, 0666}) {
    CAPTURE(mode);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    auto r = load_or_create_key(path);
    REQUIRE(!r);
    CHECK(r.error().what == problem::forbidden);
    CHECK(r.error().detail.find(path) != std::string::npos);
  }
}

TEST_CASE("a file that is no key is refused and left alone") {
  tempdir folder;
  for (auto text : {std::string(), std::string(63, 'a'), std::string(65, 'a'), hex_line('g'),
                    hex_line('A'), hex_line('a') + "\n", std::string(64, '\0')}) {
    auto path = folder.write("master.key", text);
    auto r = load_or_create_key(path);
    REQUIRE(!r);
    CHECK(r.error().what == problem::malformed);
    CHECK(test::read_file(path) == text);
  }
  auto r = load_or_create_key(folder.path());
  REQUIRE(!r);
  CHECK(r.error().what == problem::malformed);
}

TEST_CASE("a folder that does not exist is told") {
  tempdir folder;
  auto r = load_or_create_key(folder.file("none/master.key"));
  REQUIRE(!r);
  CHECK(r.error().detail.find("master key") != std::string::npos);
}

TEST_CASE("starts at the same moment agree on one key") {
  tempdir folder;
  auto path = folder.file("master.key");
  std::mutex mutex;
  std::set<std::string> ids;
  std::vector<std::thread> starts;
  for (int i = 0; i < 8; ++i)
    starts.emplace_back([&] {
      auto r = load_or_create_key(path);
      std::lock_guard<std::mutex> lock(mutex);
      ids.insert(r ? r->id() : "failed");
    });
  for (auto& s : starts)
    s.join();
  CHECK(ids.size() == 1);
  CHECK(ids.count("failed") == 0);
}
