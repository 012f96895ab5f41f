// Profiles, and their export for an rpc that works without a server.
#include "gateway/rest/admin_kind.hpp"

#include "gateway/rest/admin_parts.hpp"
#include "messages/domain/text.hpp"
#include "messages/provisioning/profile_export.hpp"

#include <openssl/rand.h>

namespace outband::rest {

namespace {

void prepare_change(const call_ptr& c, const std::shared_ptr<draft<profile>>& d,
                    const std::function<void()>& next) {
  if (auto why = refused_change(d->body, d->old.what, d->what))
    return rps_refuse(c, 400, "Error", *why, problem::malformed);
  next();
}

/// Opens what is stored; remembers the first failure.
class opener {
public:
  explicit opener(const call_ptr& c) : c_(c) {}

  std::string operator()(object_kind kind, const std::string& name, const sealed_fields& all,
                         const std::string& field) {
    auto at = all.find(field);
    if (at == all.end() || failed_)
      return {};
    auto text =
        c_->with().secrets->open_named(c_->tenant, secret_label(kind, name, field), at->second);
    if (text)
      return text->reveal();
    failed_ = text.error();
    return {};
  }
  const std::optional<failure>& failed() const { return failed_; }

private:
  call_ptr c_;
  std::optional<failure> failed_;
};

provisioning::exported_8021x exported(opener& open, const stored<ieee8021x_config>& i) {
  provisioning::exported_8021x out;
  out.protocol = i.what.protocol;
  out.pxe_timeout = i.what.pxe_timeout;
  out.username = i.what.username;
  out.ca_certificate = i.what.ca_certificate;
  out.password = open(object_kind::ieee8021x_config, i.what.name, i.secrets, "password");
  return out;
}

provisioning::exported_profile exported(opener& open, const resolved_profile& r) {
  provisioning::exported_profile out;
  out.what = r.base.what;
  auto of_base = [&](const char* field) {
    return open(object_kind::profile, r.base.what.name, r.base.secrets, field);
  };
  out.amt_password = of_base("amt_password");
  out.mebx_password = of_base("mebx_password");
  auto find = [&](const std::optional<std::string>& name) {
    return name ? r.ieee8021x.find(lower(*name)) : r.ieee8021x.end();
  };
  if (auto at = find(r.base.what.ieee8021x); at != r.ieee8021x.end())
    out.wired = exported(open, at->second);
  for (const auto& [w, priority] : r.wifi) {
    provisioning::exported_wifi one;
    one.config = w.what;
    one.priority = priority;
    one.passphrase = open(object_kind::wireless_config, w.what.name, w.secrets, "psk_passphrase");
    if (auto at = find(w.what.ieee8021x); at != r.ieee8021x.end())
      one.ieee8021x = exported(open, at->second);
    out.wifi.push_back(std::move(one));
  }
  if (r.cira)
    out.cira =
        provisioning::exported_cira{r.cira->what, open(object_kind::cira_config, r.cira->what.name,
                                                       r.cira->secrets, "mps_password")};
  for (const auto& [p, priority] : r.proxies)
    out.proxies.push_back(p);
  return out;
}

void answer_export(const call_ptr& c, const provisioning::exported_profile& p) {
  auto yaml = provisioning::profile_yaml(p);
  if (!yaml)
    return c->refuse(yaml.error());
  std::string random(provisioning::sealing_octets, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()),
                 static_cast<int>(random.size())) != 1)
    return c->refuse(fail(problem::internal, "The system has no random numbers."));
  auto sealed = provisioning::seal_profile(*yaml, random);
  if (!sealed)
    return c->refuse(sealed.error());
  c->record("profile.export", {}, json::object{{"profileName", p.what.name}});
  auto r = web::json_response(200, json::dump(json::object{{"filename", p.what.name + ".yaml"},
                                                           {"content", sealed->content},
                                                           {"key", sealed->key}}));
  r.headers.emplace_back("Cache-Control", "no-store");
  c->answer(std::move(r));
}

/// GET with ?domainName=D: the provisioning certificate of that domain goes along.
void export_profile(const call_ptr& c) {
  if (!provisions(c))
    return;
  const auto name = c->params.at(0);
  c->with().provisioning->resolve(c->tenant, name, [c, name](result<resolved_profile> r) {
    if (!r && r.error().what == problem::not_found)
      return rps_not_found(c, object_kind::profile, name);
    if (!r)
      return c->refuse(r.error());
    opener open(c);
    auto out = std::make_shared<provisioning::exported_profile>(exported(open, *r));
    if (open.failed())
      return c->refuse(*open.failed());
    const auto* domain_name = c->req.target.parameter("domainName");
    if (out->what.activation != activation_kind::admin_mode || !domain_name || domain_name->empty())
      return answer_export(c, *out);
    c->with().provisioning->domains().get(
        c->tenant, *domain_name, [c, out, asked = *domain_name](result<stored<domain>> d) {
          if (!d && d.error().what == problem::not_found)
            return rps_not_found(c, object_kind::domain, asked);
          if (!d)
            return c->refuse(d.error());
          opener open_domain(c);
          out->pfx = open_domain(object_kind::domain, d->what.name, d->secrets, "pfx");
          out->pfx_password =
              open_domain(object_kind::domain, d->what.name, d->secrets, "pfx_password");
          if (open_domain.failed())
            return c->refuse(*open_domain.failed());
          answer_export(c, *out);
        });
  });
}

} // namespace

void add_admin_profile_routes(router& r) {
  add_admin_kind<profile>(r, "profiles", {}, prepare_change);
  r.add("GET /api/v1/admin/profiles/export/{name}", dialect::mps, export_profile);
}

} // namespace outband::rest
