#include "messages/provisioning/certificate_check.hpp"

#include "messages/domain/time.hpp"
#include "messages/provisioning/domain_suffix.hpp"

#include <algorithm>

namespace outband::provisioning {

namespace {

constexpr std::size_t max_chain = 4;       ///< what the firmware takes
constexpr int always_refused_below = 2048; ///< bits of RSA, by every generation
constexpr time_ms day = 86'400'000;
constexpr std::size_t max_shown_suffix = 80;

using chain = std::vector<certificate>;

std::string quoted(std::string_view text) {
  std::string out(text.substr(0, max_shown_suffix));
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      c = '?';
  return "\"" + out + "\"";
}

std::string list(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& one : all)
    out += (out.empty() ? "" : ", ") + one;
  return out;
}

std::string day_of(time_ms t) {
  return to_rfc3339(t).substr(0, 10);
}

/// Collects; knows which certificate is spoken of.
class findings {
public:
  findings(const chain& c, certificate_report& to) : chain_(c), report_(to) {}

  void add(defect_kind what, bool blocks, std::string text) {
    report_.defects.push_back({what, blocks, std::move(text)});
  }

  /// "The leaf certificate (CN=...)", "The root certificate (...)", "Certificate 2 of 4 (...)"
  std::string name(std::size_t i) const {
    const auto& c = chain_[i];
    const std::string place = i == 0          ? "The leaf certificate"
                              : c.self_signed ? "The root certificate"
                                              : "Certificate " + std::to_string(i + 1) + " of " +
                                                    std::to_string(chain_.size());
    return place + " (" + c.subject + ")";
  }

private:
  const chain& chain_;
  certificate_report& report_;
};

void check_chain(const provisioning_certificate& p, const chain& c, findings& to) {
  if (const auto& last = c.back(); !last.self_signed) {
    const bool root_is_there = std::any_of(p.unrelated.begin(), p.unrelated.end(),
                                           [](const certificate& u) { return u.self_signed; });
    to.add(root_is_there ? defect_kind::chain_gap : defect_kind::no_root, true,
           root_is_there
               ? to.name(c.size() - 1) + " was issued by \"" + last.issuer +
                     "\", which the file lacks: a certificate is missing between it and the root."
               : "The chain ends without a root: " + to.name(c.size() - 1) + " was issued by \"" +
                     last.issuer + "\", which the file lacks.");
  }
  for (std::size_t i = 1; i < c.size(); ++i)
    if (!c[i].authority)
      to.add(defect_kind::not_authority, true,
             to.name(i) + " signed another one but is not an authority's.");
  if (c.size() > max_chain)
    to.add(defect_kind::too_many, true,
           "The chain has " + std::to_string(c.size()) +
               " certificates; AMT takes at most 4. Ask the issuer for a shorter chain.");
  if (!p.leaf_was_first)
    to.add(defect_kind::file_order, false,
           "The file does not begin with the leaf certificate. Outband puts the chain in order; "
           "RPS and rpc would not.");
  if (!p.unrelated.empty())
    to.add(defect_kind::unrelated, false,
           "The file has " + std::to_string(p.unrelated.size()) +
               " certificate(s) outside the chain, the first of them \"" +
               p.unrelated.front().subject + "\"; they are not used.");
}

void check_dates(const chain& c, time_ms now, findings& to) {
  for (std::size_t i = 0; i < c.size(); ++i) {
    if (now >= c[i].not_after)
      to.add(defect_kind::expired, true,
             to.name(i) + " expired on " + day_of(c[i].not_after) + ".");
    else if (now < c[i].not_before)
      to.add(defect_kind::not_yet_valid, true,
             to.name(i) + " is valid only from " + day_of(c[i].not_before) + " on.");
    else if (const auto notice = expiry_notice(c[i].not_after, now))
      to.add(defect_kind::expires_soon, false,
             to.name(i) + " expires on " + day_of(c[i].not_after) + ", within " +
                 std::to_string(*notice) + " days.");
  }
}

void check_usage(const chain& c, findings& to) {
  if (!c.front().amt_provisioning)
    to.add(defect_kind::no_amt_usage, true,
           to.name(0) +
               " is not for AMT: it has neither the extended key usage 2.16.840.1.113741.1.2.3 nor "
               "the unit \"Intel(R) Client Setup Certificate\".");
}

/// `about`: "AMT 22", or "AMT 22 and later" where no machine is asking.
void check_algorithms(const chain& c, const firmware_policy& p, const std::string& about,
                      bool blocks, findings& to) {
  for (std::size_t i = 0; i < c.size(); ++i) {
    const auto hash = c[i].signed_with;
    if (c[i].rsa && c[i].key_bits >= always_refused_below && c[i].key_bits < p.smallest_rsa)
      to.add(defect_kind::key_too_small, blocks,
             to.name(i) + " has an RSA key of " + std::to_string(c[i].key_bits) + " bits; " +
                 about + " needs at least " + std::to_string(p.smallest_rsa) + ".");
    if (p.needs_sha384 && hash != hash_kind::sha384)
      to.add(defect_kind::needs_sha384, blocks,
             to.name(i) + " is signed with " + std::string(to_string(hash)) + "; " + about +
                 " needs SHA-384.");
    else if (p.refuses_sha1 && (hash == hash_kind::sha1 || hash == hash_kind::md5))
      to.add(defect_kind::weak_hash, blocks,
             to.name(i) + " is signed with " + std::string(to_string(hash)) + ", which " + about +
                 " refuses.");
  }
}

/// What no generation takes.
void check_always(const chain& c, findings& to) {
  for (std::size_t i = 0; i < c.size(); ++i) {
    if (!c[i].rsa)
      to.add(defect_kind::not_rsa, true,
             to.name(i) + " has a key that is not RSA; AMT accepts only RSA.");
    else if (c[i].key_bits < always_refused_below)
      to.add(defect_kind::key_too_small, true,
             to.name(i) + " has an RSA key of " + std::to_string(c[i].key_bits) +
                 " bits; AMT needs at least 2048.");
  }
}

void check_suffix(const chain& c, std::string_view suffix, const char* whose, findings& to) {
  const auto& name = c.front().common_name;
  const auto fit = fits_suffix(name, suffix);
  if (fit == suffix_fit::good)
    return;
  const auto fitting = fitting_suffixes(name);
  const std::string would = fitting.empty()
                                ? " Its name is no host name, so that no suffix would fit."
                                : " It would fit: " + list(fitting) + ".";
  if (fit == suffix_fit::none)
    to.add(defect_kind::suffix_mismatch, true,
           std::string(whose) + " " + quoted(suffix) + " does not fit the certificate's name " +
               quoted(name) + "." + would);
  else
    to.add(defect_kind::suffix_likely, false,
           std::string(whose) + " " + quoted(suffix) +
               " only shares its end with the certificate's "
               "name " +
               quoted(name) + "; some firmware accepts that below .com and .net only.");
}

void check_root(const chain& c, const machine_facts& m, findings& to) {
  if (!c.back().self_signed)
    return; // said already
  if (m.root_hashes.empty()) {
    to.add(defect_kind::roots_unknown, false,
           "The machine told no hashes of trusted roots, so that it is not known whether it trusts "
           "this chain.");
    return;
  }
  const auto& prints = c.back().prints;
  if (is_among(prints, m.root_hashes))
    return;
  to.add(defect_kind::root_not_trusted, true,
         "The machine does not trust " + to.name(c.size() - 1) + ": none of its " +
             std::to_string(m.root_hashes.size()) + " hashes is " + prints.sha1 + " (SHA-1), " +
             prints.sha256 + " (SHA-256) or " + prints.sha384 + " (SHA-384).");
}

time_ms earliest_end(const chain& c) {
  return std::min_element(
             c.begin(), c.end(),
             [](const certificate& a, const certificate& b) { return a.not_after < b.not_after; })
      ->not_after;
}

certificate_report begin(const chain& c) {
  certificate_report r;
  r.expires = earliest_end(c);
  r.suffixes = fitting_suffixes(c.front().common_name);
  return r;
}

certificate_report finished(certificate_report r) {
  std::stable_sort(r.defects.begin(), r.defects.end(),
                   [](const defect& a, const defect& b) { return a.blocks && !b.blocks; });
  return r;
}

} // namespace

std::string_view code(defect_kind k) {
  switch (k) {
  case defect_kind::no_root:
    return "no-root";
  case defect_kind::chain_gap:
    return "chain-gap";
  case defect_kind::not_authority:
    return "not-authority";
  case defect_kind::file_order:
    return "file-order";
  case defect_kind::unrelated:
    return "unrelated";
  case defect_kind::too_many:
    return "too-many";
  case defect_kind::expired:
    return "expired";
  case defect_kind::not_yet_valid:
    return "not-yet-valid";
  case defect_kind::expires_soon:
    return "expires-soon";
  case defect_kind::not_rsa:
    return "not-rsa";
  case defect_kind::key_too_small:
    return "key-too-small";
  case defect_kind::weak_hash:
    return "weak-hash";
  case defect_kind::needs_sha384:
    return "needs-sha384";
  case defect_kind::unproven_sha384:
    return "unproven-sha384";
  case defect_kind::no_amt_usage:
    return "no-amt-usage";
  case defect_kind::suffix_mismatch:
    return "suffix-mismatch";
  case defect_kind::suffix_likely:
    return "suffix-likely";
  case defect_kind::suffix_unknown:
    return "suffix-unknown";
  case defect_kind::root_not_trusted:
    return "root-not-trusted";
  case defect_kind::roots_unknown:
    return "roots-unknown";
  }
  return "";
}

bool certificate_report::usable() const {
  return std::none_of(defects.begin(), defects.end(), [](const defect& d) { return d.blocks; });
}

bool certificate_report::has(defect_kind k) const {
  return std::any_of(defects.begin(), defects.end(), [&](const defect& d) { return d.what == k; });
}

std::string certificate_report::text() const {
  std::string out;
  for (const auto& d : defects)
    if (d.blocks || usable())
      out += (out.empty() ? "" : " ") + d.text;
  return out;
}

std::optional<int> expiry_notice(time_ms not_after, time_ms now) {
  if (now >= not_after)
    return 0;
  std::optional<int> smallest;
  for (const int days : expiry_notices)
    if (not_after - now <= days * day)
      smallest = days;
  return smallest;
}

certificate_report check_upload(const provisioning_certificate& c, std::string_view domain_suffix,
                                time_ms now) {
  const auto& chain = c.chains.front();
  auto report = begin(chain);
  findings to(chain, report);
  check_chain(c, chain, to);
  check_dates(chain, now, to);
  check_always(chain, to);
  check_usage(chain, to);
  check_suffix(chain, domain_suffix, "The domain suffix", to);
  check_algorithms(chain, policy_for("16"), "AMT 16 and later", false, to);
  const bool below_384 = std::any_of(chain.begin(), chain.end(), [](const certificate& one) {
    return one.signed_with != hash_kind::sha384;
  });
  const auto hardened = policy_for("22");
  const bool below_3072 = std::any_of(chain.begin(), chain.end(), [&](const certificate& one) {
    return one.rsa && one.key_bits < hardened.smallest_rsa;
  });
  // One sentence: every certificate that is bought today has it.
  if (below_384)
    to.add(defect_kind::needs_sha384, false,
           "AMT 22 and later will refuse this chain: not all of it is signed with SHA-384.");
  if (below_3072)
    to.add(defect_kind::key_too_small, false,
           "AMT 22 and later will refuse this chain: not all of its keys have 3072 bits.");
  return finished(std::move(report));
}

certificate_report check_for_machine(const provisioning_certificate& c, const machine_facts& m,
                                     time_ms now) {
  const auto& chain = c.chain_for(m.root_hashes);
  const auto policy = policy_for(m.version);
  const auto about = policy.major == 0 ? std::string("this machine's firmware")
                                       : "AMT " + std::to_string(policy.major);
  auto report = begin(chain);
  findings to(chain, report);
  check_chain(c, chain, to);
  check_dates(chain, now, to);
  check_always(chain, to);
  check_usage(chain, to);
  check_algorithms(chain, policy, about, true, to);
  if (!policy.verifies_sha384 && policy.major != 0 &&
      std::any_of(chain.begin(), chain.end(),
                  [](const certificate& one) { return one.signed_with == hash_kind::sha384; }))
    to.add(defect_kind::unproven_sha384, false,
           "The chain is signed with SHA-384, which is known to work from AMT 21 on; " + about +
               " may refuse it.");
  if (normal_suffix(m.dns_suffix).empty())
    to.add(
        defect_kind::suffix_unknown, false,
        "The machine told no DNS suffix (MEBx, or DHCP option 15 on the wired port); its firmware "
        "compares one with the certificate's name " +
            quoted(chain.front().common_name) + ".");
  else
    check_suffix(chain, m.dns_suffix, "The machine's DNS suffix", to);
  check_root(chain, m, to);
  return finished(std::move(report));
}

} // namespace outband::provisioning
