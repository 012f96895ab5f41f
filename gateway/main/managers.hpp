/// The listener for EMF's managers (dm-manager, kvm-manager, sol-manager), which authenticate
/// nowhere: a client certificate says who asks, configuration `emf.*` what all of them may do.
/// Context: start-up thread.
#pragma once

#include "gateway/config/config.hpp"
#include "gateway/main/site_files.hpp"
#include "gateway/rest/rest.hpp"

#include <memory>
#include <optional>

namespace outband {

/// nullopt: the listener is off.
std::optional<rest::certificate_rule> certificate_rule_of(const config::settings& settings);

/// Null if it is off.
result<std::unique_ptr<web::server>> listen_for_managers(const config::settings& settings,
                                                         const site_files& site, net::io_pool& pool,
                                                         web::handler api);

} // namespace outband
