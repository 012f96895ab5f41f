#include "tests/integration/bus/client.hpp"

#include "tests/support/process.hpp" // patience

#include <algorithm>
#include <condition_variable>
#include <mqtt/async_client.h>
#include <mutex>

namespace outband::test {

struct raw_client::impl {
  explicit impl(const bus::mqtt_options& o)
      : options(o), client((o.tls ? "ssl://" : "tcp://") + o.host + ":" + std::to_string(o.port),
                           o.client_id, mqtt::create_options(MQTTVERSION_5)) {}

  bus::mqtt_options options;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> seen;
  bool ended = false;
  mqtt::async_client client;

  void note_end() {
    std::lock_guard<std::mutex> lock(mutex);
    ended = true;
    changed.notify_all();
  }
};

namespace {

/// The reason code of an operation, however Paho reports it.
int reason(const mqtt::token_ptr& token) {
  try {
    if (!token->wait_for(patience))
      return -1000;
    return static_cast<int>(token->get_reason_code());
  } catch (const mqtt::exception& e) {
    const int code = static_cast<int>(e.get_reason_code());
    return code >= 0x80 ? code : e.get_return_code();
  }
}

} // namespace

raw_client::raw_client(const bus::mqtt_options& options) : impl_(std::make_unique<impl>(options)) {}

raw_client::~raw_client() {
  try {
    if (impl_->client.is_connected())
      impl_->client.disconnect()->wait_for(std::chrono::seconds(5));
  } catch (const mqtt::exception&) { // NOLINT(bugprone-empty-catch): the broker was faster
  }
}

int raw_client::connect() {
  auto* self = impl_.get();
  const auto& o = self->options;
  self->client.set_message_callback([self](const mqtt::const_message_ptr& m) {
    std::lock_guard<std::mutex> lock(self->mutex);
    self->seen.push_back(m->get_topic());
    self->changed.notify_all();
  });
  self->client.set_connection_lost_handler([self](const std::string&) { self->note_end(); });
  self->client.set_disconnected_handler(
      [self](const mqtt::properties&, mqtt::ReasonCode) { self->note_end(); });
  mqtt::connect_options_builder b;
  b.mqtt_version(MQTTVERSION_5).clean_start(o.clean_start).keep_alive_interval(o.keep_alive);
  if (o.session_expiry.count() > 0)
    b.properties({{mqtt::property::SESSION_EXPIRY_INTERVAL,
                   static_cast<std::int32_t>(o.session_expiry.count())}});
  if (o.credentials)
    o.credentials([&](result<bus::credentials> who) {
      if (who)
        b.user_name(who->username).password(who->password);
    });
  if (o.tls) {
    mqtt::ssl_options_builder tls;
    tls.trust_store(o.ca_file).verify(o.verify_host).enable_server_cert_auth(true);
    if (!o.cert_file.empty())
      tls.key_store(o.cert_file).private_key(o.key_file);
    b.ssl(tls.finalize());
  }
  try {
    auto token = self->client.connect(b.finalize());
    return reason(token);
  } catch (const mqtt::exception& e) {
    return e.get_return_code();
  }
}

int raw_client::publish(const std::string& topic, const std::string& payload, bool retain) {
  try {
    return reason(impl_->client.publish(topic, payload, 1, retain));
  } catch (const mqtt::exception& e) {
    return e.get_return_code();
  }
}

int raw_client::subscribe(const std::string& filter) {
  try {
    return reason(impl_->client.subscribe(filter, 1));
  } catch (const mqtt::exception& e) {
    return e.get_return_code();
  }
}

bool raw_client::connected() const {
  return impl_->client.is_connected();
}

bool raw_client::wait_disconnected() {
  std::unique_lock<std::mutex> lock(impl_->mutex);
  return impl_->changed.wait_for(lock, patience, [this] { return impl_->ended; });
}

std::vector<std::string> raw_client::topics() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->seen;
}

bool raw_client::wait_topic(const std::string& topic) {
  std::unique_lock<std::mutex> lock(impl_->mutex);
  return impl_->changed.wait_for(lock, patience, [&] {
    return std::find(impl_->seen.begin(), impl_->seen.end(), topic) != impl_->seen.end();
  });
}

} // namespace outband::test
