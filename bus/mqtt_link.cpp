#include "bus/mqtt_link.hpp"

#include <cstdio>

namespace outband::bus {

namespace {

std::string uri_of(const mqtt_options& o) {
  const bool v6 = o.host.find(':') != std::string::npos;
  return (o.tls ? "ssl://" : "tcp://") + (v6 ? "[" + o.host + "]" : o.host) + ":" +
         std::to_string(o.port);
}

mqtt::create_options creation() {
  mqtt::create_options out(MQTTVERSION_5);
  // Paho counts every message it has, connected or not; our own window is the bound.
  out.set_max_buffered_messages(65535);
  return out;
}

std::string hex(int code) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%02x", static_cast<unsigned>(code) & 0xff);
  return text;
}

/// Paho reports refused connections in the return code and refused publications in the reason code.
std::string why_failed(const mqtt::token& t) {
  const int rc = t.get_return_code();
  const int reason = static_cast<int>(t.get_reason_code());
  const int code = reason >= 0x80 ? reason : rc;
  if (code >= 0x80)
    return "refused by the broker: " + reason_failure(code).detail;
  return "Paho error " + std::to_string(rc);
}

void* context_of(std::uint64_t serial) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(serial));
}

message from_paho(const mqtt::const_message_ptr& in, std::vector<std::uint32_t>& ids) {
  using mqtt::property;
  message out;
  out.topic = in->get_topic();
  out.payload = in->get_payload_ref().ptr(); // shares Paho's copy
  if (!out.payload)
    out.payload = std::make_shared<const std::string>();
  out.retain = in->is_retained();
  out.qos = static_cast<std::uint8_t>(in->get_qos());
  const auto& props = in->get_properties();
  auto text = [&](property::code what, std::string& into) {
    if (props.contains(what))
      into = mqtt::get<std::string>(props, what);
  };
  text(property::CONTENT_TYPE, out.content_type);
  text(property::RESPONSE_TOPIC, out.response_topic);
  text(property::CORRELATION_DATA, out.correlation);
  if (props.contains(property::MESSAGE_EXPIRY_INTERVAL))
    out.expiry =
        std::chrono::seconds(mqtt::get<std::uint32_t>(props, property::MESSAGE_EXPIRY_INTERVAL));
  for (std::size_t i = 0; i < props.count(property::SUBSCRIPTION_IDENTIFIER); ++i)
    ids.push_back(mqtt::get<std::uint32_t>(props, property::SUBSCRIPTION_IDENTIFIER, i));
  return out;
}

mqtt::message_ptr to_paho(const message& m) {
  using mqtt::property;
  mqtt::properties props;
  if (!m.content_type.empty())
    props.add({property::CONTENT_TYPE, m.content_type});
  if (!m.response_topic.empty())
    props.add({property::RESPONSE_TOPIC, m.response_topic});
  if (!m.correlation.empty())
    props.add({property::CORRELATION_DATA, mqtt::binary_ref(m.correlation)});
  if (m.expiry)
    props.add({property::MESSAGE_EXPIRY_INTERVAL, static_cast<std::int32_t>(std::min<std::int64_t>(
                                                      std::max<std::int64_t>(m.expiry->count(), 0),
                                                      std::numeric_limits<std::int32_t>::max()))});
  return mqtt::message::create(m.topic, mqtt::binary_ref(m.payload), m.qos, m.retain, props);
}

} // namespace

failure reason_failure(int code) {
  code &= 0xff;
  switch (code) { // MQTT 5 section 2.4
  case 0x86:
    return fail(problem::unauthenticated, hex(code) + " bad user name or password");
  case 0x87:
    return fail(problem::forbidden, hex(code) + " not authorized");
  case 0x88:
  case 0x89:
    return fail(problem::bus_unavailable, hex(code) + " the broker is unavailable or busy");
  case 0x8f:
  case 0x90:
    return fail(problem::malformed, hex(code) + " the broker does not take this topic");
  case 0x95:
    return fail(problem::too_large, hex(code) + " packet too large");
  case 0x97:
    return fail(problem::busy, hex(code) + " quota exceeded");
  case 0x99:
    return fail(problem::malformed, hex(code) + " payload format invalid");
  default:
    return fail(problem::unsupported, hex(code));
  }
}

void mqtt_link::listener::report(const mqtt::token& t, bool ok) {
  // Paho's C frames are above: nothing may be thrown through them.
  try {
    done(static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(t.get_user_context())), t, ok);
  } catch (...) { // NOLINT(bugprone-empty-catch): out of memory; the watchdog or loss ends it
  }
}

mqtt_link::mqtt_link(std::shared_ptr<scheduler> loop, const mqtt_options& options, bool publishes,
                     link_events events)
    : loop_(std::move(loop)), options_(options), publishes_(publishes), events_(std::move(events)) {
}

std::unique_ptr<mqtt::async_client> mqtt_link::make_client() {
  auto client = std::make_unique<mqtt::async_client>(
      uri_of(options_), publishes_ ? options_.client_id : options_.client_id + "-rx", creation());
  auto loss = [weak = weak_from_this(), loop = loop_, n = attempt_](std::string why) {
    loop->post([weak, n, why = std::move(why)] {
      if (auto self = weak.lock())
        self->lost(n, why);
    });
  };
  client->set_connection_lost_handler([loss](const std::string& cause) {
    loss(cause.empty() ? "the connection was lost" : cause);
  });
  // A DISCONNECT of the broker comes only here, not as a lost connection.
  client->set_disconnected_handler([loss](const mqtt::properties&, mqtt::ReasonCode code) {
    loss("the broker ended the connection: " + hex(static_cast<int>(code)));
  });
  if (publishes_)
    return client;
  client->set_message_callback(
      [weak = weak_from_this(), loop = loop_](const mqtt::const_message_ptr& in) {
        try {
          std::vector<std::uint32_t> ids;
          auto m = from_paho(in, ids);
          loop->post([weak, m = std::move(m), ids = std::move(ids)]() mutable {
            if (auto self = weak.lock())
              self->events_.received(std::move(m), std::move(ids));
          });
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): a foreign property
        }
      });
  return client;
}

void mqtt_link::start() {
  auto weak = weak_from_this();
  auto loop = loop_;
  on_connect_.done = [weak, loop](std::uint64_t n, const mqtt::token& t, bool ok) {
    if (!ok) {
      loop->post([weak, n, why = why_failed(t)] {
        if (auto self = weak.lock())
          self->failed(n, why);
      });
      return;
    }
    using mqtt::property;
    link_limits limits;
    const auto response = t.get_connect_response();
    const auto& props = response.get_properties();
    if (props.contains(property::RECEIVE_MAXIMUM))
      limits.receive_maximum = mqtt::get<std::uint16_t>(props, property::RECEIVE_MAXIMUM);
    if (props.contains(property::MAXIMUM_PACKET_SIZE))
      limits.maximum_packet = mqtt::get<std::uint32_t>(props, property::MAXIMUM_PACKET_SIZE);
    loop->post([weak, n, limits] {
      if (auto self = weak.lock())
        self->connected(n, limits);
    });
  };
  auto completion = [weak, loop](std::uint64_t n, const mqtt::token& t, bool ok) {
    status outcome = success();
    const int reason = static_cast<int>(t.get_reason_code());
    if (reason >= 0x80)
      outcome = reason_failure(reason);
    else if (!ok)
      outcome = fail(problem::bus_unavailable, why_failed(t));
    loop->post([weak, n, outcome = std::move(outcome)] {
      if (auto self = weak.lock())
        self->finish(n, outcome);
    });
  };
  on_publish_.done = completion;
  on_subscribe_.done = completion;
  attempt();
}

void mqtt_link::attempt() {
  state_ = state::asking;
  auto n = ++attempt_;
  if (!options_.credentials)
    return connect({});
  options_.credentials([weak = weak_from_this(), loop = loop_, n](result<credentials> who) {
    loop->post([weak, n, who = std::move(who)] {
      auto self = weak.lock();
      if (!self || self->attempt_ != n || self->state_ != state::asking)
        return;
      if (who)
        self->connect(*who);
      else
        self->failed(n, "no credentials: " + to_string(who.error()));
    });
  });
}

mqtt::connect_options mqtt_link::options_for(const credentials& who) const {
  using mqtt::property;
  mqtt::connect_options_builder b;
  b.mqtt_version(MQTTVERSION_5) // first: it resets the clean flags
      .clean_start(publishes_ ? options_.clean_start : true)
      .keep_alive_interval(options_.keep_alive)
      .connect_timeout(options_.connect_timeout)
      .automatic_reconnect(false)
      .max_inflight(65535); // our own window is what counts
  mqtt::properties props;
  if (publishes_ && options_.session_expiry.count() > 0)
    props.add({property::SESSION_EXPIRY_INTERVAL,
               static_cast<std::int32_t>(options_.session_expiry.count())});
  b.properties(std::move(props));
  if (!who.username.empty())
    b.user_name(who.username).password(who.password);
  if (options_.tls) {
    mqtt::ssl_options_builder tls;
    tls.trust_store(options_.ca_file)
        .verify(options_.verify_host)
        .enable_server_cert_auth(true)
        .ssl_version(MQTT_SSL_VERSION_DEFAULT); // negotiates 1.2 or 1.3
    if (!options_.cert_file.empty())
      tls.key_store(options_.cert_file).private_key(options_.key_file);
    b.ssl(tls.finalize());
  }
  if (publishes_ && options_.will) {
    if (auto m = options_.will(); m && m->payload) {
      mqtt::properties of_will;
      if (!m->content_type.empty())
        of_will.add({property::CONTENT_TYPE, m->content_type});
      if (options_.will_delay.count() > 0)
        of_will.add({property::WILL_DELAY_INTERVAL,
                     static_cast<std::int32_t>(options_.will_delay.count())});
      b.will(
          mqtt::will_options(m->topic, mqtt::binary_ref(m->payload), m->qos, m->retain, of_will));
    }
  }
  return b.finalize();
}

void mqtt_link::connect(const credentials& who) {
  state_ = state::connecting;
  // Paho answers a failed attempt itself; should it ever not, this does, instead of silence.
  timer_ = loop_->after(3 * options_.connect_timeout, [weak = weak_from_this(), n = attempt_] {
    if (auto self = weak.lock())
      self->failed(n, "no answer from Paho");
  });
  try {
    // Paho C++ 1.2.0 moves its options with a pointer to the properties of where they were: set
    // again in place, and passed as a copy, that pointer stays good during the call.
    auto options = options_for(who);
    options.set_properties(mqtt::properties(options.get_properties()));
    // The former client goes after the new one is there: with the last client Paho would stop and
    // start its threads.
    auto client = make_client();
    client_.swap(client);
    client.reset();
    client_->connect(options, context_of(attempt_), on_connect_);
  } catch (const std::exception& e) {
    failed(attempt_, e.what());
  }
}

void mqtt_link::connected(std::uint64_t attempt, const link_limits& limits) {
  if (attempt != attempt_ || state_ != state::connecting)
    return;
  loop_->cancel(timer_);
  state_ = state::up;
  up_since_ = loop_->now();
  events_.up(limits);
}

void mqtt_link::failed(std::uint64_t attempt, const std::string& why) {
  if (attempt != attempt_ || (state_ != state::connecting && state_ != state::asking))
    return;
  loop_->cancel(timer_);
  events_.failed(why);
  retry_later();
}

void mqtt_link::lost(std::uint64_t attempt, const std::string& why) {
  if (attempt != attempt_ || state_ != state::up)
    return;
  // A broker that takes us and drops us at once must not be met with attempts at full speed.
  if (loop_->now() - up_since_ > std::chrono::seconds(10))
    failures_ = 0;
  state_ = state::waiting;
  fail_open(why);
  events_.down(why);
  if (state_ == state::waiting)
    retry_later();
}

void mqtt_link::retry_later() {
  state_ = state::waiting;
  auto longest = options_.reconnect_cap;
  if (failures_ < 20)
    longest = std::min(longest, options_.reconnect_base * (1 << failures_));
  ++failures_;
  std::chrono::milliseconds delay(
      std::uniform_int_distribution<std::int64_t>(0, longest.count())(random_));
  timer_ = loop_->after(delay, [weak = weak_from_this()] {
    if (auto self = weak.lock(); self && self->state_ == state::waiting)
      self->attempt();
  });
}

std::uint64_t mqtt_link::open(endpoint::completion done) {
  open_.emplace(++serial_, std::move(done));
  return serial_;
}

void mqtt_link::finish(std::uint64_t serial, status outcome) {
  auto it = open_.find(serial);
  if (it == open_.end())
    return; // ended when the connection was lost
  auto done = std::move(it->second);
  open_.erase(it);
  if (done)
    done(std::move(outcome));
}

void mqtt_link::fail_open(const std::string& why) {
  auto open = std::move(open_);
  open_.clear();
  for (auto& [serial, done] : open)
    if (done)
      done(fail(problem::bus_unavailable, why));
}

void mqtt_link::publish(const message& m, endpoint::completion done) {
  if (state_ != state::up) {
    if (done)
      done(fail(problem::bus_unavailable, "not connected"));
    return;
  }
  auto n = open(std::move(done));
  try {
    client_->publish(to_paho(m), context_of(n), on_publish_);
  } catch (const std::exception& e) {
    finish(n, fail(problem::bus_unavailable, e.what()));
  }
}

void mqtt_link::subscribe(std::uint32_t id, const std::string& filter,
                          const subscribe_options& options, endpoint::completion done) {
  auto n = open(std::move(done));
  try {
    mqtt::subscribe_options how(
        false, options.retain_as_published,
        static_cast<mqtt::subscribe_options::RetainHandling>(options.retain_handling));
    mqtt::properties props;
    props.add({mqtt::property::SUBSCRIPTION_IDENTIFIER, static_cast<std::int32_t>(id)});
    client_->subscribe(filter, options.qos, context_of(n), on_subscribe_, how, props);
  } catch (const std::exception& e) {
    finish(n, fail(problem::bus_unavailable, e.what()));
  }
}

void mqtt_link::unsubscribe(const std::string& filter) {
  try {
    client_->unsubscribe(filter);
  } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): not connected any more
  }
}

void mqtt_link::close() {
  state_ = state::closed;
  loop_->cancel(timer_);
  fail_open("the endpoint was closed");
}

void mqtt_link::disconnect() {
  constexpr auto patience = std::chrono::seconds(2);
  try {
    if (client_ && client_->is_connected())
      client_->disconnect(mqtt::disconnect_options(0))->wait_for(patience);
  } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): it was lost at this moment
  }
}

} // namespace outband::bus
