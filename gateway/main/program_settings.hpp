/// What the program's parts are told, from the configuration and the site's files.
/// Context: main thread.
#pragma once

#include "actors/activation/bootstrap.hpp"
#include "actors/activation/provisioner.hpp"
#include "actors/services.hpp"
#include "bus/mqtt_endpoint.hpp"
#include "gateway/config/config.hpp"
#include "gateway/main/announcer.hpp"
#include "gateway/main/site_files.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace outband {

std::chrono::seconds seconds(const config::settings& s, std::string_view key);
std::uint16_t port(const config::settings& s, std::string_view key);
std::string or_default(const std::string& given, const std::string& otherwise);
cluster_times cluster_of(const config::settings& s);
power_times times_of(const config::settings& s);
activation::provisioner::settings provisioner_of(const config::settings& s, const site_files& site);
result<activation::home_address> home_of(const config::settings& s, const site_files& site);
bus::mqtt_options mqtt_options_of(const config::settings& s, const site_files& site,
                                  const announcement& who, clock_port& clock);

} // namespace outband
