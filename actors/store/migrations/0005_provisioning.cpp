#include "actors/store/migrations/0005_provisioning.hpp"

namespace outband::store {

const std::string_view schema_0005 = R"sql(
-- What an operator prepares. `key` is the name in lower case: names are compared without regard to
-- case. `version` comes from one sequence, so that an object that was deleted and made again has
-- none of its former ones.
create sequence provisioning_version;

create table cira_config (
  tenant           text collate "C" not null references tenant (key),
  key              text collate "C" not null check (octet_length(key) between 1 and 256),
  name             text collate "C" not null check (key = lower(name)),
  version          bigint not null,
  server           text not null,
  format           integer not null check (format in (3, 4, 201)),
  port             integer not null check (port between 1 and 65535),
  username         text not null,
  common_name      text not null,
  auth_method      integer not null check (auth_method in (1, 2)),
  root_certificate text not null,
  proxy_details    text not null,
  ours             boolean not null,
  constraint cira_config_name primary key (tenant, key)
);

-- (tenant, key, wired) is there to be referred to: a profile names a wired one, a wireless
-- configuration one that is not, and neither can be changed under them.
create table ieee8021x_config (
  tenant      text collate "C" not null references tenant (key),
  key         text collate "C" not null check (octet_length(key) between 1 and 256),
  name        text collate "C" not null check (key = lower(name)),
  version     bigint not null,
  protocol    integer not null,
  pxe_timeout integer not null,
  wired       boolean not null,
  constraint ieee8021x_config_name primary key (tenant, key),
  constraint ieee8021x_config_wired unique (tenant, key, wired)
);

create table wireless_config (
  tenant          text collate "C" not null references tenant (key),
  key             text collate "C" not null check (octet_length(key) between 1 and 256),
  name            text collate "C" not null check (key = lower(name)),
  version         bigint not null,
  authentication  integer not null check (authentication in (4, 5, 6, 7)),
  encryption      integer not null check (encryption in (3, 4)),
  ssid            text not null,
  link_policy     integer[] not null check (cardinality(link_policy) <= 8),
  ieee8021x       text collate "C",
  ieee8021x_wired boolean not null default false check (not ieee8021x_wired),
  constraint wireless_config_name primary key (tenant, key),
  constraint wireless_config_ieee8021x foreign key (tenant, ieee8021x, ieee8021x_wired)
    references ieee8021x_config (tenant, key, wired)
);
create index wireless_config_by_ieee8021x on wireless_config (tenant, ieee8021x);

create table proxy_config (
  tenant     text collate "C" not null references tenant (key),
  key        text collate "C" not null check (octet_length(key) between 1 and 256),
  name       text collate "C" not null check (key = lower(name)),
  version    bigint not null,
  address    text collate "C" not null,
  format     integer not null check (format in (3, 4, 201)),
  port       integer not null check (port between 1 and 65535),
  dns_suffix text not null,
  constraint proxy_config_name primary key (tenant, key)
);
create unique index proxy_config_address on proxy_config (tenant, lower(address), port);

create table profile (
  tenant               text collate "C" not null references tenant (key),
  key                  text collate "C" not null check (octet_length(key) between 1 and 256),
  name                 text collate "C" not null check (key = lower(name)),
  version              bigint not null,
  activation           text not null check (activation in ('ccmactivate', 'acmactivate')),
  random_amt_password  boolean not null,
  random_mebx_password boolean not null,
  cira_config          text collate "C",
  dhcp                 boolean not null,
  ip_sync              boolean not null,
  local_wifi_sync      boolean not null,
  uefi_wifi_sync       boolean not null,
  tls_mode             integer check (tls_mode between 1 and 4),
  tls_authority        text,
  consent              text not null check (consent in ('None', 'KVM', 'All')),
  ider                 boolean not null,
  kvm                  boolean not null,
  sol                  boolean not null,
  tags                 text[] not null check (cardinality(tags) <= 64),
  ieee8021x            text collate "C",
  ieee8021x_wired      boolean not null default true check (ieee8021x_wired),
  constraint profile_name primary key (tenant, key),
  constraint profile_cira_config foreign key (tenant, cira_config)
    references cira_config (tenant, key),
  constraint profile_ieee8021x foreign key (tenant, ieee8021x, ieee8021x_wired)
    references ieee8021x_config (tenant, key, wired)
);
create index profile_by_cira_config on profile (tenant, cira_config);
create index profile_by_ieee8021x on profile (tenant, ieee8021x);

create table profile_wifi (
  tenant   text collate "C" not null,
  profile  text collate "C" not null,
  wifi     text collate "C" not null,
  priority integer not null check (priority between 1 and 255),
  primary key (tenant, profile, wifi),
  foreign key (tenant, profile) references profile (tenant, key) on delete cascade,
  constraint profile_wifi_config foreign key (tenant, wifi) references wireless_config (tenant, key)
);
create index profile_wifi_by_wifi on profile_wifi (tenant, wifi);

create table profile_proxy (
  tenant   text collate "C" not null,
  profile  text collate "C" not null,
  proxy    text collate "C" not null,
  priority integer not null check (priority between 1 and 255),
  primary key (tenant, profile, proxy),
  foreign key (tenant, profile) references profile (tenant, key) on delete cascade,
  constraint profile_proxy_config foreign key (tenant, proxy) references proxy_config (tenant, key)
);
create index profile_proxy_by_proxy on profile_proxy (tenant, proxy);

create table domain (
  tenant         text collate "C" not null references tenant (key),
  key            text collate "C" not null check (octet_length(key) between 1 and 256),
  name           text collate "C" not null check (key = lower(name)),
  version        bigint not null,
  suffix         text collate "C" not null check (octet_length(suffix) between 1 and 256),
  storage_format text not null,
  expires        bigint not null,
  constraint domain_name primary key (tenant, key)
);
create unique index domain_suffix on domain (tenant, lower(suffix));
create index domain_expires on domain (expires);

-- Passwords and keys of those objects, sealed by a node. Written and deleted in the statements that
-- write and delete the object.
create table object_secret (
  tenant text collate "C" not null references tenant (key),
  kind   text collate "C" not null check (kind in ('profile', 'cira-config', 'wireless-config',
    'ieee8021x-config', 'proxy-config', 'domain')),
  key    text collate "C" not null,
  field  text collate "C" not null,
  sealed text not null check (octet_length(sealed) <= 200000),
  primary key (tenant, kind, key, field)
);

-- One-time tokens; of their text there is only the SHA-256.
create table activation_token (
  tenant  text collate "C" not null references tenant (key),
  id      uuid not null,
  hash    text collate "C" not null check (hash ~ '^[0-9a-f]{64}$'),
  act     text not null check (act in ('activate', 'deactivate', 'maintenance')),
  profile text,
  guid    uuid,
  made_by text not null,
  created bigint not null,
  expires bigint not null,
  used    bigint not null default 0,
  used_by uuid,
  primary key (tenant, id),
  constraint activation_token_hash unique (hash)
);
create index activation_token_made on activation_token (tenant, created, id);

-- The last activation, deactivation or maintenance of a machine. incarnation: the life of the node
-- that carries it out, null if it had none.
create table activation (
  tenant      text collate "C" not null,
  guid        uuid not null,
  id          uuid not null,
  act         text not null check (act in ('activate', 'deactivate', 'maintenance')),
  profile     text not null,
  state       text not null check (state in ('running', 'done', 'failed', 'interrupted')),
  step        text not null,
  code        text not null,
  words       text not null,
  mode        integer not null,
  node        text collate "C" not null,
  incarnation uuid,
  started     bigint not null,
  updated     bigint not null,
  primary key (tenant, guid),
  foreign key (tenant, guid) references device (tenant, guid) on delete cascade
) with (fillfactor = 70);
create index activation_started on activation (tenant, started, guid);

-- What deleted devices had reached is kept when their tenant goes as well: one of the same key may
-- come, and so may their tunnels.
alter table deleted_device drop constraint deleted_device_tenant_fkey;
)sql";

} // namespace outband::store
