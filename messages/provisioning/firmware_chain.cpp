#include "messages/provisioning/firmware_chain.hpp"

#include "messages/domain/text.hpp"
#include "messages/domain/time.hpp"
#include "messages/provisioning/openssl_raii.hpp"

#include <openssl/err.h>

#include <algorithm>

namespace outband::provisioning {

namespace {

constexpr std::size_t max_chain = 10; ///< machines show 4 to 6
constexpr std::string_view leaf_names[] = {"AMT RCFG", "iAMT CSME IDevID RCFG"};

// A fact, not code: the certificate that Intel publishes for everybody to check against.
constexpr std::string_view ondie_root_pem = R"(-----BEGIN CERTIFICATE-----
MIICujCCAj6gAwIBAgIUPLLiHTrwySRtWxR4lxKLlu7MJ7wwDAYIKoZIzj0EAwMF
ADCBiTELMAkGA1UEBgwCVVMxCzAJBgNVBAgMAkNBMRQwEgYDVQQHDAtTYW50YSBD
bGFyYTEaMBgGA1UECgwRSW50ZWwgQ29ycG9yYXRpb24xIzAhBgNVBAsMGk9uRGll
IENBIFJvb3QgQ2VydCBTaWduaW5nMRYwFAYDVQQDDA13d3cuaW50ZWwuY29tMB4X
DTE5MDQwMzAwMDAwMFoXDTQ5MTIzMTIzNTk1OVowgYkxCzAJBgNVBAYMAlVTMQsw
CQYDVQQIDAJDQTEUMBIGA1UEBwwLU2FudGEgQ2xhcmExGjAYBgNVBAoMEUludGVs
IENvcnBvcmF0aW9uMSMwIQYDVQQLDBpPbkRpZSBDQSBSb290IENlcnQgU2lnbmlu
ZzEWMBQGA1UEAwwNd3d3LmludGVsLmNvbTB2MBAGByqGSM49AgEGBSuBBAAiA2IA
BK8SfB2UflvXZqb5Kc3+lokrABHWazvNER2axPURP64HILkXChPB0OEX5hLB7Okw
7Dy6oFqB5tQVDupgfvUX/SgYBEaDdG5rCVFrGAis6HX5TA2ewQmj14r2ncHBgnpp
B6NjMGEwHwYDVR0jBBgwFoAUtFjJ9uQIQKPyWMg5eG6ujgqNnDgwDwYDVR0TAQH/
BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYEFLRYyfbkCECj8ljIOXhu
ro4KjZw4MAwGCCqGSM49BAMDBQADaAAwZQIxAP9B4lFF86uvpHmkcp61cWaU565a
yE3p7ezu9haLE/lPLh5hFQfmTi1nm/sG3JEXMQIwNpKfHoDmUTrUyezhhfv3GG+1
CqBXstmCYH40buj9jKW3pHWc71s9arEmPWli7I8U
-----END CERTIFICATE-----
)";

failure refuse(std::string why) {
  return fail(problem::unauthenticated, std::move(why), "certificate");
}

std::string name(const std::vector<certificate>& chain, std::size_t i) {
  return "certificate " + std::to_string(i + 1) + " of " + std::to_string(chain.size()) + " (" +
         chain[i].subject + ")";
}

/// By the key alone: what a chip's issuers call each other is its maker's affair.
bool signed_by(const certificate& child, const certificate& parent) {
  const auto c = ossl::parse_der(child.der);
  const auto p = ossl::parse_der(parent.der);
  auto* const key = p ? X509_get0_pubkey(p.get()) : nullptr;
  const bool fits = c && key != nullptr && X509_verify(c.get(), key) == 1;
  ERR_clear_error();
  return fits;
}

result<std::vector<certificate>> read(const std::vector<std::string>& chain) {
  if (chain.empty())
    return refuse("the machine shows no certificate");
  if (chain.size() > max_chain)
    return refuse("the machine shows more than 10 certificates");
  std::vector<certificate> out;
  for (const auto& der : chain) {
    auto one = read_certificate(der);
    if (!one)
      return refuse("certificate " + std::to_string(out.size() + 1) + " of " +
                    std::to_string(chain.size()) + " cannot be read");
    out.push_back(std::move(*one));
  }
  return out;
}

status check_dates(const std::vector<certificate>& chain, std::size_t i, time_ms now) {
  if (now < chain[i].not_before)
    return refuse(name(chain, i) + " is valid only from " + to_rfc3339(chain[i].not_before) +
                  " on");
  if (now >= chain[i].not_after)
    return refuse(name(chain, i) + " expired on " + to_rfc3339(chain[i].not_after));
  return success();
}

} // namespace

const certificate& intel_ondie_root() {
  static const certificate root = [] {
    auto read_one = read_certificate(ondie_root_pem);
    return read_one ? std::move(*read_one) : certificate{}; // empty: nothing chains to it
  }();
  return root;
}

result<certificate> check_firmware_chain(const std::vector<std::string>& chain,
                                         const std::vector<certificate>& roots, time_ms now) {
  auto shown = read(chain);
  if (!shown)
    return shown.error();
  const auto& all = *shown;
  if (std::find(std::begin(leaf_names), std::end(leaf_names), all[0].common_name) ==
      std::end(leaf_names))
    return refuse(name(all, 0) + " is not that of unconfigured AMT");
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (auto ok = check_dates(all, i, now); !ok)
      return ok.error();
    if (i == 0)
      continue;
    if (!all[i].authority)
      return refuse(name(all, i) + " is not an authority's");
    if (!signed_by(all[i - 1], all[i]))
      return refuse(name(all, i - 1) + " was not signed by the next one");
  }
  for (const auto& root : roots)
    if (!root.der.empty() && (root.der == all.back().der || signed_by(all.back(), root)))
      return std::move(shown->front());
  return refuse(name(all, all.size() - 1) + " leads to no trusted root");
}

result<certificate> check_site_chain(const std::vector<std::string>& chain, const site_trust& trust,
                                     time_ms now) {
  auto shown = read(chain);
  if (!shown)
    return shown.error();
  const auto& all = *shown;
  std::string pinned(trust.pinned_sha256);
  for (auto& c : pinned)
    c = ascii_lower(c);
  if (!pinned.empty() && pinned == all[0].prints.sha256)
    return std::move(shown->front());
  if (std::none_of(trust.authorities.begin(), trust.authorities.end(),
                   [&](const certificate& ca) { return issued_by(all[0], ca); }))
    return refuse(name(all, 0) + " was not issued by this site");
  if (auto ok = check_dates(all, 0, now); !ok)
    return ok.error();
  if (!trust.common_name.empty() && trust.common_name != all[0].common_name)
    return refuse(name(all, 0) + " is another machine's");
  return std::move(shown->front());
}

} // namespace outband::provisioning
