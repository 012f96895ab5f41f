// The parts of gateway/direct that need no socket.
#include "gateway/direct/address_policy.hpp"
#include "gateway/direct/pause.hpp"
#include "gateway/direct/proof.hpp"
#include "gateway/direct/turns.hpp"
#include "messages/wsman/answers.hpp"
#include "messages/wsman/envelope.hpp"

#include <doctest/doctest.h>

using namespace outband;
using namespace std::chrono_literals;

namespace {

std::string refusal(const char* text, bool allow_own = false) {
  const std::vector<direct::address> own{boost::asio::ip::make_address("192.0.2.1"),
                                         boost::asio::ip::make_address("2001:db8::1")};
  return direct::refused(boost::asio::ip::make_address(text), allow_own, own);
}

soap_answer package(const std::string& guid) {
  return {200, wsman::write_instance({std::string(wsman::action::get), "0",
                                      wsman::class_uri("CIM_ComputerSystemPackage"), 1},
                                     {"CIM_ComputerSystemPackage", {{"PlatformGUID", guid}}})};
}

} // namespace

TEST_CASE("machines on the network may be connected to") {
  for (const auto* a : {"10.0.0.5", "192.0.2.7", "172.16.0.1", "8.8.8.8", "2001:db8::7", "fd00::7",
                        "::ffff:10.0.0.5"})
    CHECK_MESSAGE(refusal(a).empty(), a);
}

TEST_CASE("this host and addresses that are nobody's are refused in every disguise") {
  for (const auto* a : {"127.0.0.1",
                        "127.8.9.10",
                        "::1",
                        "0.0.0.0",
                        "0.1.2.3",
                        "::",
                        "169.254.169.254",
                        "fe80::1",
                        "224.0.0.1",
                        "239.1.2.3",
                        "255.255.255.255",
                        "240.0.0.1",
                        "ff02::1",
                        "192.0.2.1",
                        "2001:db8::1",
                        "::ffff:127.0.0.1",
                        "::ffff:169.254.169.254",
                        "::127.0.0.1",
                        "2002:7f00:1::",
                        "64:ff9b::7f00:1",
                        "::ffff:192.0.2.1"})
    CHECK_MESSAGE(!refusal(a).empty(), a);
}

TEST_CASE("a simulator may be at this host but not at nobody's address") {
  for (const auto* a : {"127.0.0.1", "::1", "192.0.2.1"})
    CHECK_MESSAGE(refusal(a, true).empty(), a);
  for (const auto* a : {"0.0.0.0", "169.254.1.1", "224.0.0.1", "fe80::1"})
    CHECK_MESSAGE(!refusal(a, true).empty(), a);
}

TEST_CASE("this host knows its own addresses") {
  const auto own = direct::own_addresses();
  CHECK(std::find(own.begin(), own.end(), boost::asio::ip::make_address("127.0.0.1")) != own.end());
}

TEST_CASE("a pause doubles up to the longest one and begins anew after a reset") {
  direct::pause p(1s, 5s);
  const std::uint32_t middle = 500;
  CHECK(p.next(middle) == 1s);
  CHECK(p.next(middle) == 2s);
  CHECK(p.next(middle) == 4s);
  CHECK(p.next(middle) == 5s);
  CHECK(p.next(middle) == 5s);
  CHECK(p.longest(middle) == 5s);
  p.reset();
  CHECK(p.next(middle) == 1s);
}

TEST_CASE("a pause varies by a tenth in both directions") {
  direct::pause p(10s, 10s);
  CHECK(p.longest(0) == 9s);
  CHECK(p.longest(999) > 10'990ms);
  CHECK(p.longest(999) <= 11s);
}

TEST_CASE("so many have their turn at a time and who does not want it is passed over") {
  direct::turns t(2);
  std::vector<int> had;
  auto want = [&](int n, bool takes) {
    t.take([&had, n, takes] {
      had.push_back(n);
      return takes;
    });
  };
  want(1, true);
  want(2, false);
  want(3, true);
  CHECK(had == std::vector<int>{1, 2, 3});
  want(4, false);
  want(5, true);
  want(6, true);
  CHECK(had.size() == 3);
  t.give_back();
  CHECK(had == std::vector<int>{1, 2, 3, 4, 5});
  t.give_back();
  t.give_back();
  t.give_back();
  want(7, true);
  CHECK(had.back() == 7);
}

TEST_CASE("a machine's GUID is read in SMBIOS order") {
  const auto got = direct::its_guid(package("13AEE355D2BFBB6117A088AEDD7037EA"));
  REQUIRE(got.ok());
  CHECK(to_string(*got) == "55e3ae13-bfd2-61bb-17a0-88aedd7037ea");
}

TEST_CASE("what is not a GUID is a protocol error") {
  for (const std::string guid :
       {"", "13AEE355", "zzAEE355D2BFBB6117A088AEDD7037EA", "13AEE355D2BFBB6117A088AEDD7037EA00"})
    CHECK(direct::its_guid(package(guid)).error().what == problem::device_protocol);
  CHECK(direct::its_guid({200, "<html/>"}).error().what == problem::device_protocol);
  CHECK(direct::its_guid({404, ""}).error().what == problem::device_protocol);
  CHECK(direct::its_guid({400, wsman::write_fault({std::string(wsman::action::get), "0", "", 1},
                                                  wsman::fault_kind::destination_unreachable)})
            .error()
            .what == problem::device_protocol);
}
