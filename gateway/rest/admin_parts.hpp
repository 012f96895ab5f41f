/// The files of RPS's REST interface that admin_routes.cpp puts together. Internal.
#pragma once

namespace outband::rest {

class router;

void add_admin_profile_routes(router& r);
void add_admin_domain_routes(router& r);
void add_admin_token_routes(router& r);

} // namespace outband::rest
