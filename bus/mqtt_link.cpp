#include "bus/mqtt_link.hpp"

#include "bus/paho.hpp"

namespace outband::bus {

namespace {

void* context_of(std::uint64_t serial) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(serial));
}

/// Paho calls it from its threads; the serial number says which operation it was.
class listener final : public mqtt::iaction_listener {
public:
  std::function<void(std::uint64_t serial, const mqtt::token& t, bool ok)> done;
  void on_success(const mqtt::token& t) override { report(t, true); }
  void on_failure(const mqtt::token& t) override { report(t, false); }

private:
  void report(const mqtt::token& t, bool ok) {
    // Paho's C frames are above: nothing may be thrown through them.
    try {
      done(static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(t.get_user_context())), t,
           ok);
    } catch (...) { // NOLINT(bugprone-empty-catch): out of memory; the watchdog or loss ends it
    }
  }
};

} // namespace

struct mqtt_link::client {
  listener on_connect, on_publish, on_subscribe;
  /// A new one for each attempt: MQTTAsync_connect changes what Paho's own threads may still be
  /// reading after a failed attempt, and keeps a pointer to that attempt's token (paho.mqtt.c
  /// 1.3.12 src/MQTTAsync.c). Last, so that the listeners outlive it.
  std::unique_ptr<mqtt::async_client> paho;
};

bool inbound_queue::enter(std::size_t cost) {
  if (messages + 1 > max_messages || octets + cost > max_octets) {
    ++dropped;
    return false;
  }
  ++messages; // only Paho's receiving thread enters
  octets += cost;
  return true;
}

void inbound_queue::leave(std::size_t cost) {
  --messages;
  octets -= cost;
}

mqtt_link::mqtt_link(std::shared_ptr<scheduler> loop, const mqtt_options& options, bool publishes,
                     link_events events)
    : loop_(std::move(loop)), options_(options), publishes_(publishes), events_(std::move(events)),
      inbound_(std::make_shared<inbound_queue>()), client_(std::make_unique<client>()) {
  inbound_->max_messages = options.max_inbound;
  inbound_->max_octets = options.max_inbound_octets;
}

mqtt_link::~mqtt_link() = default;

void mqtt_link::make_client() {
  auto made = std::make_unique<mqtt::async_client>(
      paho::uri_of(options_), publishes_ ? options_.client_id : options_.client_id + "-rx",
      paho::creation());
  const auto n = attempt_;
  auto loss = [weak = weak_from_this(), loop = loop_, n](std::string why, int code) {
    loop->post([weak, n, why = std::move(why), code] {
      auto self = weak.lock();
      if (self && code != 0 && self->attempt_ == n)
        self->events_.reason(code);
      if (self)
        self->lost(n, why);
    });
  };
  made->set_connection_lost_handler([loss](const std::string& cause) {
    loss(cause.empty() ? "the connection was lost" : cause, 0);
  });
  // A DISCONNECT of the broker comes only here, not as a lost connection.
  made->set_disconnected_handler([loss](const mqtt::properties&, mqtt::ReasonCode code) {
    const int c = static_cast<int>(code);
    loss(c == 0x8e ? "another connection has taken over this client id"
                   : "the broker ended the connection: " + paho::hex(c),
         c);
  });
  if (!publishes_)
    made->set_message_callback(
        [weak = weak_from_this(), loop = loop_, in = inbound_, n,
         full = std::make_shared<bool>(false)](const mqtt::const_message_ptr& received) {
          if (*full)
            return void(++in->dropped); // Paho's one receiving thread is alone here
          try {
            std::vector<std::uint32_t> ids;
            auto m = paho::from_paho(received, ids);
            const auto cost = inbound_queue::cost(m);
            if (!in->enter(cost)) {
              *full = true;
              ++in->overflows;
              loop->post([weak, n] {
                if (auto self = weak.lock())
                  self->overflowed(n);
              });
              return;
            }
            loop->post([weak, in, cost, m = std::move(m), ids = std::move(ids)]() mutable {
              in->leave(cost);
              if (auto self = weak.lock())
                self->events_.received(std::move(m), std::move(ids));
            });
          } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): a foreign property
          }
        });
  // The former client goes after the new one is there: with the last client Paho would stop and
  // start its threads.
  client_->paho.swap(made);
}

void mqtt_link::start() {
  auto weak = weak_from_this();
  auto loop = loop_;
  client_->on_connect.done = [weak, loop](std::uint64_t n, const mqtt::token& t, bool ok) {
    if (!ok) {
      loop->post([weak, n, why = paho::why_failed(t), code = paho::refusal_code(t)] {
        auto self = weak.lock();
        if (self && code != 0 && self->attempt_ == n)
          self->events_.reason(code);
        if (self)
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
    const int code = reason >= 0x80 ? reason : 0;
    if (code != 0)
      outcome = reason_failure(code);
    else if (!ok)
      outcome = fail(problem::bus_unavailable, paho::why_failed(t));
    loop->post([weak, n, outcome = std::move(outcome), code] {
      if (auto self = weak.lock())
        self->finish(n, outcome, code);
    });
  };
  client_->on_publish.done = completion;
  client_->on_subscribe.done = completion;
  attempt();
}

void mqtt_link::attempt() {
  state_ = state::asking;
  const auto n = ++attempt_;
  if (!options_.may_connect)
    return ask_credentials(n);
  options_.may_connect([weak = weak_from_this(), loop = loop_, n](bool may) {
    loop->post([weak, n, may] {
      auto self = weak.lock();
      if (!self || self->attempt_ != n || self->state_ != state::asking)
        return;
      if (may)
        self->ask_credentials(n);
      else
        self->wait_and_attempt(); // that is no failure: neither said nor counted
    });
  });
}

void mqtt_link::ask_credentials(std::uint64_t n) {
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
    auto options = paho::connect_options(options_, publishes_, who);
    options.set_properties(mqtt::properties(options.get_properties()));
    make_client();
    client_->paho->connect(options, context_of(attempt_), client_->on_connect);
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
  wait_and_attempt();
  ++failures_;
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
  if (state_ != state::waiting)
    return;
  wait_and_attempt();
  ++failures_;
}

/// All that was taken before has been handled. What was dropped since comes again, or its loss
/// shows, after a new connection: that is what recovery is made for.
void mqtt_link::overflowed(std::uint64_t attempt) {
  if (attempt != attempt_ || state_ != state::up)
    return;
  try {
    client_->paho->disconnect(mqtt::disconnect_options(0));
  } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): it was lost at this moment
  }
  lost(attempt, "more came than the handlers could take");
}

void mqtt_link::wait_and_attempt() {
  state_ = state::waiting;
  auto longest = options_.reconnect_cap;
  if (failures_ < 20)
    longest = std::min(longest, options_.reconnect_base * (1 << failures_));
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

void mqtt_link::finish(std::uint64_t serial, status outcome, int code) {
  auto it = open_.find(serial);
  if (it == open_.end())
    return; // ended when the connection was lost
  auto done = std::move(it->second);
  open_.erase(it);
  if (code != 0)
    events_.reason(code);
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
    client_->paho->publish(paho::to_paho(m), context_of(n), client_->on_publish);
  } catch (const std::exception& e) {
    finish(n, fail(problem::bus_unavailable, e.what()), 0);
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
    client_->paho->subscribe(filter, options.qos, context_of(n), client_->on_subscribe, how, props);
  } catch (const std::exception& e) {
    finish(n, fail(problem::bus_unavailable, e.what()), 0);
  }
}

void mqtt_link::unsubscribe(const std::string& filter) {
  try {
    client_->paho->unsubscribe(filter);
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
    if (client_->paho && client_->paho->is_connected())
      client_->paho->disconnect(mqtt::disconnect_options(0))->wait_for(patience);
  } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): it was lost at this moment
  }
}

} // namespace outband::bus
