/// How a machine that is to go is shown. Internal.
#pragma once

#include "gateway/rest/call.hpp"
#include "messages/domain/removal.hpp"

namespace outband::rest {

json::value removal_json(const removal& r);
/// This node's list of tenants has changed.
void forget_tenants(const call_ptr& c);

} // namespace outband::rest
