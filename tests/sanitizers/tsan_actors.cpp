/// Actors that share nothing but messages, on four threads; with the argument "race" they also
/// count in one plain variable. Without it ThreadSanitizer must be silent, with it it must not.
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

struct parcel {
  std::shared_ptr<std::string> text;
  std::vector<int> numbers;
};
struct later {
  int count = 0;
};
struct stop {};

constexpr int actors = 8, senders = 4, parcels = 1000;

bool race = false;
int raced = 0; // what the race is about

} // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(parcel)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(later)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(stop)

namespace {

using collector =
    caf::typed_actor<caf::reacts_to<parcel>, caf::reacts_to<later>, caf::reacts_to<stop>>;

struct collected {
  std::vector<int> seen;
  std::string last;
};

collector::behavior_type collect(collector::stateful_pointer<collected> self) {
  return {[self](const parcel& p) {
            auto& s = self->state;
            s.last = *p.text;
            s.seen.push_back(p.numbers.at(0));
            if (race)
              ++raced;
            if (s.seen.size() % 100 == 0)
              self->delayed_send(self, std::chrono::milliseconds(1),
                                 later{static_cast<int>(s.seen.size())});
          },
          [self](const later& l) { self->state.last += std::to_string(l.count); },
          [self](const stop&) {
            self->quit();
          }};
}

struct four_workers : caf::actor_system_config {
  four_workers() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 4U);
  }
};

void send_all(const std::vector<collector>& to, int sender) {
  for (int i = 0; i < parcels; ++i)
    caf::anon_send(to[static_cast<std::size_t>(i * 7 + sender) % to.size()],
                   parcel{std::make_shared<std::string>("parcel " + std::to_string(i)), {i}});
}

} // namespace

int main(int argc, char** argv) {
  race = argc > 1 && std::string_view(argv[1]) == "race";
  four_workers config;
  caf::actor_system system(config);
  std::vector<collector> all;
  for (int i = 0; i < actors; ++i)
    all.push_back(system.spawn(collect));
  std::vector<std::thread> threads;
  for (int i = 0; i < senders; ++i)
    threads.emplace_back([&all, i] { send_all(all, i); });
  for (auto& t : threads)
    t.join();
  for (const auto& a : all)
    caf::anon_send(a, stop{});
  all.clear();
  system.await_all_actors_done();
  std::puts("[tsan_actors] done");
  return 0;
}
