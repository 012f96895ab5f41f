#include "gateway/main/site_files.hpp"

#include "bus/broker_config.hpp"
#include "gateway/auth/auth.hpp"
#include "gateway/auth/files.hpp"

#include <cerrno>
#include <cstring>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace outband {

namespace fs = std::filesystem;

namespace {

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == 0)
    return "localhost";
  return name;
}

std::vector<std::string> names_or_host(const std::vector<std::string>& given) {
  if (!given.empty())
    return given;
  std::vector<std::string> out{host_name()};
  if (out[0] != "localhost")
    out.emplace_back("localhost");
  out.emplace_back("127.0.0.1");
  return out;
}

std::string or_in(const std::string& given, const fs::path& directory, const char* name) {
  return given.empty() ? (directory / name).string() : given;
}

/// The directory of this program's file.
fs::path program_directory() {
  std::error_code ec;
  auto self = fs::read_symlink("/proc/self/exe", ec);
  return ec ? fs::path(".") : self.parent_path();
}

status make_directory(const fs::path& path, mode_t mode) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec)
    return fail(problem::internal, path.string() + " cannot be created: " + ec.message(),
                "data_dir");
  if (chmod(path.c_str(), mode) != 0)
    return fail(problem::internal, path.string() + ": " + std::strerror(errno), "data_dir");
  return success();
}

} // namespace

result<site_files> open_site_files(const config::settings& settings, time_ms now) {
  const fs::path directory = settings.text("data_dir");
  std::error_code ec;
  if (!fs::exists(directory, ec))
    // Others may pass through, for the broker has its folder below; each file guards itself.
    if (auto made = make_directory(directory, 0711); !made)
      return made.error();
  net::certificate_options o;
  o.directory = directory / "certificates";
  if (auto made = make_directory(o.directory, 0700); !made)
    return made.error();
  o.cira_name =
      settings.text("cira.common_name").empty() ? host_name() : settings.text("cira.common_name");
  o.https_names = names_or_host(settings.list("https.names"));
  o.bus_names = names_or_host(settings.list("broker.names"));
  o.node_name = settings.text("node.name");
  o.cira = {settings.text("cira.cert_file"), settings.text("cira.key_file"),
            settings.text("cira.ca_file")};
  o.https = {settings.text("https.cert_file"), settings.text("https.key_file"), {}};
  auto certificates = net::certificates::open(o, now / 1000);
  if (!certificates)
    return certificates.error();
  auto key_file = or_in(settings.text("auth.key_file"), directory, "ticket-signing.pem");
  auto key = auth::load_or_make_key(key_file);
  if (!key)
    return key.error();
  return site_files{std::move(*certificates), o.cira_name, std::move(*key), key_file + ".pub"};
}

result<std::string> write_broker_files(const config::settings& settings, const site_files& site) {
  const fs::path directory = fs::absolute(settings.text("data_dir")) / "broker";
  const auto store = directory / "store";
  for (const auto& d : {directory, store})
    if (auto made = make_directory(d, 0700); !made)
      return made.error();
  bus::broker_options o;
  o.data_dir = store.string();
  o.bind_addresses = settings.list("broker.bind");
  if (o.bind_addresses.empty())
    o.bind_addresses = {""};
  o.people_port = static_cast<std::uint16_t>(settings.integer("broker.port_people"));
  o.machine_port = static_cast<std::uint16_t>(settings.integer("broker.port_machines"));
  o.ca_file = (directory / "ca.crt").string();
  o.cert_file = (directory / "server.crt").string();
  o.key_file = (directory / "server.key").string();
  o.ticket_key_file = (directory / "ticket.pub").string();
  o.revocation_file = (directory / "revoked").string();
  o.ticket_issuer = settings.text("auth.issuer");
  o.plugin_file = settings.text("broker.plugin_file");
  if (o.plugin_file.empty())
    o.plugin_file = (program_directory() / "outband_broker_plugin.so").string();
  if (geteuid() == 0)
    o.run_as = settings.text("broker.run_as");
  auto text = bus::broker_config(o);
  if (!text)
    return text.error();
  auto public_key = config::read_file(site.ticket_public_key.string());
  if (!public_key)
    return public_key.error();
  const auto file = (directory / "mosquitto.conf").string();
  const auto& c = site.certificates;
  for (const auto& [path, content, mode] :
       {std::tuple{o.ca_file, c.bus_ca_pem(), 0644},
        std::tuple{o.cert_file, c.bus_server().chain_pem, 0644},
        std::tuple{o.key_file, c.bus_server().key_pem, 0600},
        std::tuple{o.ticket_key_file, *public_key, 0644}, std::tuple{file, *text, 0644}})
    if (auto written = auth::write_file(path, content, mode); !written)
      return written.error();
  if (geteuid() == 0 && !o.run_as.empty()) {
    // The broker gives up root before it reads most of these.
    const auto* user = getpwnam(o.run_as.c_str());
    if (!user)
      return fail(problem::malformed, "there is no user '" + o.run_as + "'", "broker.run_as");
    std::error_code ec;
    for (const auto& entry : fs::recursive_directory_iterator(directory, ec))
      if (chown(entry.path().c_str(), user->pw_uid, user->pw_gid) != 0)
        return fail(problem::internal, entry.path().string() + ": " + std::strerror(errno));
    if (ec || chown(directory.c_str(), user->pw_uid, user->pw_gid) != 0)
      return fail(problem::internal, directory.string() + " cannot be given to the broker's user");
  }
  return file;
}

} // namespace outband
