/// What the first start of a site makes and later ones find: certificates, keys, and on request the
/// broker's configuration. Blocking; main thread, before anything serves.
#pragma once

#include "gateway/config/config.hpp"
#include "gateway/net/certificates.hpp"
#include "messages/domain/ids.hpp"
#include "messages/ticket/jwt.hpp"

#include <filesystem>
#include <string>

namespace outband {

struct site_files {
  net::certificates certificates;
  std::string cira_name; ///< that machines call us by
  ticket::signing_key signing_key;
  std::filesystem::path ticket_public_key;
};

/// The directory is created (mode 0700) when it does not exist.
result<site_files> open_site_files(const config::settings& settings, time_ms now);

/// Writes `{data_dir}/broker/mosquitto.conf` and copies of what the broker must read, owned by the
/// user it runs as. Answers the file's path.
result<std::string> write_broker_files(const config::settings& settings, const site_files& site);

} // namespace outband
