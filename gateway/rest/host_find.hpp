/// Finds a machine by what EMF's clients call it: resource id, GUID, or name. Internal.
/// Context: any thread.
#pragma once

#include "gateway/rest/call.hpp"

namespace outband::rest {

/// not_found, or already_exists if several machines of the tenant fit (use the GUID then).
void find_host(const call_ptr& c, const std::string& text, answer<device_id> cb);

} // namespace outband::rest
