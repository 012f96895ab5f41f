#include "tools/amtsim/options.hpp"

#include "tools/amtsim/on_die.hpp"
#include "tools/amtsim/provisioning_chain.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace outband::amtsim {

namespace {

/// "1000:3000" or "500".
bool parse_range(const std::string& text, sim_time& lo, sim_time& hi) {
  const auto colon = text.find(':');
  const auto number = [](const std::string& s, sim_time& out) {
    if (s.empty() || s.size() > 9 || s.find_first_not_of("0123456789") != std::string::npos)
      return false;
    out = sim_time{std::stol(s)};
    return true;
  };
  if (!number(text.substr(0, colon), lo))
    return false;
  if (colon == std::string::npos)
    hi = lo;
  else if (!number(text.substr(colon + 1), hi))
    return false;
  return lo <= hi;
}

CLI::Validator range() {
  return {[](const std::string& text) {
            sim_time lo{};
            sim_time hi{};
            return parse_range(text, lo, hi) ? std::string{}
                                             : "'" + text + "' is not MIN:MAX in milliseconds";
          },
          "MIN:MAX"};
}

CLI::Validator guid_text() {
  return {[](const std::string& text) {
            return parse_uuid(text) ? std::string{} : "'" + text + "' is not a GUID";
          },
          "GUID"};
}

CLI::Validator resolution() {
  return {[](const std::string& text) {
            const auto equals = text.find('=');
            const auto colon = text.rfind(':');
            return equals != std::string::npos && equals > 0 && colon != std::string::npos &&
                           colon > equals + 1
                       ? std::string{}
                       : "'" + text + "' is not NAME=ADDRESS:PORT";
          },
          "NAME=ADDRESS:PORT"};
}

void add_ms(CLI::App& app, const std::string& name, sim_time& into, const std::string& what) {
  app.add_option_function<unsigned>(
         name, [&into](const unsigned& ms) { into = sim_time{ms}; }, what)
      ->check(CLI::Range(0U, 3600000U))
      ->default_str(std::to_string(into.count()));
}

} // namespace

std::variant<options, int> parse_options(int argc, char** argv) {
  options out;
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  out.threads = std::min(2U, cores);
  std::string server;
  std::string profile = "amt16";
  std::vector<std::string> guids;
  std::string power = "on";
  std::string link_drop = "1000:3000";
  std::string reconnect = "1000:3000";
  unsigned keepalive_s = 30;

  CLI::App app{"Simulates Intel AMT machines that connect to a management presence server.\n"
               "Exit codes: 0 stopped by a signal, 2 wrong options, 3 server or root certificate,\n"
               "4 control interface, 5 a file cannot be read or written.",
               "outband-amtsim"};
  app.add_option("--server", server, "host:port of the server; not needed with LAN ports");
  app.add_option("--root-ca", out.root_ca, "PEM file; the only certificate the machines trust")
      ->check(CLI::ExistingFile);
  app.add_option("--cn", out.common_name, "common name the server's certificate must have");
  std::string lan_address = "127.0.0.1";
  app.add_option("--lan-address", lan_address, "where the machines listen on the LAN")
      ->check(CLI::ValidIPV4);
  app.add_option("--lan-port", out.lan_port,
                 "WS-MAN over plain TCP: machine i on this port plus i; 0: any, see \"get\"");
  app.add_option("--lan-tls-port", out.lan_tls_port, "the same over TLS");
  app.add_flag("--lan-own-address", out.lan_own_address,
               "machine i on the address plus i, all on the same ports");
  app.add_option("--tls", out.tls, "highest TLS version, 12 or 13")->check(CLI::IsMember({12, 13}));
  app.add_option("--devices", out.machines.count, "how many machines")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100000}));
  app.add_option("--mei-dir", out.mei_dir,
                 "folder for <GUID>.mei, each machine's /dev/mei0 (mei_server.hpp)")
      ->check(CLI::ExistingDirectory);
  app.add_option(
      "--lms-port", out.lms_port,
      "machine i's LMS, in front of its local port 16992, is on 127.0.0.1 at this plus i; "
      "0: any");
  app.add_option("--lms-tls-port", out.lms_tls_port, "the same in front of 16993");
  app.add_option("--write-on-die-root", out.on_die_file,
                 "write the root (PEM) of what 16993 shows at first, in the place of Intel's");
  app.add_option("--seed", out.machines.seed, "what GUIDs, names and passwords are made from");
  app.add_option("--guid", guids, "GUID of the first machine, the second, ...")->check(guid_text());
  app.add_option("--hostname-prefix", out.machines.hostname_prefix);
  app.add_option("--tag", out.machines.tags, "a tag in --write-devices");
  app.add_option("--mps-user", out.machines.mps_user, "default: one per machine, from the seed");
  app.add_option("--mps-password", out.machines.mps_password, "default: one per machine");
  app.add_option("--amt-password", out.machines.amt_password, "default: one per machine");
  app.add_option("--profile", profile, "amt16, amt12, ism16; amt19, amt22: local ports with TLS")
      ->check(CLI::IsMember({"amt16", "amt12", "amt19", "amt22", "ism16"}));
  app.add_flag("--factory", out.shared.factory, "the machines are new: nobody has activated them");
  std::vector<std::string> roots;
  app.add_option("--trust-root", roots,
                 "PEM file; a root that may have signed a provisioning certificate")
      ->check(CLI::ExistingFile);
  std::vector<std::string> names;
  app.add_option("--resolve", names,
                 "NAME=ADDRESS:PORT; where a server is that the machines are told to call")
      ->check(resolution());
  app.add_option("--dns-suffix", out.shared.dns_suffix, "of the wired network, from its DHCP");
  app.add_option("--pki-suffix", out.shared.pki_suffix, "that was entered in the machines' MEBx");
  app.add_option("--power", power, "state at the start: on or off")
      ->check(CLI::IsMember({"on", "off"}));
  add_ms(app, "--power-ms", out.shared.times.power, "from a power request to its effect");
  add_ms(app, "--off-ms", out.shared.times.off_before_on, "how long a power cycle stays off");
  add_ms(app, "--os-shutdown-ms", out.shared.times.os_shutdown, "a graceful shutdown takes");
  add_ms(app, "--os-boot-ms", out.shared.times.os_boot, "until graceful actions work after boot");
  out.shared.times.setup_busy = sim_time{1000};
  add_ms(app, "--busy-ms", out.shared.times.setup_busy, "503 after setup and upgrade");
  unsigned port_restart = 2000;
  auto* restart =
      app.add_option(
             "--port-restart-ms", port_restart,
             "how long ports are away after CommitChanges with TLS; 0, unless TLS is enforced")
          ->check(CLI::Range(0U, 3600000U));
  add_ms(app, "--home-call-ms", out.shared.times.home_call,
         "at most, between being configured and calling home");
  add_ms(app, "--answer-ms", out.shared.times.answer, "added to every WS-MAN answer");
  app.add_option("--link-drop-ms", link_drop,
                 "how long the tunnel is away after a power transition; 0: it stays")
      ->check(range());
  app.add_option("--reconnect-ms", reconnect, "pause after the server ended the tunnel")
      ->check(range());
  app.add_option("--keepalive-s", keepalive_s, "until the server sets another interval")
      ->check(CLI::Range(1U, 3600U));
  app.add_option("--batch", out.shared.batch, "items per Pull; 0: all at once");
  app.add_option("--window", out.shared.window, "APF channel window, octets")
      ->check(CLI::Range(1024U, 1048576U));
  app.add_option("--write-devices", out.devices_file,
                 "write a JSON array of what POST /api/v1/devices wants, passwords included");
  app.add_option("--state", out.state_file,
                 "keep what firmware keeps in this file across restarts");
  app.add_option("--control", out.control, "127.0.0.1:PORT or unix:PATH for controllers");
  app.add_option("--threads", out.threads)->check(CLI::Range(std::size_t{1}, std::size_t{64}));
  app.add_option("--connect-rate", out.connect_rate, "machines per second; 0: all at once")
      ->check(CLI::NonNegativeNumber);
  bool wait = false;
  bool without_5900 = false;
  app.add_flag("--wait", wait, "do not connect before a controller says so");
  app.add_flag("--without-5900", without_5900, "do not announce port 5900, as new firmware");
  app.add_flag("--quiet", out.quiet, "say nothing but errors");
  app.add_flag("--print-events", out.print_events, "a sentence for everything that happens");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? exit_clean : exit_usage;
  }

  out.lan_address = boost::asio::ip::make_address(lan_address);
  const bool has_host = !out.mei_dir.empty() || out.lms_port || out.lms_tls_port;
  const bool needs_server = !out.lan_port && !out.lan_tls_port && !has_host;
  if (server.empty() != out.root_ca.empty() || server.empty() != out.common_name.empty() ||
      (server.empty() && needs_server)) {
    std::fprintf(stderr, "--server, --root-ca and --cn belong together; without them the machines "
                         "need --lan-port, --lan-tls-port, --mei-dir or --lms-port\n");
    return exit_usage;
  }
  const auto colon = server.rfind(':');
  if (!server.empty() && (colon == std::string::npos || colon == 0 || colon + 1 == server.size())) {
    std::fprintf(stderr, "--server: '%s' is not host:port\n", server.c_str());
    return exit_usage;
  }
  if (!server.empty()) {
    out.server_host = server.substr(0, colon);
    out.server_port = server.substr(colon + 1);
  }
  if (out.server_host.size() > 2 && out.server_host.front() == '[' && out.server_host.back() == ']')
    out.server_host = out.server_host.substr(1, out.server_host.size() - 2);
  out.shared.server_host = out.server_host;
  const auto port = std::strtoul(out.server_port.c_str(), nullptr, 10);
  out.shared.server_port = static_cast<std::uint16_t>(port > 0 && port < 65536 ? port : 4433);
  for (const auto& text : guids)
    out.machines.guids.push_back(*parse_uuid(text));
  if (out.machines.guids.size() > out.machines.count)
    out.machines.count = out.machines.guids.size();
  auto& times = out.shared.times;
  parse_range(link_drop, times.link_drop_min, times.link_drop_max);
  parse_range(reconnect, times.reconnect_min, times.reconnect_max);
  times.keepalive = std::chrono::seconds(keepalive_s);
  out.shared.kind = *find_firmware(profile);
  if (restart->count() != 0 || out.shared.kind.tls_enforced)
    times.port_restart = sim_time{port_restart};
  for (const auto& n : names)
    out.shared.resolve[n.substr(0, n.find('='))] = n.substr(n.find('=') + 1);
  for (const auto& file : roots)
    if (const auto why = read_trusted_roots(file, out.shared.trusted_roots); !why.empty()) {
      std::fprintf(stderr, "--trust-root: %s\n", why.c_str());
      return exit_usage;
    }
  if (out.shared.kind.tls_enforced || !out.on_die_file.empty())
    out.shared.on_die = std::make_shared<const on_die_authority>();
  auto& ports = out.shared.kind.ports;
  if (without_5900)
    ports.erase(std::remove(ports.begin(), ports.end(), 5900), ports.end());
  out.shared.keeps_flash = !out.state_file.empty();
  out.starts_on = power == "on";
  out.connects = !wait;
  return out;
}

} // namespace outband::amtsim
