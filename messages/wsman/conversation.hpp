/// Runs one function over a `talk` request by request, for whoever does the input and output.
///
///   wsman::conversation<host_setup> c{[](wsman::talk& t) { return amt::read_host_setup(t); }};
///   while (auto soap = c.next_request()) {
///     // POST *soap to /wsman. A first 401 is the transport's own affair: it sends again, signed.
///     c.feed(http_status, de_chunked_body);
///   }
///   result<host_setup> told = c.outcome();
///
/// If the answer does not come (time-out, lost connection), just drop the conversation:
/// change_sent() tells whether the machine may have changed, last_question() what was asked.
/// The function is run again from its start for each answer (talk.hpp), so it must not write to
/// what it captured: whatever it learns is in the value it returns, which must not point into the
/// talk. Context: pure, any thread; one conversation per run of the function. Time-outs are the
/// caller's.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/wsman/talk.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace outband::wsman {

/// What a conversation is whatever its function gives.
class conversation_base {
public:
  /// A conversation takes at most that many MessageIDs.
  static constexpr std::uint32_t max_messages = 256;

  conversation_base(conversation_base&&) noexcept;
  conversation_base& operator=(conversation_base&&) noexcept;
  ~conversation_base();

  /// The SOAP envelope to POST now; the same one until it is fed an answer (so it can be sent again
  /// with credentials). nullopt: finished, see outcome().
  std::optional<std::string> next_request();
  /// The answer to it. `body` is de-chunked. An answer that is not 200, 400 or 500 ends the
  /// conversation; 401 is taken as "our credentials are refused". Ignored when finished.
  void feed(int http_status, std::string_view body);

  bool finished() const;
  /// Was next_request() a request that changes the machine? If the connection dies then, whether
  /// it happened cannot be known.
  bool change_sent() const;
  /// Has any such request been answered with 200? Then a later failure leaves the change half done.
  bool changed_something() const;
  /// "AMT_RemoteAccessService AddMpServer": what was asked last, also after the end.
  const std::string& last_question() const;

protected:
  /// Runs the function once; keeps what it gives, and tells the failure.
  using run_once = std::function<std::optional<failure>(talk&)>;
  conversation_base(run_once run, std::uint32_t first_message_id);
  /// Only when finished: the failure that it ended with.
  const std::optional<failure>& why() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

template <class T> class conversation : public conversation_base {
public:
  using function = std::function<result<T>(talk&)>;
  /// MessageIDs count from `first_message_id`, so that answers on a reused connection cannot be
  /// mistaken for those of an earlier conversation.
  explicit conversation(function f, std::uint32_t first_message_id = 0)
      : conversation(std::move(f), first_message_id, std::make_shared<std::optional<T>>()) {}

  /// Fails with problem::internal when not finished.
  result<T> outcome() const {
    if (!finished())
      return fail(problem::internal, "the conversation with the firmware has not ended");
    if (why())
      return *why();
    return **value_;
  }

private:
  conversation(function f, std::uint32_t first_message_id, std::shared_ptr<std::optional<T>> value)
      : conversation_base(
            [f = std::move(f), value](talk& t) -> std::optional<failure> {
              auto told = f(t);
              if (!told)
                return told.error();
              *value = std::move(*told);
              return std::nullopt;
            },
            first_message_id),
        value_(std::move(value)) {}

  std::shared_ptr<std::optional<T>> value_; ///< shared with the function above only
};

} // namespace outband::wsman
