/// The HTTP side of a firmware: digest, one answer per request, and what a test wants of it. Knows
/// no transport: octets in, octets out, per connection; one firmware has many.
/// Threads: any.
#pragma once

#include "messages/http/message.hpp"
#include "messages/http/parser.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace outband::test {

inline constexpr const char* guid_of_machine = "4c4c4544-005a-3510-8047-b4c04f564433";
inline constexpr const char* guid_of_another = "03000200-0400-0500-0006-000700080009";

class firmware {
public:
  /// What to do with a request that is authorized.
  struct reply {
    std::string octets; ///< the response, already written; empty: none
    bool close = false; ///< the connection afterwards
  };
  using behaviour = std::function<reply(const http::request&)>;

  std::string guid = guid_of_machine;
  std::string password = "P@ss";
  std::atomic<bool> close_after_401{true}; ///< as AMT does it

  /// Of everything but the question for the GUID; by default it answers with the request's body.
  void behave(behaviour b);
  void ask_again(); ///< a new nonce: what was learnt of the old one is refused

  int requests() const { return requests_; }     ///< all, with 401s
  int authorized() const { return authorized_; } ///< without the questions for the GUID
  bool wait_authorized(int n);

  /// One connection's parser.
  class connection {
  public:
    explicit connection(firmware& f) : firmware_(f) {}
    /// Answers to every request that is complete now.
    reply take(std::string_view octets);

  private:
    firmware& firmware_;
    http::request_parser parser_;
  };

private:
  reply answer(const http::request& r);

  std::mutex mutex_;
  std::condition_variable changed_;
  behaviour behaviour_;
  int nonce_ = 1;
  std::atomic<int> requests_{0}, authorized_{0};
};

/// 200 with this body, chunked as firmware does it.
std::string ok_octets(const std::string& body, bool keep = true);

} // namespace outband::test
