/// Stands in for the broker's listener: accepts TLS (or TCP) and sends back what it gets.
/// Context: a thread of its own; one connection after the other, up to `connections` at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace outband::test {

class broker_stand_in {
public:
  enum class manner { echo, never_read, hang_up };
  /// Empty `chain_pem`: plain TCP.
  broker_stand_in(manner m, const std::string& chain_pem, const std::string& key_pem);
  ~broker_stand_in();
  broker_stand_in(const broker_stand_in&) = delete;
  broker_stand_in& operator=(const broker_stand_in&) = delete;

  std::uint16_t port() const { return port_; }
  int accepted() const; ///< connections whose handshake succeeded

private:
  struct state;
  std::unique_ptr<state> state_;
  std::uint16_t port_ = 0;
};

} // namespace outband::test
