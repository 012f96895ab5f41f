#include "actors/store/migrations/0007_ieee8021x.hpp"

namespace outband::store {

const std::string_view schema_0007 = R"sql(
-- Who a machine is to an 802.1x network; the password is a secret and lies with the others.
alter table ieee8021x_config add column username text not null default '';
alter table ieee8021x_config add column domain text not null default '';
alter table ieee8021x_config add column roaming_identity text not null default '';
alter table ieee8021x_config add column server_name text not null default '';
alter table ieee8021x_config add column ca_certificate text not null default '';
)sql";

} // namespace outband::store
