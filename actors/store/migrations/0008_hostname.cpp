#include "actors/store/migrations/0008_hostname.hpp"

namespace outband::store {

const std::string_view schema_0008 = R"sql(
-- The host name first. With the tenant first, a plan that was made while the table was empty took
-- this index for a lookup by the primary key, and then read half of the tenant's machines for each
-- one of them, until the next ANALYZE.
drop index device_hostname;
create index device_hostname on device (hostname, tenant);
)sql";

} // namespace outband::store
