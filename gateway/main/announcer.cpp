#include "gateway/main/announcer.hpp"

#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"

#include <spdlog/spdlog.h>

#include <mutex>

namespace outband {

namespace {

/// Retained, in our own encoding, said by this incarnation of the node.
template <class Payload>
bus::message announced(const announcement& who, clock_port& clock, std::string topic,
                       const Payload& payload) {
  bus::envelope e;
  e.id = clock.new_id();
  e.time = clock.now();
  e.source = who.node;
  e.incarnation = who.incarnation;
  bus::message m;
  m.topic = std::move(topic);
  m.payload = std::make_shared<const std::string>(bus::encode(e, payload, bus::encoding::msgpack));
  m.content_type = std::string(bus::content_type_of(bus::root::native));
  m.retain = true;
  return m;
}

bus::message presence_of(const announcement& who, clock_port& clock, bool up, std::uint64_t links,
                         bool draining) {
  bus::node_presence body{who.incarnation, who.node, up, links};
  body.roles = who.roles;
  body.draining = draining;
  return announced(who, clock, bus::node_presence_topic(who.node), body);
}

} // namespace

std::function<std::optional<bus::message>()> will_of(announcement who, clock_port& clock) {
  return [who = std::move(who), &clock]() -> std::optional<bus::message> {
    return presence_of(who, clock, false, 0, false);
  };
}

struct announcer::voice {
  bus::endpoint& on; // outlives us, and its callbacks end with it
  const announcement who;
  clock_port& clock;
  const std::function<std::uint64_t()> links;

  std::mutex mutex; ///< so that the farewell is the last word
  bool draining = false, leaving = false;
  bool told_of_namesake = false;

  void birth() {
    std::lock_guard lock(mutex);
    if (!leaving)
      say(true);
  }
  void heard(const bus::message& m);
  void say(bool up) {
    on.publish(presence_of(who, clock, up, up && links ? links() : 0, up && draining));
  }
};

void announcer::voice::heard(const bus::message& m) {
  if (m.topic != bus::node_presence_topic(who.node))
    return; // another node's
  std::lock_guard lock(mutex);
  if (leaving)
    return;
  if (!m.payload->empty()) {
    const auto said = bus::decode_node_presence(*m.payload, bus::encoding::msgpack);
    if (said && said->body.up) {
      // Another process of our name. Two that contradict each other would never end.
      if (said->body.incarnation != who.incarnation && !told_of_namesake)
        spdlog::error("another process calls itself node '{}'; names must be unique", who.node);
      told_of_namesake = told_of_namesake || said->body.incarnation != who.incarnation;
      return;
    }
  }
  spdlog::info("the bus says that node '{}' is down; it is not", who.node);
  say(true);
}

announcer::announcer(bus::endpoint& on, announcement who, clock_port& clock,
                     std::function<std::uint64_t()> links)
    : voice_(new voice{on, std::move(who), clock, std::move(links), {}}) {
  // The filter that the keeper subscribes to as well: those of one endpoint must not overlap.
  own_topic_ = on.subscribe(bus::node_presence_filter(), {},
                            [v = voice_](const bus::message& m) { v->heard(m); });
  connection_ = on.on_connection([v = voice_](bool up) {
    if (up)
      v->birth();
  });
}

void announcer::drain() {
  std::lock_guard lock(voice_->mutex);
  voice_->draining = true;
  if (!voice_->leaving)
    voice_->say(true);
}

announcer::~announcer() {
  connection_.reset();
  own_topic_.reset();
  std::lock_guard lock(voice_->mutex);
  voice_->leaving = true;
  if (voice_->on.connected())
    voice_->say(false);
}

} // namespace outband
