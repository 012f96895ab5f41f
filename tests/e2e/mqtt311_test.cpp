// An outside system whose client knows MQTT 3.1.1 only: no properties, so neither content type nor
// response topic nor correlation. The JSON root must be enough.
#include "messages/bus/topics.hpp"
#include "tests/e2e/site.hpp"
#include "tests/support/process.hpp" // patience

#include <doctest/doctest.h>
#include <mqtt/async_client.h>
#include <nlohmann/json.hpp>

#include <map>

using namespace outband;
using namespace outband::e2e;

namespace {

class old_client {
public:
  old_client(const site& s, const person& who)
      : ticket_(s.ticket_for(who)),
        client_("ssl://localhost:" + std::to_string(s.people_port()), ticket_.client_prefix + "old",
                mqtt::create_options(MQTTVERSION_3_1_1)) {
    client_.set_message_callback([this](const mqtt::const_message_ptr& m) {
      std::lock_guard lock(mutex_);
      without_properties_ = without_properties_ && m->get_properties().empty();
      heard_[m->get_topic()].push_back(m->to_string());
      changed_.notify_all();
    });
    mqtt::connect_options_builder b;
    mqtt::ssl_options_builder tls;
    tls.trust_store(s.bus_ca()).verify(true).enable_server_cert_auth(true);
    b.mqtt_version(MQTTVERSION_3_1_1)
        .clean_session(true)
        .user_name(ticket_.username)
        .password(ticket_.password)
        .ssl(tls.finalize());
    REQUIRE(client_.connect(b.finalize())->wait_for(test::patience));
  }
  ~old_client() {
    if (client_.is_connected())
      client_.disconnect()->wait_for(test::patience);
  }
  old_client(const old_client&) = delete;
  old_client& operator=(const old_client&) = delete;

  void hears(const std::string& filter) {
    REQUIRE(client_.subscribe(filter, 1)->wait_for(test::patience));
  }
  void says(const std::string& topic, const json& what) {
    REQUIRE(client_.publish(topic, what.dump(), 1, false)->wait_for(test::patience));
  }
  /// Until a document on that topic is as it should be.
  bool wait(const std::string& topic, const std::function<bool(const json&)>& fits) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, test::patience, [&] {
      for (const auto& text : heard_[topic])
        if (fits(json::parse(text)))
          return true;
      return false;
    });
  }
  std::map<std::string, std::vector<std::string>> heard() {
    std::lock_guard lock(mutex_);
    return heard_;
  }
  bool without_properties() {
    std::lock_guard lock(mutex_);
    return without_properties_;
  }

private:
  people::ticket ticket_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::vector<std::string>> heard_;
  bool without_properties_ = true;
  mqtt::async_client client_; // ends before what its callback writes to
};

} // namespace

TEST_CASE("fault 23: a client of MQTT 3.1.1 watches and asks by the JSON root alone") {
  auto& s = site::get();
  const auto m = s.fresh();
  const device_ref ref{"demo", *parse_uuid(m.guid)};
  const auto current = bus::current_topic(ref, bus::root::json);
  const auto commands = bus::event_topic(ref, event_class::command, bus::root::json);
  old_client old(s, s.admin());
  for (const char* kind : {"current", "presence", "event/+"})
    old.hears("oobx/v1/demo/dev/" + m.guid + "/" + kind);
  // What is kept is understood without anything around it.
  CHECK(old.wait(current, [&](const json& j) {
    return j.at("specversion") == "1.0" && !j.at("id").get<std::string>().empty() &&
           !j.at("source").get<std::string>().empty() && !j.at("type").get<std::string>().empty() &&
           j.at("subject").get<std::string>().find(m.guid) != std::string::npos &&
           j.at("data").at("power").at("state") == "on";
  }));
  const auto request = "oobx/v1/demo/op/admin/req/" + m.guid;
  old.says(request, {{"act", "desired.patch"},
                     {"arg", {{"power", {{"target", "off"}, {"policy", "immediate"}}}}}});
  CHECK(old.wait(current, [](const json& j) {
    return j.at("data").at("power").at("state") == "off" &&
           j.at("data").value("desiredRev", 0) == 1;
  }));
  CHECK(s.power(m.guid) == 8);
  // Its wish must not wake the machine again by itself.
  old.says(request, {{"act", "desired.patch"},
                     {"arg", {{"power", {{"target", "on"}, {"policy", "immediate"}}}}}});
  CHECK(old.wait(current, [](const json& j) {
    return j.at("data").at("power").at("state") == "on" && j.at("data").value("desiredRev", 0) == 2;
  }));
  // There is no response topic: what came of a command is an event, which names the request.
  const auto id = to_string(random_id());
  old.says(
      request,
      {{"id", id}, {"act", "power.once"}, {"arg", {{"what", "reset"}, {"policy", "immediate"}}}});
  CHECK(old.wait(commands, [&](const json& j) {
    return j.dump().find(id) != std::string::npos &&
           j.dump().find("command.done") != std::string::npos;
  }));
  CHECK(s.carried_out(m.guid)[10] == 1);
  CHECK(old.without_properties());
  for (const auto& [topic, documents] : old.heard())
    for (const auto& text : documents) {
      CAPTURE(topic);
      CHECK(json::parse(text).at("specversion") == "1.0");
    }
}
