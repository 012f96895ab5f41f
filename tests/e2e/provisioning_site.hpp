/// A site whose machines are new: one server, and simulated machines with their hosts (MEI and
/// LMS), which trust the tenant's provisioning certificate and call where they are told to.
#pragma once

#include "tests/e2e/stage.hpp"
#include "tests/support/provisioning_pki.hpp"
#include "tests/support/rpc_client.hpp"

#include <optional>
#include <string>

namespace outband::e2e {

class provisioning_site final : public stage {
public:
  struct options {
    std::string firmware = "amt16"; ///< a profile of the simulator's
    std::size_t count = 40;
    std::string settle = "200ms"; ///< the server's pause; in production 3 s
    bool call_home = true;        ///< machines connect as soon as they know whom
  };
  static constexpr const char* server_name = "mps.outband.test";
  static provisioning_site& get(); ///< started at the first call
  /// The same with machines whose local ports speak TLS only, as from AMT 19 on.
  static provisioning_site& behind_tls();
  explicit provisioning_site(const options& o); ///< one for yourself
  ~provisioning_site();

  /// A one-time token of the tenant "demo"; its URL is what rpc is given.
  std::string url(const std::string& operation, const std::string& profile = {},
                  const std::string& guid = {}) const;
  /// rpc on that machine's host, with a token's URL.
  test::rpc_options rpc(const machine& m, const std::string& url) const;
  /// The last activation as GET shows it.
  json activation(const machine& m) const;
  std::string server_log() const { return server_->log(); }
  e2e::server& server() { return *server_; }
  const test::provisioning_pki& pki() const { return pki_; }

private:
  provisioning_site(const options& o, std::uint16_t cira_port, std::uint16_t https_port);
  void upload_domain() const;

  std::uint16_t https_port_;
  std::unique_ptr<e2e::server> server_;
  test::provisioning_pki pki_;
  std::string mei_;
};

} // namespace outband::e2e
