/// Certificates as Intel's on-die authority gives them to every AMT from 15 on: what port 16993
/// shows before a server has installed a certificate of its own. A root of this process stands in
/// for Intel's; whoever is to trust the machines gets it by root_pem().
///
/// Chain: leaf ("AMT RCFG") <- "CSME SVN01 Kernel CA" <- "CSME ROM CA" <- "OnDie CA Root"; the
/// names and the number of links as rpc-go checks them (pkg/utils, "ODCA").
/// Context: construct once; issue() from any thread. Limits: P-384 above, P-256 in leaves, for a
/// crowd of machines makes thousands.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace outband::amtsim {

struct on_die_leaf {
  std::string certificate; ///< DER
  std::string key;         ///< DER
};

class on_die_authority {
public:
  /// Throws std::runtime_error if OpenSSL refuses.
  on_die_authority();
  ~on_die_authority();
  on_die_authority(const on_die_authority&) = delete;
  on_die_authority& operator=(const on_die_authority&) = delete;

  std::string root_pem() const;
  /// Of every leaf: DER, the leaf's issuer first, the root last.
  const std::vector<std::string>& issuers() const { return issuers_; }
  /// An empty certificate if OpenSSL refuses.
  on_die_leaf issue(const std::string& common_name) const;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
  std::vector<std::string> issuers_;
};

} // namespace outband::amtsim
