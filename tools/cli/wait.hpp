/// Waits for an order to come true: a pure state machine over what the server and the bus tell.
///
/// A level (on, off, ...) has come true when the current state says that it satisfied a desired
/// revision at least as new as the order's. Something that happens once (reset, cycle) has its own
/// final event, and the server keeps its outcome. A lost connection costs nothing: the current
/// state is retained and comes again, and the outcome can be asked for.
/// Context: pure; no clock.
#pragma once

#include "messages/bus/envelope.hpp"
#include "tools/cli/api.hpp"
#include "tools/cli/outcome.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace outband::cli {

struct verdict {
  exit_code code = exit_code::ok;
  std::string word; ///< "reached", "refused", "failed", "superseded", "unknown", "timed-out"
  std::string text; ///< one sentence
  std::string problem_code; ///< stable code, if there is one
};

class waiting {
public:
  waiting(std::variant<power_target, power_once> power, const uuid& request)
      : power_(power), request_(request) {}

  /// The order is stored; also what the server answers when asked later.
  void on(const request_outcome& o);
  void on(const bus::decoded<current_state>& c);
  void on(const bus::decoded<desired_state>& d);
  void on(const bus::decoded<event>& e);
  /// The bus was away: what is not retained may be lost.
  void reconnected();

  /// Ask the server for the request's outcome now, and tell on(); once per true.
  bool take_question();
  /// What to show to people since the last call.
  std::vector<std::string> take_progress();
  const std::optional<verdict>& done() const { return done_; }
  verdict timed_out() const;
  /// Of the desired state; 0: not known, or the order is no level.
  revision rev() const { return rev_; }

private:
  bool is_level() const { return std::holds_alternative<power_target>(power_); }
  void say(std::string text);
  void end(exit_code code, std::string word, std::string text, std::string problem_code = {});
  void judge();

  const std::variant<power_target, power_once> power_;
  const uuid request_;
  revision rev_ = 0;
  bool stored_ = false, question_ = false, lost_ = false;
  std::optional<bus::decoded<current_state>> current_;
  revision before_ = 0; ///< newest current revision seen before the order was stored
  std::optional<bus::decoded<desired_state>> desired_;
  std::optional<std::string> refused_;
  std::optional<std::string> ended_; ///< text of the command's final event other than done
  std::string shown_level_, shown_reason_;
  std::vector<std::string> progress_;
  std::optional<verdict> done_;
};

} // namespace outband::cli
