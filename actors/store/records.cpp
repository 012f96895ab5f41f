#include "actors/store/records.hpp"

#include <cstdlib>

namespace outband::store {

const char* const record_columns = R"(
d.tenant, d.guid, d.hostname, d.friendly_name, d.dns_suffix, d.tags, d.mps_username,
case when d.amt_username = '' then 'admin' else d.amt_username end, d.device_info, d.created,
l.state = 'up', case when l.state = 'up' then l.instance else '' end,
l.last_connected, l.last_disconnected, l.last_seen,
(select array[c.host, c.port::text, c.tls::text, c.legacy_tls::text] || c.pins from direct c
 where c.tenant = d.tenant and c.guid = d.guid))";

device_record read_record(const rows& from, int row) {
  device_record r;
  r.ref = {from.text(row, 0), from.id(row, 1)};
  r.hostname = from.text(row, 2);
  r.friendly_name = from.maybe_text(row, 3);
  r.dns_suffix = from.maybe_text(row, 4);
  r.tags = from.texts(row, 5);
  r.mps_username = from.text(row, 6);
  r.amt_username = from.text(row, 7);
  r.device_info = from.text(row, 8);
  r.created = from.number(row, 9);
  r.connected = from.flag(row, 10);
  r.instance = from.text(row, 11);
  r.last_connected = from.number(row, 12);
  r.last_disconnected = from.number(row, 13);
  r.last_seen = from.number(row, 14);
  if (auto how = from.texts(row, 15); how.size() >= 4)
    r.direct = direct_connection{how[0], static_cast<std::uint16_t>(std::atoi(how[1].c_str())),
                                 how[2] == "true", how[3] == "true",
                                 std::vector<std::string>(how.begin() + 4, how.end())};
  return r;
}

std::string command_columns(const std::string& prefix) {
  std::string out;
  for (auto name : {"tenant", "guid", "id", "act", "argument_hash", "argument", "asked_by",
                    "channel", "status", "dispatched", "outcome", "deadline", "created"}) {
    if (!out.empty())
      out += ", ";
    out += prefix + name;
  }
  return out;
}

command_row read_command(const rows& from, int row, int first) {
  command_row c;
  c.ref = {from.text(row, first), from.id(row, first + 1)};
  c.id = from.id(row, first + 2);
  c.act = from.text(row, first + 3);
  c.argument_hash = from.text(row, first + 4);
  c.argument = from.octets(row, first + 5);
  c.by = from.text(row, first + 6);
  c.channel = from.text(row, first + 7);
  c.status = parse_request_status(from.view(row, first + 8)).value_or(request_status::unknown);
  c.dispatched = from.flag(row, first + 9);
  c.outcome = from.octets(row, first + 10);
  c.deadline = from.number(row, first + 11);
  c.created = from.number(row, first + 12);
  return c;
}

status check_tenant(const tenant_key& key) {
  if (valid_tenant_key(key))
    return success();
  return fail(problem::not_found, "there is no such tenant", "tenant");
}

status check_text(std::string_view value, std::string_view field, std::size_t limit) {
  if (value.size() <= limit)
    return success();
  return fail(problem::too_large, "may have at most " + std::to_string(limit) + " octets",
              std::string(field));
}

status check_tags(const std::vector<std::string>& tags) {
  if (tags.size() > max_tags)
    return fail(problem::too_large, "there may be at most 64 tags", "tags");
  for (std::size_t i = 0; i < tags.size(); ++i)
    if (auto ok = check_text(tags[i], "tags[" + std::to_string(i) + "]", max_tag); !ok)
      return ok;
  return success();
}

status check_messages(const std::vector<bus::outgoing>& messages) {
  if (messages.size() > max_messages)
    return fail(problem::too_large, "too many messages in one transaction", "publish");
  for (const auto& m : messages) {
    if (auto ok = check_text(m.topic, "publish.topic", 1024); !ok)
      return ok;
    if (auto ok = check_text(m.payload, "publish.payload", max_document); !ok)
      return ok;
  }
  return success();
}

failure no_device(const device_ref& ref) {
  return fail(problem::not_found,
              "there is no device " + to_string(ref.device) + " in tenant '" + ref.tenant + "'");
}

failure tenant_leaves(std::string field) {
  return fail(problem::transition_refused,
              "the tenant is being removed: nothing can be added to it any more", std::move(field));
}

failure not_controller(std::uint64_t fence) {
  return fail(problem::stale_controller, "epoch " + std::to_string(fence) +
                                             " of the controller's lease is over; nothing was "
                                             "written");
}

result<params> page_after(const std::string& after, std::size_t limit) {
  std::string tenant;
  uuid guid;
  if (!after.empty()) {
    auto slash = after.find('/');
    auto parsed = slash == std::string::npos
                      ? std::nullopt
                      : parse_uuid(std::string_view(after).substr(slash + 1));
    if (!parsed || !valid_tenant_key(std::string_view(after).substr(0, slash)))
      return fail(problem::malformed, "must be \"tenant/guid\", the last row of a page", "after");
    tenant = after.substr(0, slash);
    guid = *parsed;
  }
  if (limit > max_page)
    return fail(problem::too_large, "at most 10,000 rows per page", "limit");
  params p;
  p.text(tenant).id(guid).number(static_cast<std::int64_t>(limit));
  return p;
}

std::vector<device_ref> read_refs(const rows& from) {
  std::vector<device_ref> out;
  out.reserve(static_cast<std::size_t>(from.size()));
  for (int i = 0; i < from.size(); ++i)
    out.push_back({from.text(i, 0), from.id(i, 1)});
  return out;
}

failure unreadable(const device_ref& ref, std::string_view column, const failure& why) {
  return fail(problem::internal, "the stored " + std::string(column) + " of " + to_string(ref) +
                                     " cannot be read: " + to_string(why));
}

std::string fence_cte(int number) {
  return R"(
fence as materialized (
  select c.epoch from controller c
  where c.id = 1 and c.epoch = $)" +
         std::to_string(number) + R"(::bigint for key share
),)";
}

std::string publish_ctes(const std::string& gate, int first) {
  auto p = [first](int i) {
    return "$" + std::to_string(first + i);
  };
  // The ids of one statement ascend in the order of the messages; those of one device ascend in
  // the order of commits, because every gate locks the device's row.
  return R"(
msg as materialized (
  select m.* from )" +
         gate + ", unnest(" + p(0) + "::text[], " + p(1) + "::bytea[], " + p(2) + "::text[], " +
         p(3) + "::boolean[], " + p(4) + R"(::bigint[])
    with ordinality as m (topic, payload, content_type, retain, expiry_s, ord)
),)" + publish_ctes_of_msg(first + 5);
}

std::string publish_ctes_of_msg(int token) {
  return R"(
queued as (
  insert into outbox (topic, payload, content_type, retain, expiry_s, created)
  select topic, payload, content_type, retain, expiry_s, now_ms() from msg order by ord
),
newest as (
  select distinct on (topic) topic, payload, content_type from msg where retain
  order by topic, ord desc
),
kept as (
  insert into retained as r (topic, payload, content_type, updated_at)
  select topic, payload, content_type, now_ms() from newest where octet_length(payload) > 0
  on conflict (topic) do update set
    payload = excluded.payload, content_type = excluded.content_type,
    updated_at = excluded.updated_at
),
gone as (
  delete from retained r using newest n where r.topic = n.topic and octet_length(n.payload) = 0
),
published as (
  select pg_notify('outband_outbox', $)" +
         std::to_string(token) + "::text) from (select 1 from msg limit 1) any_message)";
}

void add_messages(params& to, const std::vector<bus::outgoing>& messages,
                  const std::string& token) {
  std::vector<std::string> topics, payloads, types;
  std::vector<bool> retain;
  std::vector<std::optional<std::int64_t>> expiry;
  for (const auto& m : messages) {
    topics.push_back(m.topic);
    payloads.push_back(m.payload);
    types.push_back(m.content_type);
    retain.push_back(m.retain);
    expiry.push_back(m.expiry ? std::optional<std::int64_t>(m.expiry->count()) : std::nullopt);
  }
  to.texts(topics).octets_list(payloads).texts(types).flags(retain).numbers(expiry).text(token);
}

} // namespace outband::store
