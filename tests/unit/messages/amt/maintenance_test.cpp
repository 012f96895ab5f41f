#include "messages/amt/maintenance.hpp"

#include "tests/unit/messages/amt/firmware.hpp"

namespace outband::amt {
namespace {

using namespace test;

const std::string service = "AMT_TimeSynchronizationService";
const std::string ports = "AMT_EthernetPortSettings";
const std::string general = "AMT_GeneralSettings";

std::string text(const std::string& name, const std::string& value) {
  return "<" + name + ">" + value + "</" + name + ">";
}
std::string port(int number, bool dhcp, const std::string& address,
                 const std::string& mac = "00-11") {
  return item(ports, text("DHCPEnabled", dhcp ? "true" : "false") + text("ElementName", "E") +
                         text("InstanceID",
                              "Intel(r) AMT Ethernet Port Settings " + std::to_string(number)) +
                         text("IPAddress", address) +
                         text("IpSyncEnabled", dhcp ? "true" : "false") +
                         (mac.empty() ? "" : text("MACAddress", mac)) +
                         text("SharedStaticIp", "false") + text("SubnetMask", "255.0.0.0"));
}

TEST_CASE("the firmware's clock is set to the time that is handed in") {
  firmware f;
  f.returns(service, "GetLowAccuracyTimeSynch", 0, text("Ta0", "1704586865"))
      .returns(service, "SetHighAccuracyTimeSynch", 0);
  auto told = f.does([](wsman::talk& t) { return sync_time(t, 1'800'000'000); });
  REQUIRE(told.ok());
  CHECK(told->before == 1704586865);
  const auto set = service + " SetHighAccuracyTimeSynch";
  CHECK(f.order(set) == "Ta0 Tm1 Tm2");
  CHECK(f.sent_text(set, "Ta0") == "1704586865");
  CHECK(f.sent_text(set, "Tm1") == "1800000000");
  CHECK(f.sent_text(set, "Tm2") == "1800000000");
  firmware odd;
  odd.returns(service, "GetLowAccuracyTimeSynch", 0, text("Ta0", "noon"));
  CHECK(odd.does([](wsman::talk& t) { return sync_time(t, 1); }).error().what ==
        problem::device_protocol);
  firmware refusing;
  refusing.returns(service, "GetLowAccuracyTimeSynch", 0, text("Ta0", "1"))
      .returns(service, "SetHighAccuracyTimeSynch", 34);
  CHECK(refusing.does([](wsman::talk& t) { return sync_time(t, 1); }).error().what ==
        problem::device_refused);
}

auto sync_to(const host_address& a) {
  return [a](wsman::talk& t) {
    return sync_ip(t, a);
  };
}

TEST_CASE("a static address follows the host's") {
  firmware f;
  f.lists(ports, port(0, false, "10.0.0.1"));
  CHECK(*f.does(sync_to({"10.0.0.9", "", "10.0.0.254", "", ""})) == synchronised::done);
  const auto put = ports + " Put";
  CHECK(f.sent_text(put, "IPAddress") == "10.0.0.9");
  CHECK(f.sent_text(put, "SubnetMask") == "255.0.0.0"); // as it was
  CHECK(f.sent_text(put, "DefaultGateway") == "10.0.0.254");
  CHECK(f.sent_text(put, "PrimaryDNS") == "(none)");
  CHECK(f.sent_text(put, "IpSyncEnabled") == "false");
  CHECK(*f.does(sync_to({"10.0.0.1", "", "", "", ""})) == synchronised::was_so);
  CHECK(f.times(put) == 0);
}

TEST_CASE("an address by DHCP is left to DHCP") {
  firmware f;
  f.lists(ports, port(0, true, "10.0.0.1"));
  CHECK(*f.does(sync_to({"10.0.0.9", "", "", "", ""})) == synchronised::done);
  CHECK(f.sent_text(ports + " Put", "DHCPEnabled") == "true");
  CHECK(f.sent_text(ports + " Put", "IpSyncEnabled") == "true");
  CHECK(f.sent_text(ports + " Put", "IPAddress") == "(none)");
}

TEST_CASE("without a wired port there is no address to synchronise") {
  firmware wireless;
  wireless.lists(ports, port(1, true, ""));
  CHECK(wireless.does(sync_to({"10.0.0.9", "", "", "", ""})).error().detail ==
        "Device has no wired configuration settings");
  firmware no_mac;
  no_mac.lists(ports, port(0, true, "", "") + port(1, true, ""));
  CHECK(no_mac.does(sync_to({"10.0.0.9", "", "", "", ""})).error().detail ==
        "Not applicable for wireless only device");
  CHECK(no_mac.does(sync_to({})).error().what == problem::malformed);
}

TEST_CASE("a host name is written into the settings as they were read") {
  firmware f;
  f.has(general, text("DigestRealm", "r") + text("HostName", "old") + text("SharedFQDN", "true"));
  const auto to = [](std::string name) {
    return [name](wsman::talk& t) {
      return sync_hostname(t, name);
    };
  };
  CHECK(*f.does(to("edge-7")) == synchronised::done);
  CHECK(f.order(general + " Put") == "DigestRealm HostName SharedFQDN");
  CHECK(f.sent_text(general + " Put", "HostName") == "edge-7");
  CHECK(*f.does(to("old")) == synchronised::was_so);
  CHECK(f.times(general + " Put") == 0);
  CHECK(f.does(to("")).error().field == "hostname");
  CHECK(f.does(to(std::string(64, 'a'))).error().field == "hostname");
}

} // namespace
} // namespace outband::amt
