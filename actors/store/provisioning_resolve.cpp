// What an activation reads: a profile with all that it names, and the domain of a machine.
#include "actors/store/connections.hpp"
#include "actors/store/pg_provisioning.hpp"
#include "actors/store/provisioning_rows.hpp"

#include <algorithm>

namespace outband::store {

namespace {

constexpr std::size_t max_suffixes = 16;

// One statement, lest a profile be seen with the configurations of a moment later. Each row: its
// kind, its priority, then its cells as text, filled up with nulls to the widest kind.
enum class part : std::uint8_t { profile = 1, cira, wifi, proxy, ieee8021x };
constexpr int first_cell = 2;

std::string part_of(part what, const std::string& priority, const object_shape& s,
                    const std::string& from, std::size_t width) {
  auto out = "select " + std::to_string(static_cast<int>(what)) + " as part, " + priority +
             " as priority, " + cell_list(s, "::text", true);
  for (auto i = s.cells.size(); i < width; ++i)
    out += ", null::text";
  return out + " from " + from;
}

std::string resolve_text() {
  const auto& p = object_rule<profile>::shape();
  const auto& c = object_rule<cira_config>::shape();
  const auto& w = object_rule<wireless_config>::shape();
  const auto& x = object_rule<proxy_config>::shape();
  const auto& i = object_rule<ieee8021x_config>::shape();
  const auto width =
      std::max({p.cells.size(), c.cells.size(), w.cells.size(), x.cells.size(), i.cells.size()});
  return "with p as materialized (select * from profile where tenant = $1::text and "
         "key = $2::text), "
         "l as materialized (select l.* from profile_wifi l join p on l.tenant = p.tenant and "
         "l.profile = p.key) " +
         part_of(part::profile, "0", p, "p o", width) + " union all " +
         part_of(part::cira, "0", c,
                 "cira_config o join p on o.tenant = p.tenant and o.key = p.cira_config", width) +
         " union all " +
         part_of(part::wifi, "l.priority", w,
                 "wireless_config o join l on o.tenant = l.tenant and o.key = l.wifi", width) +
         " union all " +
         part_of(part::proxy, "l.priority", x,
                 "proxy_config o join profile_proxy l on l.tenant = o.tenant and l.proxy = o.key "
                 "join p on l.tenant = p.tenant and l.profile = p.key",
                 width) +
         " union all " +
         part_of(part::ieee8021x, "0", i,
                 "ieee8021x_config o join p on o.tenant = p.tenant where o.key = p.ieee8021x or "
                 "o.key in (select w.ieee8021x from wireless_config w join l on "
                 "w.tenant = l.tenant and w.key = l.wifi)",
                 width) +
         " order by 1, 2, 3";
}
const statement resolve_sql{"resolve_profile", resolve_text()};

const statement find_domain_sql{
    "find_domain", "select " + cell_list(object_rule<domain>::shape(), "", true) +
                       " from unnest($2::text[]) with ordinality as w (suffix, n) join domain o on "
                       "o.tenant = $1::text and lower(o.suffix) = w.suffix order by w.n limit 1"};

const statement expiring_sql{
    "expiring_domains", "select o.tenant, " + cell_list(object_rule<domain>::shape(), "", false) +
                            " from domain o where o.expires > 0 and o.expires < $1::bigint "
                            "order by o.expires, o.tenant, o.key limit 10000"};

const statement notice_sql{"notice_expiry", R"(
update domain set noticed_expires = expires, noticed_days = $4::integer
where tenant = $1::text and key = lower($2::text) and expires = $3::bigint
  and (noticed_expires <> expires or noticed_days > $4::integer)
returning 1)"};

template <class T> stored<T> read_stored(const rows& r, int i) {
  const auto cells = static_cast<int>(object_rule<T>::shape().cells.size());
  return {object_rule<T>::read(r, i, first_cell), read_secrets(r, i, first_cell + 2 + cells)};
}

resolved_profile read_resolved(const rows& r) {
  resolved_profile out;
  for (int i = 0; i < r.size(); ++i) {
    const auto priority = static_cast<int>(r.number(i, 1));
    switch (static_cast<part>(r.number(i, 0))) {
    case part::profile:
      out.base = read_stored<profile>(r, i);
      break;
    case part::cira:
      out.cira = read_stored<cira_config>(r, i);
      break;
    case part::wifi:
      out.wifi.emplace_back(read_stored<wireless_config>(r, i), priority);
      break;
    case part::proxy:
      out.proxies.emplace_back(object_rule<proxy_config>::read(r, i, first_cell), priority);
      break;
    case part::ieee8021x: {
      auto one = read_stored<ieee8021x_config>(r, i);
      auto key = object_key(one.what.name);
      out.ieee8021x.emplace(std::move(key), std::move(one));
      break;
    }
    }
  }
  return out;
}

} // namespace

void pg_provisioning::resolve(tenant_key tenant, std::string profile_name,
                              answer<resolved_profile> cb) {
  params p;
  p.text(std::move(tenant)).text(object_key(profile_name));
  db_.submit(lane::asked, resolve_sql, std::move(p), false,
             answer_with<resolved_profile>(
                 std::move(cb), [profile_name](std::vector<rows>& r) -> result<resolved_profile> {
                   if (r[0].size() == 0)
                     return fail(problem::not_found, "there is no profile '" + profile_name + "'",
                                 "profileName");
                   return read_resolved(r[0]);
                 }));
}

void pg_provisioning::find_domain(tenant_key tenant, std::vector<std::string> suffixes,
                                  answer<stored<domain>> cb) {
  if (suffixes.size() > max_suffixes)
    return db_.post([cb = std::move(cb)] {
      cb(fail(problem::too_large, "there may be at most 16", "suffixes"));
    });
  for (auto& s : suffixes)
    s = object_key(s);
  params p;
  p.text(std::move(tenant)).texts(suffixes);
  db_.submit(lane::asked, find_domain_sql, std::move(p), false,
             answer_with<stored<domain>>(
                 std::move(cb), [](std::vector<rows>& r) -> result<stored<domain>> {
                   if (r[0].size() == 0)
                     return fail(problem::not_found, "there is no domain with this suffix",
                                 "domainSuffix");
                   const auto cells = object_rule<domain>::shape().cells.size();
                   return stored<domain>{object_rule<domain>::read(r[0], 0, 0),
                                         read_secrets(r[0], 0, static_cast<int>(2 + cells))};
                 }));
}

void pg_provisioning::expiring_domains(time_ms until,
                                       answer<std::vector<std::pair<tenant_key, domain>>> cb) {
  params p;
  p.number(until);
  db_.submit(lane::relaxed, expiring_sql, std::move(p), false,
             answer_with<std::vector<std::pair<tenant_key, domain>>>(
                 std::move(cb), [](std::vector<rows>& r) {
                   std::vector<std::pair<tenant_key, domain>> out;
                   for (int i = 0; i < r[0].size(); ++i)
                     out.emplace_back(r[0].text(i, 0), object_rule<domain>::read(r[0], i, 1));
                   return out;
                 }));
}

void pg_provisioning::notice_expiry(tenant_key tenant, std::string name, time_ms expires, int days,
                                    answer<bool> cb) {
  params p;
  p.text(tenant).text(std::move(name)).number(expires).number(std::int64_t{days});
  db_.submit(
      lane::durable, notice_sql, std::move(p), true,
      answer_with<bool>(std::move(cb), [](std::vector<rows>& r) { return r[0].size() == 1; }));
}

} // namespace outband::store
