#include "gateway/activation/trust.hpp"

#include "messages/provisioning/firmware_chain.hpp"

namespace outband::activation {

namespace {

/// Every certificate of a PEM text.
result<std::vector<provisioning::certificate>> read_all(const std::string& pem,
                                                        std::string_view what) {
  static constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  std::vector<provisioning::certificate> out;
  for (auto at = pem.find(begin); at != std::string::npos;) {
    const auto next = pem.find(begin, at + begin.size());
    auto one = provisioning::read_certificate(std::string_view(pem).substr(at, next - at));
    if (!one)
      return fail(problem::internal, std::string(what) + " cannot be read");
    out.push_back(std::move(*one));
    at = next;
  }
  return out;
}

} // namespace

status judge(const firmware_pin& pin, const std::vector<std::string>& chain,
             const std::string& more_roots_pem, time_ms now) {
  switch (pin.how) {
  case firmware_trust::self_made:
    return chain.empty() ? status{fail(problem::unauthenticated, "the firmware shows none")}
                         : success();
  case firmware_trust::on_die: {
    auto roots = read_all(more_roots_pem, "a root besides Intel's");
    if (!roots)
      return roots.error();
    roots->push_back(provisioning::intel_ondie_root());
    auto leaf = provisioning::check_firmware_chain(chain, *roots, now);
    return leaf ? success() : status{leaf.error()};
  }
  case firmware_trust::pinned: {
    auto authorities = read_all(pin.ca_pem, "the site's own authority");
    if (!authorities)
      return authorities.error();
    provisioning::site_trust trust;
    trust.pinned_sha256 = pin.leaf_sha256;
    // A pin alone is exact; the authority then vouches for nothing else.
    if (pin.leaf_sha256.empty())
      trust.authorities = std::move(*authorities);
    auto leaf = provisioning::check_site_chain(chain, trust, now);
    return leaf ? success() : status{leaf.error()};
  }
  }
  return fail(problem::internal);
}

} // namespace outband::activation
