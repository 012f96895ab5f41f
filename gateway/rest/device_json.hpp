/// MPS's device object and its answer for a machine without a tunnel. Internal; pure.
#pragma once

#include "gateway/rest/call.hpp"

namespace outband::rest {

/// `single`: GET by id also shows when it was last connected, seen, disconnected.
json::value device_json(const device_record& d, bool single);

/// The device of a registry path's {guid}; answers MPS's 400 itself if that is none.
std::optional<device_ref> registry_ref(const call_ptr& c);

/// MPS's 404 of the registry routes.
void device_not_found(const call_ptr& c, const std::string& guid);

/// 404 with the text that EMF's managers match byte for byte.
/// `last_known`: of its power state, not null; added as a member of that name.
web::response device_not_connected(const std::string& guid, json::value last_known = {});

} // namespace outband::rest
