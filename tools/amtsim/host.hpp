/// The operating system of a simulated machine, as far as activation needs one: its MEI device and
/// its local manageability service.
///
/// Context: the machine's thread; construct before the threads run.
#pragma once

#include "tools/amtsim/lms_server.hpp"
#include "tools/amtsim/mei_server.hpp"

#include <functional>
#include <memory>
#include <string>

namespace outband::amtsim {

class fault_set;
class machine;

/// Where a host is found. What is empty does not exist.
struct host_place {
  std::string mei_path;
  lms_place lms;
};

class host final : private mei_server::owner, private lms_server::owner {
public:
  /// Throws std::runtime_error if a socket cannot be opened.
  host(machine& firmware, fault_set& faults, const host_place& where);

  std::uint16_t lms_port() const { return lms_ ? lms_->plain_port() : std::uint16_t{0}; }
  std::uint16_t lms_tls_port() const { return lms_ ? lms_->tls_port() : std::uint16_t{0}; }
  const std::string& mei_path() const { return mei_path_; }

private:
  int mei_connect(pthi::mei_client client) override;
  std::string mei_answer(pthi::mei_client client, std::string_view octets) override;
  std::unique_ptr<local_connection> open_local(std::uint16_t port, local_peer& peer) override;

  machine& firmware_;
  fault_set& faults_;
  std::string mei_path_;
  std::unique_ptr<mei_server> mei_;
  std::unique_ptr<lms_server> lms_;
};

} // namespace outband::amtsim
