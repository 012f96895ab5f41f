#include "actors/store/migrations/0003_direct.hpp"

namespace outband::store {

const std::string_view schema_0003 = R"sql(
-- Devices that are connected to; whoever has no row here calls home. holder: the terminator that
-- keeps the connection, empty if none does.
create table direct (
  tenant      text collate "C" not null,
  guid        uuid not null,
  host        text not null check (octet_length(host) between 1 and 254),
  port        integer not null check (port between 1 and 65535),
  tls         boolean not null,
  legacy_tls  boolean not null default false,
  pins        text[] not null default '{}' check (cardinality(pins) <= 4),
  holder      text collate "C" not null default '',
  incarnation uuid,
  primary key (tenant, guid),
  foreign key (tenant, guid) references device (tenant, guid) on delete cascade
) with (fillfactor = 80);
create index direct_holder on direct (holder, incarnation, tenant, guid);
)sql";

} // namespace outband::store
