// Domains: a provisioning certificate is opened and judged before it is stored, and again for a
// certain machine when somebody asks.
#include "gateway/rest/admin_kind.hpp"
#include "gateway/rest/admin_parts.hpp"
#include "messages/provisioning/certificate_check.hpp"
#include "messages/provisioning/domain_suffix.hpp"

namespace outband::rest {

namespace {

using provisioning::certificate_report;
using provisioning::defect_kind;
using provisioning::provisioning_certificate;

constexpr const char* cannot_open =
    "Unable to decrypt provisioning certificate. Please check that the password is correct, and "
    "that the certificate is a valid certificate.";

/// Opening a PFX takes up to a second: not on an I/O thread.
void heavy(const call_ptr& c, std::function<void()> work) {
  const auto& elsewhere = c->with().heavy;
  if (!elsewhere)
    return work();
  if (!elsewhere(std::move(work)))
    c->refuse(fail(problem::busy, "Too many certificates are being opened at this moment."));
}

/// RPS's words where it has some; else ours.
std::string rps_words(const provisioning::defect& d) {
  switch (d.what) {
  case defect_kind::suffix_mismatch:
    return "FQDN not associated with provisioning certificate";
  case defect_kind::expired:
    return "Uploaded certificate has expired";
  case defect_kind::no_root:
    return "Provisioning certificate does not contain a root certificate";
  case defect_kind::chain_gap:
    return "Certificate chain is broken: cannot find issuer for a certificate in the chain";
  case defect_kind::no_amt_usage:
    return "Leaf certificate is missing the Intel AMT Activation EKU OID "
           "(2.16.840.1.113741.1.2.3)";
  case defect_kind::not_authority:
  case defect_kind::file_order:
  case defect_kind::unrelated:
  case defect_kind::too_many:
  case defect_kind::not_yet_valid:
  case defect_kind::expires_soon:
  case defect_kind::not_rsa:
  case defect_kind::key_too_small:
  case defect_kind::weak_hash:
  case defect_kind::needs_sha384:
  case defect_kind::unproven_sha384:
  case defect_kind::suffix_likely:
  case defect_kind::suffix_unknown:
  case defect_kind::root_not_trusted:
  case defect_kind::roots_unknown:
    break;
  }
  return d.text;
}

/// Opens and judges what will be stored; refuses, or sets the date of its end and goes on.
void judge(const call_ptr& c, const std::shared_ptr<draft<domain>>& d, const std::string& pfx,
           const std::string& password, const std::function<void()>& next) {
  auto opened = provisioning::open_pfx_base64(pfx, password);
  if (!opened)
    return c->refuse(std::vector<field_error>{
        {std::nullopt, "provisioningCert", "body", opened.error().detail, cannot_open}});
  const auto report = provisioning::check_upload(*opened, d->what.suffix, c->with().clock->now());
  std::vector<field_error> errors;
  for (const auto& one : report.defects)
    if (one.blocks)
      errors.push_back({std::nullopt, "provisioningCert", "body", one.text, rps_words(one)});
  if (!errors.empty())
    return c->refuse(errors);
  d->what.expires = report.expires;
  next();
}

void prepare_new(const call_ptr& c, const std::shared_ptr<draft<domain>>& d,
                 const std::function<void()>& next) {
  heavy(c, [c, d, next] { judge(c, d, d->secrets["pfx"], d->secrets["pfx_password"], next); });
}

/// The same checks for what is left of the stored one, wherever one of the three has changed.
void prepare_change(const call_ptr& c, const std::shared_ptr<draft<domain>>& d,
                    const std::function<void()>& next) {
  const bool judged = !d->secrets.empty() || d->what.suffix != d->old.what.suffix;
  if (!judged)
    return next();
  heavy(c, [c, d, next] {
    plain_secrets now = d->secrets;
    for (const char* field : {"pfx", "pfx_password"}) {
      auto at = d->old.secrets.find(field);
      if (now.count(field) != 0 || at == d->old.secrets.end())
        continue;
      auto text = c->with().secrets->open_named(
          c->tenant, secret_label(object_kind::domain, d->what.name, field), at->second);
      if (!text)
        return c->refuse(text.error());
      now[field] = text->reveal();
    }
    judge(c, d, now["pfx"], now["pfx_password"], next);
  });
}

// -- GET domains/{name}/check ---------------------------------------------------------------------

json::array chain_json(const provisioning_certificate& p) {
  json::array out;
  for (const auto& one : p.chains.front())
    out.push_back(json::object{{"subject", one.subject},
                               {"issuer", one.issuer},
                               {"notBefore", iso_time(one.not_before)},
                               {"notAfter", iso_time(one.not_after)},
                               {"keyBits", one.key_bits},
                               {"hash", provisioning::to_string(one.signed_with)},
                               {"sha256", one.prints.sha256}});
  return out;
}

struct checked_machine {
  device_id guid;
  provisioning::machine_facts facts;
};

json::value check_json(const domain& d, const provisioning_certificate& p,
                       const certificate_report& report,
                       const std::optional<checked_machine>& machine, time_ms now) {
  json::array defects;
  for (const auto& one : report.defects)
    defects.push_back(json::object{
        {"code", provisioning::code(one.what)}, {"blocks", one.blocks}, {"text", one.text}});
  json::value about;
  if (machine)
    about = json::object{{"guid", to_string(machine->guid)},
                         {"version", machine->facts.version},
                         {"dnsSuffix", machine->facts.dns_suffix}};
  const auto notice = provisioning::expiry_notice(report.expires, now);
  return json::object{{"profileName", d.name},
                      {"domainSuffix", d.suffix},
                      {"usable", report.usable()},
                      {"expirationDate", iso_time(report.expires)},
                      {"expiryNotice", notice ? json::value(*notice) : json::value()},
                      {"suffixes", json::array(report.suffixes.begin(), report.suffixes.end())},
                      {"defects", std::move(defects)},
                      {"chain", chain_json(p)},
                      {"device", std::move(about)}};
}

void answer_check(const call_ptr& c, const stored<domain>& d,
                  const std::optional<checked_machine>& machine) {
  auto secret = [&](const char* field) -> result<secret_text> {
    auto at = d.secrets.find(field);
    if (at == d.secrets.end())
      return fail(problem::internal, "The domain's certificate is not stored.", field);
    return c->with().secrets->open_named(
        c->tenant, secret_label(object_kind::domain, d.what.name, field), at->second);
  };
  auto pfx = secret("pfx"), password = secret("pfx_password");
  if (!pfx || !password)
    return c->refuse(pfx ? password.error() : pfx.error());
  auto opened = provisioning::open_pfx_base64(pfx->reveal(), password->reveal());
  if (!opened)
    return c->refuse(opened.error());
  const auto now = c->with().clock->now();
  auto report = machine ? provisioning::check_for_machine(*opened, machine->facts, now)
                        : provisioning::check_upload(*opened, d.what.suffix, now);
  c->answer(200, check_json(d.what, *opened, report, machine, now));
}

/// What the registration says of the machine, as rpc told it.
checked_machine machine_of(const device_record& r) {
  checked_machine out;
  out.guid = r.ref.device;
  out.facts.dns_suffix = r.dns_suffix.value_or("");
  if (auto info = json::parse(r.device_info))
    if (const auto* v = info->find("fwVersion"); v && v->text())
      out.facts.version = v->text()->substr(0, 64);
  return out;
}

void check(const call_ptr& c) {
  if (!provisions(c))
    return;
  const auto name = c->params.at(0);
  c->with().provisioning->domains().get(c->tenant, name, [c, name](result<stored<domain>> d) {
    if (!d && d.error().what == problem::not_found)
      return rps_not_found(c, object_kind::domain, name);
    if (!d)
      return c->refuse(d.error());
    auto with = [c, d = *d](std::optional<checked_machine> machine) {
      heavy(c, [c, d, machine = std::move(machine)] { answer_check(c, d, machine); });
    };
    const auto* asked = c->req.target.parameter("device");
    if (!asked)
      return with(std::nullopt);
    auto guid = parse_uuid(*asked);
    if (!guid)
      return c->refuse(fail(problem::malformed, "must be a GUID", "device"));
    c->with().store->get_device({c->tenant, *guid}, [c, with](result<device_record> r) {
      if (!r && r.error().what == problem::not_found)
        return c->refuse(fail(problem::not_found, "There is no such device.", "device"));
      if (!r)
        return c->refuse(r.error());
      with(machine_of(*r));
    });
  });
}

} // namespace

void add_admin_domain_routes(router& r) {
  add_admin_kind<domain>(r, "domains", prepare_new, prepare_change);
  r.add("GET /api/v1/admin/domains/{name}/check", dialect::mps, check);
}

} // namespace outband::rest
