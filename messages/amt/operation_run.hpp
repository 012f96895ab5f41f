/// What it takes on the wire to carry out one `amt_operation`: request by request.
///
///   operation_run run{call.operation};
///   while (auto soap = run.next_request()) {
///     // POST *soap to /wsman; a 401 is the transport's own affair: answer the challenge, send
///     again run.feed(http_status, de_chunked_body);
///   }
///   result<amt_outcome> told = run.outcome();
///
/// The operations themselves are plain functions over a wsman::talk, which see how that works.
/// Context: pure, any thread; one run per operation. HTTP timeouts are the caller's.
#pragma once

#include "messages/domain/amt.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace outband::amt {

class operation_run {
public:
  /// MessageIDs count from `first_message_id`, so that answers on a reused connection cannot be
  /// mistaken for those of an earlier run. A run takes at most `max_messages` of them.
  explicit operation_run(amt_operation op, std::uint32_t first_message_id = 0);
  operation_run(operation_run&&) noexcept;
  operation_run& operator=(operation_run&&) noexcept;
  ~operation_run();
  static constexpr std::uint32_t max_messages = 256;

  /// The SOAP envelope to POST now; the same one until it is fed an answer (so it can be sent again
  /// with credentials). nullopt: finished, see outcome().
  std::optional<std::string> next_request();
  /// The answer to it. `body` is de-chunked. An answer that is not 200, 400 or 500 ends the run;
  /// 401 is taken as "our credentials are refused". Ignored when finished.
  void feed(int http_status, std::string_view body);

  bool finished() const;
  /// Was next_request() a request that changes the machine? If the connection dies then, whether
  /// it happened cannot be known.
  bool change_sent() const;
  /// Has any such request been answered? Then a later failure leaves the change half done.
  bool changed_something() const;
  /// Fails with problem::internal when not finished.
  result<amt_outcome> outcome() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace outband::amt
