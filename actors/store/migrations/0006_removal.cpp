#include "actors/store/migrations/0006_removal.hpp"

namespace outband::store {

const std::string_view schema_0006 = R"sql(
-- Machines that are to go: kept until their AMT is deactivated. `clean`: it was deactivated and has
-- no secrets since; who then wants it removed waits for nothing.
create table removal (
  tenant  text collate "C" not null,
  guid    uuid not null,
  kind    text not null check (kind in ('remove', 'deauthorize')),
  state   text not null check (state in ('waiting', 'refused', 'done')),
  code    text not null,
  words   text not null,
  by      text not null,
  asked   bigint not null,
  updated bigint not null,
  clean   boolean not null default false,
  primary key (tenant, guid),
  foreign key (tenant, guid) references device (tenant, guid) on delete cascade
);
create index removal_open on removal (tenant, guid) where state <> 'done';

alter table tenant add column leaving boolean not null default false;

-- Which notice of its certificate's end was told last: of that end, so many days before.
alter table domain add column noticed_expires bigint not null default 0;
alter table domain add column noticed_days integer not null default 0;
)sql";

} // namespace outband::store
