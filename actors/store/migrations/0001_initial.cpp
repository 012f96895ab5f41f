#include "actors/store/migrations/0001_initial.hpp"

namespace outband::store {

// Texts that are compared or paged through are collated "C": the order of octets, the same on
// every server, whatever its locale. Times are milliseconds UTC.
const std::string_view schema_0001 = R"sql(
create function now_ms() returns bigint language sql volatile parallel safe as
  $$ select (extract(epoch from clock_timestamp()) * 1000)::bigint $$;

create table tenant (
  key          text collate "C" primary key check (key ~ '^[a-z0-9-]{1,20}$'),
  display_name text not null,
  project_id   text not null default '',
  created      bigint not null
);
create unique index tenant_project on tenant (project_id) where project_id <> '';

create table account (
  name          text collate "C" primary key,
  password_hash text not null,
  site_admin    boolean not null default false,
  created       bigint not null
);
create table account_role (
  account text collate "C" not null references account (name) on delete cascade,
  tenant  text collate "C" not null references tenant (key),
  role    text not null check (role in ('viewer', 'operator', 'admin')),
  primary key (account, tenant)
);
create index account_role_tenant on account_role (tenant);

-- A GUID belongs to one tenant on the whole site: a tunnel brings nothing but its GUID.
create table device (
  tenant        text collate "C" not null references tenant (key),
  guid          uuid not null,
  hostname      text not null default '',
  friendly_name text,
  dns_suffix    text,
  tags          text[] not null default '{}',
  mps_username  text not null default '',
  amt_username  text not null default '',
  device_info   text not null default '' check (octet_length(device_info) <= 16384),
  created       bigint not null,
  desired       bytea not null default '',
  desired_rev   bigint not null default 0,
  current       bytea not null default '',
  current_rev   bigint not null default 0,
  -- from `current`, so that a start finds unfinished wishes without decoding everything
  settled_rev   bigint not null default 0,
  power_ok      boolean not null default true,
  event_seq     jsonb not null default '{}',
  primary key (tenant, guid),
  constraint device_guid unique (guid)
) with (fillfactor = 80);
create index device_tags on device using gin (tags);
create index device_hostname on device (tenant, hostname);
create index device_unsettled on device (tenant, guid)
  where desired_rev <> settled_rev or not power_ok;

-- What a deleted device had reached. Registered again it goes on from there: consumers drop what is
-- not newer, and a terminator may still hold a tunnel with an old epoch.
create table deleted_device (
  tenant      text collate "C" not null references tenant (key),
  guid        uuid not null,
  desired_rev bigint not null,
  current_rev bigint not null,
  epoch       bigint not null,
  event_seq   jsonb not null,
  deleted_at  bigint not null,
  primary key (tenant, guid)
);

-- One row per device from its registration on. prev_*: the owner before the newest epoch, so that
-- one UPDATE ... RETURNING tells it.
create table link (
  tenant            text collate "C" not null,
  guid              uuid not null,
  epoch             bigint not null default 0,
  instance          text not null default '',
  incarnation       uuid,
  state             text not null default 'down' check (state in ('down', 'up')),
  peer              text not null default '',
  since             bigint not null default 0,
  prev_instance     text not null default '',
  prev_epoch        bigint not null default 0,
  last_connected    bigint not null default 0,
  last_disconnected bigint not null default 0,
  last_seen         bigint not null default 0,
  primary key (tenant, guid),
  foreign key (tenant, guid) references device (tenant, guid) on delete cascade
) with (fillfactor = 80);
create index link_up on link (tenant, guid) where state = 'up';
create index link_instance on link (instance) where state = 'up';

create table command (
  tenant        text collate "C" not null,
  id            uuid not null,
  guid          uuid not null,
  act           text not null,
  argument_hash text not null,
  argument      bytea not null,
  asked_by      text not null,
  channel       text not null,
  status        text not null check
    (status in ('accepted', 'done', 'failed', 'rejected', 'expired', 'unknown')),
  dispatched    boolean not null default false,
  outcome       bytea not null default '',
  deadline      bigint not null,
  created       bigint not null,
  updated_at    bigint not null,
  primary key (tenant, id),
  foreign key (tenant, guid) references device (tenant, guid) on delete cascade
);
create index command_device on command (tenant, guid, created);
create index command_open on command (tenant, guid) where status = 'accepted';
create index command_ended on command (updated_at) where status <> 'accepted';

create table secret (
  tenant  text collate "C" not null,
  guid    uuid not null,
  name    text not null,
  slot    text not null check (slot in ('active', 'pending')),
  version bigint not null,
  key_id  text not null,
  sealed  bytea not null,
  created bigint not null,
  primary key (tenant, guid, name, slot),
  foreign key (tenant, guid) references device (tenant, guid) on delete cascade
);

-- A queue: rows come and go, so it is vacuumed by count and not by share.
create table outbox (
  id           bigserial primary key,
  topic        text not null,
  payload      bytea not null,
  content_type text not null,
  retain       boolean not null,
  expiry_s     bigint,
  created      bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- What the broker should hold, for one that lost its store.
create table retained (
  topic        text collate "C" primary key,
  payload      bytea not null,
  content_type text not null,
  updated_at   bigint not null
) with (fillfactor = 80);
)sql";

} // namespace outband::store
