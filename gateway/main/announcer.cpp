#include "gateway/main/announcer.hpp"

#include "messages/bus/envelope.hpp"
#include "messages/bus/topics.hpp"

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

bus::message presence_of(const announcement& who, clock_port& clock, bool up, std::uint64_t links) {
  return announced(who, clock, bus::node_presence_topic(who.node),
                   bus::node_presence{who.incarnation, who.node, up, links});
}

bus::message controller_of(const announcement& who, clock_port& clock, bool up) {
  return announced(who, clock, bus::controller_presence_topic(),
                   bus::controller_presence{who.node, who.incarnation, 1, up});
}

} // namespace

std::function<std::optional<bus::message>()> will_of(announcement who, clock_port& clock) {
  return [who = std::move(who), &clock]() -> std::optional<bus::message> {
    return presence_of(who, clock, false, 0);
  };
}

struct announcer::voice {
  bus::endpoint& on; // outlives us, and its callbacks end with it
  announcement who;
  clock_port& clock;
  std::function<std::uint64_t()> links;

  void say(bool up) {
    on.publish(presence_of(who, clock, up, up && links ? links() : 0));
    if (who.controller)
      on.publish(controller_of(who, clock, up));
  }
};

announcer::announcer(bus::endpoint& on, announcement who, clock_port& clock,
                     std::function<std::uint64_t()> links)
    : voice_(new voice{on, std::move(who), clock, std::move(links)}) {
  connection_ = on.on_connection([v = voice_](bool up) {
    if (up)
      v->say(true);
  });
}

announcer::~announcer() {
  connection_.reset();
  if (voice_->on.connected())
    voice_->say(false);
}

} // namespace outband
