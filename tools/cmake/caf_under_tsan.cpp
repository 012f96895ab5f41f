// What libcaf_core synchronises, told to ThreadSanitizer. Linked only where it is on
// (toolchain.cmake).
//
// Debian's library is not instrumented: mailboxes and reference counts are lock-free in its own
// object code, so ThreadSanitizer would see no order between who sends a message and who handles
// it. The functions below stand before CAF's (a program's symbols win over a library's), say what
// CAF's atomics guarantee, and call CAF's. Locks need nothing: the scheduler policy `sharing` and
// the clock use pthread's, which are seen. Facts are those of CAF 0.17.6.
//
// Nothing is hidden: the order is per message, per actor and per count, so two handlers of
// different actors that touch the same memory without a message between them are still reported.

#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/ref_counted.hpp>
#include <caf/scheduled_actor.hpp>

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

// Of the compiler's runtime library (libsanitizer's tsan_interface.h): whatever a thread did before
// its release at an address happened before the acquire of another.
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);

namespace {

/// CAF's own function of that (mangled) name. Without it nothing can go on.
template <class F> F* caf_function(const char* name) {
  auto* found = reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
  if (!found) {
    std::fprintf(stderr, "libcaf_core has no %s; is it not 0.17.6?\n", name);
    std::abort();
  }
  return found;
}

void acquire(const void* at) {
  __tsan_acquire(const_cast<void*>(at));
}
void release(const void* at) {
  __tsan_release(const_cast<void*>(at));
}

/// What the mailbox of an actor guarantees; apart from what its turns do.
const void* mailbox_of(const caf::scheduled_actor* self) {
  return reinterpret_cast<const char*>(self) + 1;
}

} // namespace

namespace caf {

// -- a message: from who puts it into the mailbox to who takes it out
// --------------------------------

void scheduled_actor::enqueue(mailbox_element_ptr message, execution_unit* where) {
  static const auto real = caf_function<void(scheduled_actor*, mailbox_element_ptr,
                                             execution_unit*)>(
      "_ZN3caf15scheduled_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_6detail8disposerEE"
      "PNS_14execution_unitE");
  release(message.get());
  release(mailbox_of(this));
  real(this, std::move(message), where);
}

// The first thing that happens to each message that is taken out.
scheduled_actor::message_category scheduled_actor::categorize(mailbox_element& message) {
  static const auto real = caf_function<message_category(scheduled_actor*, mailbox_element&)>(
      "_ZN3caf15scheduled_actor10categorizeERNS_15mailbox_elementE");
  acquire(&message);
  return real(this, message);
}

// An actor that ended drops what is left in its mailbox.
bool scheduled_actor::cleanup(error&& why, execution_unit* where) {
  static const auto real = caf_function<bool(scheduled_actor*, error&&, execution_unit*)>(
      "_ZN3caf15scheduled_actor7cleanupEONS_5errorEPNS_14execution_unitE");
  acquire(mailbox_of(this));
  return real(this, std::move(why), where);
}

// -- an actor: from one worker that runs it to the next
// ----------------------------------------------

// Called when a worker takes the actor up; the first time it also makes its behaviour.
bool scheduled_actor::activate(execution_unit* where) {
  static const auto real = caf_function<bool(scheduled_actor*, execution_unit*)>(
      "_ZN3caf15scheduled_actor8activateEPNS_14execution_unitE");
  acquire(this);
  const bool alive = real(this, where);
  release(this);
  return alive;
}

// Called after the last message of a turn, before the mailbox is blocked and another may wake it.
std::uint64_t scheduled_actor::set_receive_timeout() {
  static const auto real = caf_function<std::uint64_t(scheduled_actor*)>(
      "_ZN3caf15scheduled_actor19set_receive_timeoutEv");
  const auto which = real(this);
  release(this);
  return which;
}

// -- reference counts: whatever others did with it happened before it is destroyed
// -------------------

void ref_counted::deref() const noexcept {
  static const auto real = caf_function<void(const ref_counted*)>("_ZNK3caf11ref_counted5derefEv");
  acquire(this);
  release(this);
  real(this);
}

void intrusive_ptr_release(actor_control_block* of) {
  static const auto real = caf_function<void(actor_control_block*)>(
      "_ZN3caf21intrusive_ptr_releaseEPNS_19actor_control_blockE");
  acquire(of);
  release(of);
  real(of);
}

void intrusive_ptr_release_weak(actor_control_block* of) {
  static const auto real = caf_function<void(actor_control_block*)>(
      "_ZN3caf26intrusive_ptr_release_weakEPNS_19actor_control_blockE");
  acquire(of);
  release(of);
  real(of);
}

} // namespace caf
