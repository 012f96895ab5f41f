#include "gateway/net/timer_wheel.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <vector>

using namespace std::chrono_literals;
using outband::net::member_timer;
using outband::net::timer_wheel;

namespace {

struct waiter {
  explicit waiter(timer_wheel& w) : wheel(w) {}
  void fired() {
    ++count;
    if (then)
      then();
  }
  timer_wheel& wheel;
  int count = 0;
  std::function<void()> then;
  member_timer<waiter, &waiter::fired> timer{*this};
};

const timer_wheel::time zero{1h};

} // namespace

TEST_CASE("a timer fires once at its deadline and not before") {
  timer_wheel wheel{zero, 100ms};
  waiter w{wheel};
  wheel.arm(w.timer, zero + 1s);
  CHECK(wheel.next() == zero + 1s);
  wheel.advance(zero + 999ms);
  CHECK(w.count == 0);
  wheel.advance(zero + 1s);
  CHECK(w.count == 1);
  CHECK_FALSE(w.timer.armed());
  wheel.advance(zero + 1h);
  CHECK(w.count == 1);
}

TEST_CASE("a deadline between two ticks is rounded up") {
  timer_wheel wheel{zero, 100ms};
  waiter w{wheel};
  wheel.arm(w.timer, zero + 101ms);
  wheel.advance(zero + 199ms);
  CHECK(w.count == 0);
  wheel.advance(zero + 200ms);
  CHECK(w.count == 1);
}

TEST_CASE("an empty wheel asks for no wake-up") {
  timer_wheel wheel{zero, 100ms};
  CHECK_FALSE(wheel.next().has_value());
  {
    waiter w{wheel};
    wheel.arm(w.timer, zero + 3s);
    CHECK(wheel.next().has_value());
  } // destroying an entry disarms it
  CHECK(wheel.size() == 0);
  CHECK_FALSE(wheel.next().has_value());
  wheel.advance(zero + 10s);
}

TEST_CASE("a cancelled or rearmed timer does not fire at its former deadline") {
  timer_wheel wheel{zero, 100ms};
  waiter a{wheel};
  waiter b{wheel};
  wheel.arm(a.timer, zero + 1s);
  wheel.arm(b.timer, zero + 1s);
  a.timer.cancel();
  wheel.arm(b.timer, zero + 2s);
  wheel.advance(zero + 1500ms);
  CHECK(a.count == 0);
  CHECK(b.count == 0);
  wheel.advance(zero + 2s);
  CHECK(a.count == 0);
  CHECK(b.count == 1);
}

TEST_CASE("a deadline of many turns waits for all of them") {
  timer_wheel wheel{zero, 100ms}; // one turn is 102.4 s
  waiter w{wheel};
  wheel.arm(w.timer, zero + 1h);
  auto now = zero;
  int wake_ups = 0;
  while (const auto next = wheel.next()) {
    REQUIRE(*next > now);
    now = *next;
    wheel.advance(now);
    ++wake_ups;
  }
  CHECK(w.count == 1);
  CHECK(now == zero + 1h);
  CHECK(wake_ups <= 37); // about one per turn
}

TEST_CASE("a leap of hours fires everything that came due in it") {
  timer_wheel wheel{zero, 100ms};
  std::vector<std::unique_ptr<waiter>> all;
  for (int i = 0; i < 3000; ++i) {
    all.push_back(std::make_unique<waiter>(wheel));
    wheel.arm(all.back()->timer, zero + i * 1s);
  }
  wheel.advance(zero + 1000s);
  for (int i = 0; i < 3000; ++i) {
    CAPTURE(i);
    CHECK(all[static_cast<std::size_t>(i)]->count == (i <= 1000 ? 1 : 0));
  }
  CHECK(wheel.size() == 1999);
}

TEST_CASE("the next wake-up is the earliest deadline wherever it lies on the wheel") {
  timer_wheel wheel{zero, 100ms};
  wheel.advance(zero + 100s); // so that the slots ahead wrap around
  waiter late{wheel};
  waiter early{wheel};
  wheel.arm(late.timer, zero + 190s);
  wheel.arm(early.timer, zero + 103s);
  CHECK(wheel.next() == zero + 103s);
  early.timer.cancel();
  // A slot that has become empty may cost one wake-up that finds nothing; never a missed one.
  while (late.count == 0) {
    const auto next = wheel.next();
    REQUIRE(next.has_value());
    REQUIRE(*next <= zero + 190s);
    wheel.advance(*next);
  }
}

TEST_CASE("a firing timer may rearm itself and destroy others") {
  timer_wheel wheel{zero, 100ms};
  auto victim = std::make_unique<waiter>(wheel);
  auto second = std::make_unique<waiter>(wheel);
  waiter again{wheel};
  wheel.arm(victim->timer, zero + 1s);
  wheel.arm(second->timer, zero + 1s);
  // Whichever of the three fires first, at most one of the other two is left to fire.
  again.then = [&] {
    victim.reset();
    second.reset();
    if (again.count < 3)
      wheel.arm(again.timer, zero); // in the past: due at the next tick
  };
  wheel.arm(again.timer, zero + 1s);
  wheel.advance(zero + 1s);
  CHECK(again.count == 1);
  CHECK(wheel.size() == 1);
  wheel.advance(zero + 1100ms);
  CHECK(again.count == 2);
  wheel.advance(zero + 1200ms);
  CHECK(again.count == 3);
  CHECK(wheel.size() == 0);
}

TEST_CASE("a firing timer may destroy itself") {
  timer_wheel wheel{zero, 100ms};
  auto w = std::make_unique<waiter>(wheel);
  bool fired = false;
  w->then = [&] {
    fired = true;
  };
  struct suicidal {
    timer_wheel& wheel;
    std::unique_ptr<suicidal>& self;
    void fired() { self.reset(); }
    member_timer<suicidal, &suicidal::fired> timer{*this};
  };
  std::unique_ptr<suicidal> s;
  s.reset(new suicidal{wheel, s});
  wheel.arm(s->timer, zero + 1s);
  wheel.advance(zero + 2s);
  CHECK(s == nullptr);
  CHECK_FALSE(fired);
}
