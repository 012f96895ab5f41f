/// The host's end of a simulated machine's MEI socket (tools/amtsim/mei_server.hpp), as `rpc` and
/// the edge agent use /dev/mei0.
/// Context: blocks its thread, at most 60 s per call; the machine runs on another.
#pragma once

#include "messages/domain/result.hpp"
#include "messages/pthi/clients.hpp"
#include "messages/pthi/codec.hpp"

#include <string>
#include <string_view>

namespace outband::test {

class mei_client {
public:
  mei_client() = default;
  ~mei_client();
  mei_client(const mei_client&) = delete;
  mei_client& operator=(const mei_client&) = delete;

  /// problem::busy for EBUSY, problem::not_found for a client that does not exist,
  /// problem::link_down if there is no such machine.
  status connect(const std::string& path, pthi::mei_client client);
  /// One message there, one back. problem::device_timeout if none comes.
  result<std::string> call(std::string_view message);
  /// A PTHI command; a status other than success is problem::device_refused.
  result<pthi::response> ask(const pthi::request& r);
  /// Of the longest message, as told at connect.
  std::uint32_t max_message() const { return max_message_; }

private:
  int fd_ = -1;
  std::uint32_t max_message_ = 0;
};

/// Connects to AMTHI and asks; T is the body that the answer must have.
template <class T> result<T> ask_machine(const std::string& mei_path, const pthi::request& r) {
  mei_client mei;
  if (auto up = mei.connect(mei_path, pthi::mei_client::amthi); !up)
    return up.error();
  auto answer = mei.ask(r);
  if (!answer)
    return answer.error();
  if (auto* body = std::get_if<T>(&answer->content))
    return std::move(*body);
  return fail(problem::device_protocol, "another kind of answer", "pthi");
}

} // namespace outband::test
