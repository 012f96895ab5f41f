/// The paths of the activation WebSocket: `/activate/{token}`, `/deactivate/...`,
/// `/maintenance/...`, which all lead to the same place, as at RPS: what is wanted is in the first
/// message. Stock clients can send no credentials, so the address carries them.
///
///   for (auto& r : activation::make_routes(options, provisioner, counters)) upgrades.push_back(r);
///
/// No subprotocol; Origin does not matter, for no browser has anything here that it could ride on.
/// Threads: each connection on its WebSocket's I/O thread.
#pragma once

#include "actors/ports/activation.hpp"
#include "gateway/activation/counters.hpp"
#include "gateway/activation/options.hpp"
#include "gateway/http/server.hpp"

#include <vector>

namespace outband::activation {

/// `decides` and `counts` must outlive the server that has the routes.
result<std::vector<web::ws_route>> make_routes(options o, activation_port& decides,
                                               counters& counts);

} // namespace outband::activation
