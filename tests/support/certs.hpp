/// A certificate authority for tests: P-256 keys, valid from an hour ago for a day.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace outband::test {

struct key_and_certificate {
  std::string key_pem; ///< PKCS #8
  std::string certificate_pem;
};

struct leaf_options {
  std::string common_name;            ///< empty: the subject has none
  std::vector<std::string> dns_names; ///< subject alternative names
  std::vector<std::string> ip_names;  ///< textual IPv4 or IPv6
  bool server = false;
  bool client = false;
  int rsa_bits = 0;         ///< 0: P-256
  int valid_from_s = -3600; ///< from now; both may be negative for an expired one
  int valid_to_s = 86400;
};

class certificate_authority {
public:
  explicit certificate_authority(const std::string& common_name = "Outband test CA");
  ~certificate_authority();
  certificate_authority(const certificate_authority&) = delete;
  certificate_authority& operator=(const certificate_authority&) = delete;

  const std::string& certificate_pem() const { return certificate_pem_; }
  /// For one that signs further things itself (enrolment).
  const std::string& key_pem() const { return key_pem_; }
  key_and_certificate issue(const leaf_options& leaf) const;
  /// A server for localhost and 127.0.0.1.
  key_and_certificate issue_server() const;
  key_and_certificate issue_client(const std::string& common_name) const;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
  std::string certificate_pem_, key_pem_;
};

} // namespace outband::test
