/// The certificates that one outbandd needs: made at the first start and kept in the data
/// directory, or given by the operator and checked.
///
///   cira-root   RSA-3072, SHA-384, "OutbandRoot-" and 6 hex digits, 30 years, from a year ago (the
///               clock of a machine may be behind); what machines are told to trust
///   cira        RSA-2048 (AMT 12 refuses 3072; on request 3072, which AMT 22 will want)
///   https       P-256, from the same root
///   bus-ca      P-256; an authority of its own, for the broker, the nodes and the agents only
///   bus-server, node-{name}   from bus-ca; the node's common name is "-/inst/{name}"
///
/// A leaf is renewed when it is about to expire (60 days), when its names change, or when it does
/// not fit its key or authority; the authorities are kept. A root that is damaged is an error, as
/// replacing it would cut off every machine.
/// Source: what MPS makes, open-amt-cloud-toolkit/mps src/utils/certificates.ts.
/// Files: `{name}.crt` and `{name}.key` (mode 0600), written whole or not at all; a lock file keeps
///   two processes apart. Context: any thread; makes keys (up to a second) and does file I/O.
#pragma once

#include "messages/domain/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace outband::net {

/// A certificate with its key, as PEM text and as files.
struct identity {
  std::string chain_pem; ///< ours first; what is sent to peers
  std::string key_pem;
  std::filesystem::path certificate_path; ///< holds chain_pem
  std::filesystem::path key_path;
  std::int64_t not_after = 0; ///< seconds since 1970
};

struct given_identity {
  std::filesystem::path certificate; ///< PEM, leaf first; empty: we make one
  std::filesystem::path key;
  std::filesystem::path ca; ///< PEM; may be empty if the chain ends with its self-signed root
};

struct certificate_options {
  std::filesystem::path directory;
  std::string cira_name; ///< common name; AMT compares it with what it was told
  int cira_key_bits = 2048;
  std::vector<std::string> https_names; ///< host names and addresses; the first is the common name
  std::vector<std::string> bus_names;   ///< of the broker's server certificate
  std::string node_name;
  given_identity cira;
  given_identity https;
};

class certificates {
public:
  /// Loads, makes or renews. `now`: seconds since 1970.
  static result<certificates> open(const certificate_options& options, std::int64_t now);

  const identity& cira() const { return cira_; }
  /// What a machine must trust to open its tunnel; MPS's GET ciracert.
  const std::string& cira_root_pem() const { return cira_root_pem_; }
  /// Its private key, for the certificates that machines get from us; empty if the root was given.
  const std::string& cira_root_key_pem() const { return cira_root_key_pem_; }
  const identity& https() const { return https_; }
  /// Empty if a given HTTPS certificate came without its root.
  const std::string& https_root_pem() const { return https_root_pem_; }
  const identity& bus_server() const { return bus_server_; }
  const identity& bus_node() const { return bus_node_; }
  const std::string& bus_ca_pem() const { return bus_ca_.chain_pem; }
  const std::filesystem::path& bus_ca_path() const { return bus_ca_.certificate_path; }
  /// SHA-256 of the certificate that an agent pins when it enrols; lower-case hex.
  const std::string& site_fingerprint() const { return site_fingerprint_; }

  /// A client certificate for the bus, signed by bus-ca. The subject is ours to choose, never the
  /// requester's: "{tenant}/dev/{guid}".
  result<std::string> issue_bus_client(const std::string& common_name,
                                       const std::string& request_pem, std::int64_t now,
                                       int days) const;

private:
  identity cira_, https_, bus_ca_, bus_server_, bus_node_;
  std::string cira_root_pem_, cira_root_key_pem_, https_root_pem_, site_fingerprint_;
};

} // namespace outband::net
