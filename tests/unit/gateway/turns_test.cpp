#include "gateway/cira/turns.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace outband::cira;

TEST_CASE("between two costly pieces of work everything else has its turn") {
  boost::asio::io_context context;
  turns t{context};
  std::string order;
  for (const char c : {'a', 'b', 'c'})
    t.take([&, c] {
      order += c;
      boost::asio::post(context, [&] { order += '.'; });
    });
  CHECK(order.empty()); // never inside take()
  boost::asio::post(context, [&] { order += '!'; });
  context.run();
  CHECK(order == "a!.b.c.");
}

TEST_CASE("work that takes another turn waits behind those who came before") {
  boost::asio::io_context context;
  turns t{context};
  std::string order;
  t.take([&] {
    order += 'a';
    t.take([&] { order += 'c'; });
  });
  t.take([&] { order += 'b'; });
  context.run();
  CHECK(order == "abc");
}

TEST_CASE("what has not begun when the turns are cleared never begins") {
  boost::asio::io_context context;
  turns t{context};
  std::string order;
  t.take([&] {
    order += 'a';
    t.clear();
    t.take([&] { order += 'c'; });
  });
  t.take([&] { order += 'b'; });
  context.run();
  CHECK(order == "ac");
}

TEST_CASE("turns may go before the work that waits") {
  boost::asio::io_context context;
  int ran = 0;
  {
    turns t{context};
    t.take([&] { ++ran; });
    t.take([&] { ++ran; });
  }
  context.run();
  CHECK(ran == 2);
}
