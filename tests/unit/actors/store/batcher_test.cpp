#include "actors/store/batcher.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using outband::store::batcher;

namespace {
struct item {
  int key;
  int value;
};
std::vector<int> values(const std::vector<item>& batch) {
  std::vector<int> out;
  for (const auto& i : batch)
    out.push_back(i.value);
  return out;
}
} // namespace

TEST_CASE("what arrives while a batch is away goes into the next one") {
  batcher<item> b(10);
  CHECK(b.take().empty());
  b.add({1, 1});
  CHECK(values(b.take()) == std::vector<int>{1});
  b.add({2, 2});
  b.add({3, 3});
  CHECK(b.take().empty());
  CHECK(b.waiting() == 2);
  b.done();
  CHECK(values(b.take()) == std::vector<int>{2, 3});
}

TEST_CASE("a batch is not larger than allowed") {
  batcher<item> b(2);
  for (int i = 0; i < 5; ++i)
    b.add({i, i});
  CHECK(values(b.take()) == std::vector<int>{0, 1});
  b.done();
  CHECK(values(b.take()) == std::vector<int>{2, 3});
  b.done();
  CHECK(values(b.take()) == std::vector<int>{4});
}

TEST_CASE("equal keys never share a batch and keep their order") {
  batcher<item> b(10);
  int n = 0;
  for (int key : {1, 2, 1, 1, 3, 2})
    b.add({key, n++});
  CHECK(values(b.take()) == std::vector<int>{0, 1, 4});
  b.done();
  b.add({1, n++});
  CHECK(values(b.take()) == std::vector<int>{2, 5});
  b.done();
  CHECK(values(b.take()) == std::vector<int>{3});
  b.done();
  CHECK(values(b.take()) == std::vector<int>{6});
  b.done();
  CHECK(b.take().empty());
}

TEST_CASE("at random everything leaves once and each key in its order") {
  std::mt19937 random(7);
  batcher<item> b(7);
  std::map<int, int> last;
  int added = 0, taken = 0;
  while (taken < 5'000) {
    for (int i = static_cast<int>(random() % 20); i > 0 && added < 5'000; --i, ++added)
      b.add({static_cast<int>(random() % 9), added});
    auto batch = b.take();
    std::map<int, int> in_batch;
    for (const auto& i : batch) {
      CHECK(++in_batch[i.key] == 1);
      CHECK((last.count(i.key) == 0 || last[i.key] < i.value));
      last[i.key] = i.value;
    }
    taken += static_cast<int>(batch.size());
    b.done();
  }
  CHECK(b.waiting() == 0);
}
