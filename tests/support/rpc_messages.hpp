/// The JSON that `rpc` writes; written by hand here so that it is independent of the server's
/// codec. Source: rpc-go internal/rps/message.go, rps.go. Context: any thread.
#pragma once

#include "messages/domain/result.hpp"
#include "tests/support/rpc_client.hpp"

#include <string>
#include <string_view>

namespace outband::test {

/// The first message; or why rpc refuses to begin (exit code in the outcome).
result<std::string> first_message(const rpc_options& how, const rpc_facts& facts);
/// `payload` is wrapped in base64.
std::string follow_up(const rpc_options& how, std::string_view method, std::string_view payload);

struct server_message {
  std::string method;
  std::string message;
  std::string payload; ///< as it came, not decoded
};
result<server_message> read_server_message(const std::string& text);
/// The same message with another method and status: what rpc answers to a heartbeat.
std::string heartbeat_answer(const std::string& text);
/// "activate --profile x" -> "activate"
std::string method_of(const std::string& text);

struct port_switch {
  std::uint16_t port = 0;
  std::chrono::milliseconds delay{0};
};
result<port_switch> read_port_switch(const std::string& payload);

/// What this version prints when the server said how it went: `said` and `status` of the outcome,
/// from its `message`.
void explain_status(rpc_version v, bool good, rpc_outcome& into);

} // namespace outband::test
