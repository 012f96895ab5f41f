/// Things that go wrong with one simulated machine, on a controller's order.
///
/// Context: pure; one set per machine, on that machine's thread. Limits: 16 orders at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::amtsim {

/// Of a steady clock whose origin does not matter.
using sim_time = std::chrono::milliseconds;

enum class fault_kind : std::uint8_t {
  // Once, at once.
  drop,    ///< ends the tunnel with FIN; back after ms
  rst,     ///< ends the tunnel with RST; back after ms
  garbage, ///< sends octets that are no APF
  reboot,  ///< the host resets by itself
  // While they last: ms long, or for ever when ms is 0.
  stall,            ///< neither reads nor writes the socket; the connection stays
  silent_keepalive, ///< neither sends nor answers APF keep-alives
  // For the next `count` occasions.
  bad_digest,           ///< right credentials are refused
  slow,                 ///< answers to WS-MAN come ms later
  truncate,             ///< half an answer, then the channel closes
  no_answer,            ///< a WS-MAN request is swallowed
  bad_xml,              ///< the answer's XML breaks off
  wrong_relates_to,     ///< the answer claims to belong to another request
  wrong_class,          ///< the answer is about another class, its method another's
  huge_text,            ///< one text of the answer has 1 MiB
  deep_xml,             ///< the answer holds 2000 levels of elements
  endless,              ///< the answer's last chunk never comes, others without end
  soap_fault,           ///< the answer is a fault, InternalError
  empty_fault,          ///< status 400 without a body, as some firmware answers
  refuse_graceful,      ///< graceful power actions return NOT_READY
  ignore_graceful,      ///< graceful power actions return 0 and nothing happens
  ignore_power,         ///< any power action returns 0 and nothing happens
  unknown_return_value, ///< a power action returns 0x9999 and nothing happens
  setup_unanswered,     ///< Setup, AdminSetup, upgrade are carried out; the connection ends instead
  slow_setup,           ///< they are carried out; the answer comes ms later
  setup_error,          ///< they are carried out; the answer is an internal error
  setup_refused,        ///< they answer an internal error, and nothing happens
  commit_unanswered,    ///< CommitChanges is carried out; the connection ends instead
  unprovision_unanswered,
  password_unanswered, ///< SetAdminAclEntryEx is carried out; the connection ends instead
  stale_nonce,         ///< right credentials are answered 401 with stale="true"
  // On the host's way to the firmware (host.hpp).
  mei_busy,      ///< a connect to a client of the engine fails with EBUSY
  mei_not_ready, ///< a PTHI command is answered "not ready", as after boot
  mei_silent,    ///< a message is swallowed
  mei_garbage,   ///< the answer is nonsense
};
/// "silent_keepalive"
std::string_view to_string(fault_kind k);
std::optional<fault_kind> parse_fault_kind(std::string_view text);
/// Happens once when it is ordered; the machine carries it out and fault_set never holds it.
bool is_immediate(fault_kind k);
/// Lasts for a time rather than a number of occasions.
bool is_lasting(fault_kind k);

class fault_set {
public:
  /// `count` 0: every occasion from now on. False if the set is full.
  bool add(fault_kind kind, sim_time ms, std::uint32_t count, sim_time now);
  void clear() { orders_.clear(); }

  /// One occasion: is the fault due? Its ms, if so.
  std::optional<sim_time> take(fault_kind kind);
  /// Does a lasting fault last?
  bool lasts(fault_kind kind, sim_time now);
  /// When the next lasting fault ends by itself.
  std::optional<sim_time> next_end(sim_time now) const;
  bool empty() const { return orders_.empty(); }

private:
  struct order {
    fault_kind kind;
    std::uint32_t left; ///< 0: without end
    sim_time ms;
    sim_time until; ///< of a lasting one; 0: without end
  };
  std::vector<order> orders_;
};

} // namespace outband::amtsim
