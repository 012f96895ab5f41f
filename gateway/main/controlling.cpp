#include "gateway/main/controlling.hpp"

#include "bus/scheduler.hpp"
#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"

#include <mutex>

namespace outband {

namespace {

/// Retained: whoever comes later sees who controls.
bus::message presence_of(const announcement& who, clock_port& clock, controller_epoch epoch,
                         bool up) {
  bus::envelope e;
  e.id = clock.new_id();
  e.time = clock.now();
  e.source = who.node;
  e.incarnation = who.incarnation;
  e.ctl = epoch;
  bus::message m;
  m.topic = bus::controller_presence_topic();
  m.payload = std::make_shared<const std::string>(bus::encode(
      e, bus::controller_presence{who.node, who.incarnation, epoch, up}, bus::encoding::msgpack));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  m.retain = true;
  return m;
}

/// One reign. Destroyed in the opposite order.
struct reign {
  reign(bus::mqtt_options o, bus::outbox_source& source, const announcement& who, clock_port& clock,
        controller_epoch of)
      : epoch(of), connection(std::move(o)), publisher(source, connection) {
    birth = connection.on_connection([this, who, &clock](bool up) {
      if (up)
        connection.publish(presence_of(who, clock, epoch, true));
    });
  }

  const controller_epoch epoch;
  bus::mqtt_endpoint connection;
  bus::outbox_publisher publisher;
  bus::subscription birth;
};

} // namespace

struct controlling::impl {
  bus::mqtt_options options;
  bus::outbox_source& source;
  announcement who;
  clock_port& clock;
  cluster_port& cluster;

  std::mutex mutex; ///< guards `now` only
  std::shared_ptr<reign> now;
  bus::thread_loop loop;
};

controlling::controlling(bus::mqtt_options connection, bus::outbox_source& source, announcement who,
                         clock_port& clock, cluster_port& cluster)
    : impl_(new impl{std::move(connection), source, std::move(who), clock, cluster, {}, {}, {}}) {
  impl_->options.client_id = "outband-controller";
  impl_->options.response_prefix.clear();
}

controlling::~controlling() {
  end(false);
  impl_->loop.stop();
}

void controlling::begin(controller_epoch epoch) {
  impl_->loop.post([me = impl_.get(), epoch] {
    auto options = me->options;
    options.will = [who = me->who, &clock = me->clock, epoch]() -> std::optional<bus::message> {
      return presence_of(who, clock, epoch, false);
    };
    options.may_connect = [me, epoch](const std::function<void(bool)>& answer) {
      me->cluster.confirm({me->who.node, me->who.incarnation}, epoch,
                          [answer](const result<bool>& held) { answer(held && *held); });
    };
    auto next = std::make_shared<reign>(std::move(options), me->source, me->who, me->clock, epoch);
    std::lock_guard lock(me->mutex);
    me->now = std::move(next);
  });
}

void controlling::end(bool goodbye) {
  impl_->loop.post([me = impl_.get(), goodbye] {
    std::shared_ptr<reign> last;
    {
      std::lock_guard lock(me->mutex);
      last = std::exchange(me->now, nullptr);
    }
    if (last && goodbye)
      last->connection.publish(presence_of(me->who, me->clock, last->epoch, false));
    // Here, on this thread: waits for what is in flight.
    last.reset();
  });
}

controlling::figures controlling::now() const {
  std::lock_guard lock(impl_->mutex);
  if (!impl_->now)
    return {};
  return {impl_->now->epoch, impl_->now->publisher.metrics(), impl_->now->connection.counters()};
}

} // namespace outband
