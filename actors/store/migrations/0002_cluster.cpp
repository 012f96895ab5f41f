#include "actors/store/migrations/0002_cluster.hpp"

namespace outband::store {

const std::string_view schema_0002 = R"sql(
-- Who is alive. buried: its links were declared unknown, and it has not shown since that it knows.
-- burials counts how often, so that it can show which one it knows of.
create table instance (
  name        text collate "C" primary key check (name ~ '^[a-z0-9-]{1,64}$'),
  incarnation uuid not null,
  seen_at     bigint not null,
  buried      boolean not null default false,
  burials     bigint not null default 0
) with (fillfactor = 50);

-- The controller's lease. epoch is unique for the sake of locks alone: changing a unique column
-- locks the row against FOR KEY SHARE, which every fenced write takes, while a renewal, which
-- changes none, passes by running writes and they by it.
create table controller (
  id          smallint primary key check (id = 1),
  epoch       bigint not null default 0 unique,
  instance    text not null default '',
  incarnation uuid,
  expires_at  bigint not null default 0
) with (fillfactor = 10);
insert into controller (id) values (1);

-- unknown: its terminator died or was cut off. why: of a link that is down, the name of its end.
-- told_*: what device.current said of the link when it was last written. Rows of before are taken
-- as told, lest an upgrade publish every device.
alter table link drop constraint link_state_check;
alter table link
  add constraint link_state_check check (state in ('down', 'up', 'unknown')),
  add column why        text not null default '',
  add column told_epoch bigint not null default 0,
  add column told_state text not null default 'down'
    check (told_state in ('down', 'up', 'unknown'));
update link set told_epoch = epoch, told_state = state where epoch <> 0 or state <> 'down';
create index link_out_of_step on link (tenant, guid)
  where told_epoch <> epoch or told_state <> state;

-- The owners of links can be walked through without reading every link.
drop index link_instance;
create index link_owner on link (instance, incarnation) where state = 'up';
)sql";

} // namespace outband::store
