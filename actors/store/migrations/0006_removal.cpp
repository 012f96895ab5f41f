#include "actors/store/migrations/0006_removal.hpp"

namespace outband::store {

const std::string_view schema_0006 = R"sql(
-- Machines that are to go: kept until their AMT is deactivated.
create table removal (
  tenant  text collate "C" not null,
  guid    uuid not null,
  kind    text not null check (kind in ('remove', 'deauthorize')),
  state   text not null check (state in ('waiting', 'deactivating', 'refused', 'done')),
  code    text not null,
  words   text not null,
  by      text not null,
  asked   bigint not null,
  updated bigint not null,
  primary key (tenant, guid),
  foreign key (tenant, guid) references device (tenant, guid) on delete cascade
);
create index removal_open on removal (tenant, guid) where state <> 'done';

alter table tenant add column leaving boolean not null default false;
)sql";

} // namespace outband::store
