#include "bus/broker_config.hpp"

#include <doctest/doctest.h>
#include <ostream>
#include <sstream>
#include <vector>

namespace {

using namespace outband;
using namespace outband::bus;

broker_options good() {
  broker_options o;
  o.data_dir = "/var/lib/outband/broker";
  o.ca_file = "/etc/outband/ca.pem";
  o.cert_file = "/etc/outband/broker.pem";
  o.key_file = "/etc/outband/broker.key";
  o.plugin_file = "/usr/lib/outband/outband_broker_plugin.so";
  o.ticket_key_file = "/etc/outband/tickets.pem";
  return o;
}

std::vector<std::string> lines(const broker_options& o) {
  auto text = broker_config(o);
  REQUIRE(text.ok());
  std::istringstream in(*text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line.front() != '#')
      out.push_back(line);
  return out;
}

/// The lines of the listener on this port.
std::vector<std::string> listener(const std::vector<std::string>& all, const std::string& port) {
  std::vector<std::string> out;
  bool inside = false;
  for (const auto& l : all) {
    if (l.rfind("listener ", 0) == 0)
      inside = l.substr(9, l.find(' ', 9) - 9) == port;
    if (inside)
      out.push_back(l);
  }
  return out;
}

bool has(const std::vector<std::string>& all, const std::string& line) {
  for (const auto& l : all)
    if (l == line)
      return true;
  return false;
}

std::string refused(const broker_options& o) {
  auto text = broker_config(o);
  return text ? "ok" : text.error().field;
}

TEST_CASE("machines show certificates and people tickets on listeners of their own") {
  auto all = lines(good());
  auto machines = listener(all, "8883"), people = listener(all, "8884");
  CHECK(has(machines, "require_certificate true"));
  CHECK(has(machines, "use_identity_as_username true"));
  CHECK(has(machines, "cafile /etc/outband/ca.pem"));
  CHECK(has(machines, "certfile /etc/outband/broker.pem"));
  CHECK_FALSE(people.empty());
  CHECK_FALSE(has(people, "require_certificate true"));
  CHECK_FALSE(has(people, "use_identity_as_username true"));
  CHECK(has(people, "keyfile /etc/outband/broker.key"));
  CHECK(has(all, "allow_anonymous false"));
  CHECK(has(all, "plugin /usr/lib/outband/outband_broker_plugin.so"));
  CHECK(has(all, "plugin_opt_public_key_file /etc/outband/tickets.pem"));
}

TEST_CASE("limits at which Mosquitto drops silently are raised and none is unlimited") {
  auto all = lines(good());
  for (auto line : {"max_inflight_messages 200", "max_queued_messages 200000",
                    "max_queued_bytes 67108864", "message_size_limit 524288", "max_keepalive 120",
                    "set_tcp_nodelay true", "persistence true", "autosave_interval 900",
                    "persistence_location /var/lib/outband/broker/", "sys_interval 30"})
    CHECK_MESSAGE(has(all, line), line);
  for (const auto& l : all) {
    CHECK(l.rfind("per_listener_settings", 0) != 0);
    CHECK(l.rfind("autosave_on_changes", 0) != 0);
    CHECK(l.rfind("password_file", 0) != 0);
    CHECK(l.rfind("acl_file", 0) != 0);
  }
}

TEST_CASE("a plain listener exists only on request and only on loopback") {
  auto o = good();
  for (const auto& l : lines(o))
    CHECK(l.find("127.0.0.1") == std::string::npos);
  o.plain_port = 1883;
  auto plain = listener(lines(o), "1883");
  CHECK(plain == std::vector<std::string>{"listener 1883 127.0.0.1"});
}

TEST_CASE("each bind address has its listeners") {
  auto o = good();
  o.bind_addresses = {"192.0.2.1", "2001:db8::1"};
  o.people_port = 0;
  auto all = lines(o);
  CHECK(has(all, "listener 8883 192.0.2.1"));
  CHECK(has(all, "listener 8883 2001:db8::1"));
  CHECK(listener(all, "8884").empty());
}

TEST_CASE("what cannot be written in one line is refused with its field") {
  auto with = [](auto change) {
    auto o = good();
    change(o);
    return refused(o);
  };
  CHECK(with([](auto& o) { o.plugin_file = ""; }) == "plugin_file");
  CHECK(with([](auto& o) { o.data_dir = "/x\nallow_anonymous true"; }) == "data_dir");
  CHECK(with([](auto& o) { o.ca_file = "/x\r"; }) == "ca_file");
  CHECK(with([](auto& o) { o.key_file = " /x"; }) == "key_file");
  CHECK(with([](auto& o) { o.ticket_issuer = "a\tb"; }) == "ticket_issuer");
  CHECK(with([](auto& o) { o.bind_addresses = {"127.0.0.1 0"}; }) == "bind_addresses");
  CHECK(with([](auto& o) { o.bind_addresses = {}; }) == "bind_addresses");
  CHECK(with([](auto& o) { o.log_to = {"file /x\nuser root"}; }) == "log_to");
  CHECK(with([](auto& o) { o.machine_port = 0; }) == "machine_port");
  CHECK(with([](auto& o) { o.people_port = o.machine_port; }) == "people_port");
  CHECK(with([](auto& o) { o.max_queued = 0; }) == "max_queued");
  CHECK(with([](auto& o) { o.max_inflight = 0; }) == "max_inflight");
  CHECK(with([](auto& o) { o.max_inflight = 65536; }) == "max_inflight");
  CHECK(with([](auto& o) { o.max_payload = 0; }) == "max_payload");
  CHECK(with([](auto& o) { o.sys_interval_s = 0; }) == "sys_interval_s");
}

} // namespace
