#include "actors/store/migrations/0004_audit.hpp"

namespace outband::store {

const std::string_view schema_0004 = R"sql(
-- Who asked what, and what came of it. No reference to device or tenant: the trail outlives them,
-- and names machines that do not exist. tenant '-': the site. Unlike elsewhere, `at` is this
-- server's clock: it orders pages, together with the id.
create table audit (
  tenant        text collate "C" not null,
  id            uuid not null,
  at            bigint not null,
  act           text collate "C" not null,
  guid          uuid,
  asked_by      text collate "C" not null,
  channel       text not null,
  node          text not null,
  address       text not null,
  argument      text not null default '',
  argument_hash text not null,
  deadline      bigint not null,
  status        text not null check
    (status in ('asked', 'done', 'failed', 'rejected', 'expired', 'unknown')),
  code          text not null default '',
  words         text not null default '',
  return_value  bigint,
  document      bytea not null default '',
  finished_at   bigint not null default 0,
  count         bigint not null default 1,
  primary key (tenant, id)
) with (fillfactor = 90);
create index audit_time on audit (tenant, at, id);
create index audit_device on audit (tenant, guid, at, id) where guid is not null;
create index audit_by on audit (tenant, asked_by, at, id);
create index audit_act on audit (tenant, act, at, id);
create index audit_not_done on audit (tenant, at, id) where status <> 'done';
)sql";

} // namespace outband::store
