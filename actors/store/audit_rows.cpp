#include "actors/store/audit_rows.hpp"

#include "messages/bus/stored.hpp"
#include "messages/rest/json.hpp"

namespace outband::store {

namespace {

// Tenant by tenant, along the index that lists are read by.
const statement sweep_sql{"sweep_audit", R"(
with old as materialized (
  select x.tenant, x.id
  from (select key from tenant union all select '-') t cross join lateral (
    select a.tenant, a.id from audit a
    where a.tenant = t.key and a.at < $1::bigint
    order by a.at, a.id limit $2::bigint
  ) x limit $2::bigint
),
gone as (
  delete from audit a using old where a.tenant = old.tenant and a.id = old.id returning 1
)
select count(*) from gone)"};
constexpr std::int64_t sweep_batch = 5'000;
constexpr time_ms day_length = 86'400'000;

} // namespace

std::string audit_columns(bool whole) {
  return "a.tenant, a.id, a.at, a.act, a.guid, a.asked_by, a.channel, a.node, a.address, "
         "a.argument, a.argument_hash, a.deadline, "
         "case when a.status = 'asked' and a.deadline > 0 and a.deadline + " +
         std::to_string(audit_grace) + " < now_ms() then 'unknown' else a.status end, " +
         "a.code, a.words, a.return_value, " + (whole ? "a.document" : "''::bytea") +
         ", a.finished_at, a.count";
}

audit_row read_audit(const rows& from, int row, int first) {
  audit_row r;
  auto& e = r.entry;
  e.tenant = from.text(row, first);
  e.id = from.id(row, first + 1);
  r.at = from.number(row, first + 2);
  e.act = from.text(row, first + 3);
  if (!from.is_null(row, first + 4))
    e.device = from.id(row, first + 4);
  e.by = from.text(row, first + 5);
  e.channel = from.text(row, first + 6);
  e.node = from.text(row, first + 7);
  e.address = from.text(row, first + 8);
  e.argument = from.text(row, first + 9);
  e.argument_hash = from.text(row, first + 10);
  e.deadline = from.number(row, first + 11);
  auto& o = r.outcome;
  o.status = parse_audit_status(from.view(row, first + 12)).value_or(audit_status::unknown);
  o.code = from.text(row, first + 13);
  o.text = from.text(row, first + 14);
  if (!from.is_null(row, first + 15))
    o.return_value = static_cast<std::uint32_t>(from.number(row, first + 15));
  o.document = from.octets(row, first + 16);
  r.finished = from.number(row, first + 17);
  r.count = from.count(row, first + 18);
  return r;
}

std::string storable(std::string_view text, std::size_t limit) {
  std::string out;
  out.reserve(std::min(text.size(), limit));
  while (!text.empty()) {
    const auto n = json::utf8_sequence(text);
    const bool plain =
        n > 1 || (n == 1 && static_cast<unsigned char>(text[0]) >= 0x20 && text[0] != 0x7F);
    if (out.size() + (plain ? n : 1) > limit)
      break;
    if (plain)
      out.append(text.substr(0, n));
    else
      out += ' ';
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

audit_outcome stored_outcome(const command_row& c) {
  audit_outcome o;
  if (!c.outcome.empty())
    if (auto r = bus::unpack_response(c.outcome))
      o = outcome_of(*r);
  o.code = storable(o.code, 64);
  o.text = storable(o.text, max_audit_words);
  return o;
}

void audit_broom::written(time_ms now) {
  const auto day = now / day_length;
  if (day == day_)
    return;
  day_ = day;
  sweep(now - std::chrono::duration_cast<std::chrono::milliseconds>(keep_).count());
}

void audit_broom::sweep(time_ms before) {
  params p;
  p.number(before).number(sweep_batch);
  db_.submit(lane::relaxed, sweep_sql, std::move(p), true,
             [me = shared_from_this(), before](reply r) {
               // What fails is tried again with the next day.
               if (auto* got = std::get_if<std::vector<rows>>(&r);
                   got && (*got)[0].number(0, 0) == sweep_batch)
                 me->sweep(before);
             });
}

} // namespace outband::store
