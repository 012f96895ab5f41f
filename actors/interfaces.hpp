/// All actors of Outband. Read top to bottom, it is the system.
///
/// Messages are plain structs; they never leave the process (between processes the bus carries the
/// documents of messages/domain), so they need no serialisation. An answer that an operator must
/// see travels inside a message; caf::error means that nobody answered. Actors do no I/O: ports
/// (actors/ports) answer with messages. Parents own children by strong handle, children and
/// callbacks hold weak ones, or the system would never shut down.
#pragma once

#include "actors/device_machine.hpp"
#include "actors/ports/activation.hpp"
#include "actors/ports/amt_link.hpp"
#include "actors/ports/cluster.hpp"
#include "actors/ports/control.hpp"
#include "bus/endpoint.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace outband {

// -- LINK: one per tunnel or direct connection ------------------------------------------------
// Owns the queue of calls. One call in flight; each is answered exactly once, at the latest at its
// deadline. Terminator role.

/// Where an answer goes: as an observation to the controller, or to who asked live.
struct call_origin {
  std::string reply_topic; ///< empty: an observation
  std::string correlation;
  bool look = false; ///< our own look after a change: only what is new is told
};
struct link_call {
  amt_call call;
  call_origin origin;
};
/// INTERNAL: the port answered the exchange with that number.
struct soap_arrived {
  std::uint64_t exchange = 0;
  result<soap_answer> answer = fail(problem::internal);
};
/// INTERNAL: look for calls whose deadline has passed.
struct link_tick {
  std::uint64_t generation = 0;
};
/// The tunnel is gone, or a newer one was authenticated: fail what waits, then leave.
struct link_stop {
  problem why = problem::link_down;
};
using link_actor = caf::typed_actor<caf::reacts_to<link_call>, caf::reacts_to<soap_arrived>,
                                    caf::reacts_to<link_tick>, caf::reacts_to<link_stop>>;

// -- INSTANCE: one per terminator role --------------------------------------------------------
// Owns the link actors of this process, routes work to them, tells the controller what is observed.

struct link_opened {
  device_ref ref;
  link_epoch epoch = 0;
  std::string peer;
  int trigger = 0;
  std::shared_ptr<amt_link_port> link;
};
struct link_closed {
  device_ref ref;
  link_epoch epoch = 0;
  link_end why = link_end::peer_closed;
  std::string text;
};
struct link_silent {
  device_ref ref;
  link_epoch epoch = 0;
  bool late = false;
};
/// The firmware said something by itself.
struct link_alert {
  device_ref ref;
  link_epoch epoch = 0;
  std::string json;
};
/// From a link: a call is over.
struct call_finished {
  amt_answer answer;
  call_origin origin;
  std::string performed{}; ///< the name, if it was an operation of the catalogue
};
/// From the bus: `node/work` or, with a response topic, `node/ask`.
struct work_arrived {
  work_body body;
  call_origin origin;
  std::uint64_t controller = 0; ///< epoch of the controller that says it; 0: another node
};
/// Our links were declared unknown while we live: which are still ours?
struct reclaim_links {};
/// INTERNAL: the store's answer for these.
struct links_reclaimed {
  std::vector<std::pair<device_ref, link_epoch>> asked;
  result<reclaim_answer> answer = fail(problem::internal);
};
/// INTERNAL: the batch has waited its 50 ms.
struct flush_observations {};
using instance_actor =
    caf::typed_actor<caf::reacts_to<link_opened>, caf::reacts_to<link_closed>,
                     caf::reacts_to<link_silent>, caf::reacts_to<link_alert>,
                     caf::reacts_to<call_finished>, caf::reacts_to<work_arrived>,
                     caf::reacts_to<flush_observations>, caf::reacts_to<reclaim_links>,
                     caf::reacts_to<links_reclaimed>>;

// -- DEVICE: one per machine; spawned when something concerns it, gone when quiet --------------
// Decides with device_machine.hpp. Controller role.

/// The stored row changed (a wish, a command, a registration): read it again.
struct row_changed {};
/// INTERNAL: the store answered.
struct row_loaded {
  result<device_row> row = fail(problem::internal);
};
struct row_written {
  result<current_written> outcome = fail(problem::internal);
};
struct device_tick {
  std::uint64_t generation = 0;
};
/// INTERNAL: the store may be back.
struct try_store_again {};
/// From its tenant: nothing will be sent to you any more.
struct leave {};
using device_actor = caf::typed_actor<caf::reacts_to<observation>, caf::reacts_to<row_changed>,
                                      caf::reacts_to<row_loaded>, caf::reacts_to<row_written>,
                                      caf::reacts_to<device_tick>, caf::reacts_to<try_store_again>,
                                      caf::reacts_to<leave>>;

// -- TENANT: one per tenant with anything going on ---------------------------------------------
// Spawns, restarts and passivates its devices' actors. Controller role.

struct about_device {
  device_id device;
};
/// A device's actor has been quiet: let it go, unless something came meanwhile.
struct passivate {
  device_id device;
  std::uint64_t spawned = 0; ///< which life of it asks
  std::uint64_t heard = 0;   ///< so many messages of its tenant it has taken up
};
/// The device was deleted.
struct forget_device {
  device_id device;
};
using tenant_actor = caf::typed_actor<caf::reacts_to<observation>, caf::reacts_to<about_device>,
                                      caf::reacts_to<passivate>, caf::reacts_to<forget_device>>;

// -- CONTROLLER: one active per broker ----------------------------------------------------------
// Routes what the bus brings to tenants.

struct observed {
  std::vector<observation> items;
};
struct device_changed {
  device_ref ref;
};
struct device_gone {
  device_ref ref;
};
/// Something may have been missed (a start, a connection that was away, a dead terminator): take up
/// every device with something open, or whose link is not what was last told of it.
struct resync {
  std::chrono::milliseconds after{0};
};
/// INTERNAL: read the next page of one of the two lists.
struct sweep_page {
  bool links = false; ///< else: of what is unsettled
  std::string after;  ///< empty: from the start
};
/// INTERNAL: the store's answer; a failure is tried again.
struct sweep_read {
  sweep_page asked;
  result<std::vector<device_ref>> page = fail(problem::internal);
};
using controller_actor = caf::typed_actor<caf::reacts_to<observed>, caf::reacts_to<device_changed>,
                                          caf::reacts_to<device_gone>, caf::reacts_to<resync>,
                                          caf::reacts_to<sweep_page>, caf::reacts_to<sweep_read>>;

// -- KEEPER: one per process ---------------------------------------------------------------------
// Says that this process lives, holds or follows the controller's lease, buries the dead.

/// INTERNAL: time to beat.
struct beat_now {
  std::uint64_t generation = 0;
};
/// INTERNAL: the store's answer to a beat.
struct beat_answered {
  result<heartbeat_answer> answer = fail(problem::internal);
};
/// INTERNAL: the lease was not renewed in time.
struct lease_ran_out {
  std::uint64_t generation = 0;
};
/// From the bus: birth or death of a controller, of a node.
struct controller_heard {
  std::uint64_t epoch = 0;
  std::string instance;
  bool up = false;
};
struct node_heard {
  instance_ref who;
  bool up = false;
  bool terminator = false;
};
/// INTERNAL: it has not come back: usurp the lease with that epoch, bury that node.
struct controller_missed {
  std::uint64_t epoch = 0;
};
struct node_missed {
  instance_ref who;
};
/// INTERNAL: a burial was carried out.
struct node_buried {
  instance_ref who;
  result<std::size_t> links = fail(problem::internal);
};
/// Give the lease up and do not take it again.
struct step_down {};
using keeper_actor = caf::typed_actor<
    caf::reacts_to<beat_now>, caf::reacts_to<beat_answered>, caf::reacts_to<lease_ran_out>,
    caf::reacts_to<controller_heard>, caf::reacts_to<node_heard>, caf::reacts_to<controller_missed>,
    caf::reacts_to<node_missed>, caf::reacts_to<node_buried>, caf::reacts_to<step_down>>;

// -- DESK: one per process that takes requests --------------------------------------------------
// Stores what is asked and keeps who waits for the outcome. Api role.

struct request_submitted {
  request what;
  role held = role::none;
  std::shared_ptr<std::function<void(response)>> on_response;
};
/// From the bus: a device's actor finished a command.
struct outcome_arrived {
  response answer;
};
/// INTERNAL: continuations of store calls.
struct desk_step {
  std::shared_ptr<std::function<void()>> go;
};
struct desk_tick {
  std::uint64_t generation = 0;
};
using desk_actor =
    caf::typed_actor<caf::reacts_to<request_submitted>, caf::reacts_to<outcome_arrived>,
                     caf::reacts_to<desk_step>, caf::reacts_to<desk_tick>>;

// -- ACTIVATION: one per provisioning connection --------------------------------------------------
// Goes through a plan of steps (activation/plan.hpp). Provisioner role.

/// INTERNAL: continuations of ports' answers.
struct activation_step {
  std::shared_ptr<std::function<void()>> go;
};
/// The client has left.
struct activation_closed {};
using activation_actor =
    caf::typed_actor<caf::reacts_to<activation_step>, caf::reacts_to<activation_closed>>;

// -- PROVISIONER: one per process that serves provisioning connections ---------------------------
// Spawns an activation per connection and forgets it when it is over.

struct activation_opened {
  activation_port::connection who;
  std::shared_ptr<provisioning_wish> wish;
};
struct activation_left {
  std::uint64_t connection = 0;
};
using provisioner_actor =
    caf::typed_actor<caf::reacts_to<activation_opened>, caf::reacts_to<activation_left>>;

// -- helpers ------------------------------------------------------------------------------------

/// A weak handle to tell something from a port's callback.
template <class Handle> class weak_handle {
public:
  explicit weak_handle(const Handle& h) : ptr_(caf::actor_cast<caf::weak_actor_ptr>(h)) {}
  template <class Message> void tell(Message m) const {
    if (auto strong = ptr_.lock())
      caf::anon_send(caf::actor_cast<Handle>(strong), std::move(m));
  }

private:
  caf::weak_actor_ptr ptr_;
};

} // namespace outband

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::link_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::soap_arrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::link_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::link_stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::link_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::link_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::link_silent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::link_alert)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::call_finished)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::work_arrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::flush_observations)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::observation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::row_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::row_loaded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::row_written)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::device_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::try_store_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::leave)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::about_device)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::passivate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::forget_device)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::observed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::device_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::device_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::resync)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::sweep_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::sweep_read)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::reclaim_links)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::links_reclaimed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::beat_now)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::beat_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::lease_ran_out)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::controller_heard)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::node_heard)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::controller_missed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::node_missed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::node_buried)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::step_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::request_submitted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::outcome_arrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::desk_step)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::desk_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::activation_step)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::activation_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::activation_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outband::activation_left)
