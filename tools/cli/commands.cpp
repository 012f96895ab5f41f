#include "tools/cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <sstream>

namespace outband::cli {

namespace {

constexpr std::chrono::milliseconds longest_wait = std::chrono::hours(24);

constexpr const char* about =
    "Outband manages Intel AMT machines out of band, whatever state their operating system is in.";

constexpr const char* footer =
    R"(A host is named by its id (host-1a2b3c4d), its GUID, or its name if only one has it.

Environment: OUTBAND_SERVER, OUTBAND_TOKEN, OUTBAND_TENANT, OUTBAND_CA, OUTBAND_BROKER. Options win
over the environment, which wins over what 'outband login' stored.

Exit codes: 0 done, 1 other trouble, 2 wrong command line, 3 refused by the machine or its state,
4 not observed in time, 5 not signed in, 6 no such host.

Examples:
  outband login --server https://outband.example:8443 --user alice --ca site-roots.pem
  outband list hosts --connected
  outband set host press-7 --power off --wait --timeout 2m
  outband watch press-7)";

struct raw {
  std::string format = "table", filter, host, power, policy = "ordered", timeout = "120s";
  bool connected = false, disconnected = false;
};

std::variant<power_target, power_once> power_of(const std::string& word) {
  for (auto once : {power_once::reset, power_once::cycle})
    if (word == to_string(once))
      return once;
  return parse_power_target(word).value_or(power_target::keep);
}

} // namespace

std::string_view power_word(const std::variant<power_target, power_once>& p) {
  if (const auto* once = std::get_if<power_once>(&p))
    return to_string(*once);
  return to_string(*std::get_if<power_target>(&p));
}

result<std::chrono::milliseconds> parse_duration(const std::string& text) {
  const auto digits = text.find_first_not_of("0123456789");
  const auto number = text.substr(0, digits);
  const auto unit = digits == std::string::npos ? std::string("s") : text.substr(digits);
  std::int64_t factor = unit == "ms"  ? 1
                        : unit == "s" ? 1000
                        : unit == "m" ? 60'000
                        : unit == "h" ? 3'600'000
                                      : 0;
  if (number.empty() || number.size() > 9 || factor == 0)
    return fail(problem::malformed, "'" + text + "' is not a time such as 120s, 2m or 500ms",
                "timeout");
  std::chrono::milliseconds out(std::stoll(number) * factor);
  if (out.count() == 0 || out > longest_wait)
    return fail(problem::malformed, "'" + text + "' is not between 1ms and 24h", "timeout");
  return out;
}

std::variant<command_line, parse_end> parse_command_line(std::vector<std::string> args) {
  command_line out;
  raw r;
  login_command login;
  watch_command watch;
  bool wait = false;

  CLI::App app{about, "outband"};
  app.footer(footer);
  app.require_subcommand(1);
  app.fallthrough(); // common options may follow the verb
  app.add_option("-o,--output", r.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->option_text("FORMAT");
  app.add_option("--server", out.common.server, "https://host:port")->option_text("URL");
  app.add_option("--tenant", out.common.tenant, "tenant to work in")->option_text("KEY");
  auto* ca = app.add_option("--ca", out.common.ca_file, "PEM file of the site's roots")
                 ->option_text("FILE");
  app.add_option("--broker", out.common.broker,
                 "where watch and --wait find the broker, if not where the server says")
      ->option_text("HOST:PORT");
  app.add_flag("--insecure", out.common.insecure,
               "do not verify the server: anybody in between reads the password")
      ->excludes(ca);

  auto* sign_in = app.add_subcommand("login", "sign in and remember server, tenant and token");
  sign_in->add_option("--user", login.user, "name; asked for if absent")->option_text("NAME");
  sign_in->add_flag("--password-stdin", login.password_stdin,
                    "read the password from standard input instead of asking");
  auto* sign_out = app.add_subcommand("logout", "forget the token");

  auto* list = app.add_subcommand("list", "list hosts");
  list->require_subcommand(1);
  auto* list_hosts = list->add_subcommand("hosts", "the machines of the tenant")->alias("host");
  list_hosts->add_option("--filter", r.filter, "text in id, GUID or name")->option_text("TEXT");
  auto* up = list_hosts->add_flag("--connected", r.connected, "only those with a tunnel");
  list_hosts->add_flag("--disconnected", r.disconnected, "only those without")->excludes(up);

  auto* get = app.add_subcommand("get", "show one host");
  get->require_subcommand(1);
  auto* get_host = get->add_subcommand("host", "what is wanted and what is known of it");
  get_host->add_option("ID", r.host, "id, GUID or name")->required();

  create_hosts_command create;
  auto* add = app.add_subcommand("create", "register machines");
  add->require_subcommand(1);
  auto* create_hosts =
      add->add_subcommand("hosts", "new ones, or new facts about known ones")->alias("host");
  create_hosts
      ->add_option("--file", create.file,
                   "JSON as for POST /api/v1/devices, one object or a list; -: standard input")
      ->required()
      ->option_text("FILE");

  auto* set = app.add_subcommand("set", "change one host");
  set->require_subcommand(1);
  auto* set_host = set->add_subcommand("host", "order a power state or a reset");
  set_host->add_option("ID", r.host, "id, GUID or name")->required();
  set_host->add_option("--power", r.power, "on, off, sleep, hibernate (kept), reset, cycle (once)")
      ->required()
      ->check(CLI::IsMember({"on", "off", "reset", "cycle", "sleep", "hibernate"}))
      ->option_text("WHAT");
  set_host
      ->add_option("--policy", r.policy,
                   "ordered: ask the operating system first; immediate: force at once")
      ->check(CLI::IsMember({"ordered", "immediate"}))
      ->option_text("POLICY");
  auto* wait_flag = set_host->add_flag("--wait", wait, "until it is observed");
  set_host->add_option("--timeout", r.timeout, "of --wait, 120s if not given")
      ->needs(wait_flag)
      ->option_text("TIME");

  auto* follow = app.add_subcommand("watch", "show what happens, until interrupted");
  follow->add_option("ID", watch.host, "id, GUID or name; all hosts if absent");
  follow->add_flag("--events-only", watch.events_only, "without states and tunnels");

  audit_command trail;
  auto* audit = app.add_subcommand("audit", "who asked what, and what came of it");
  audit->add_option("--host", trail.host, "id, GUID or name of the machine")->option_text("ID");
  audit->add_option("--by", trail.by, "name of who asked")->option_text("NAME");
  audit->add_option("--act", trail.act, "features.set, power.action, ...")->option_text("ACT");
  audit->add_option("--status", trail.status, "asked, done, failed, rejected, expired, unknown")
      ->check(CLI::IsMember({"asked", "done", "failed", "rejected", "expired", "unknown"}))
      ->option_text("STATUS");
  audit->add_option("--since", trail.since, "2026-11-21T10:00:00Z, or 30m, 24h, 7d before now")
      ->option_text("TIME");
  audit->add_option("--until", trail.until, "the same")->option_text("TIME");
  audit->add_option("--top", trail.top, "so many, the newest; 50 if not given")
      ->check(CLI::Range(1, 100'000))
      ->option_text("N");
  audit->add_subcommand("export", "all of them, one JSON object a line")
      ->callback([&] { trail.all = true; })
      ->fallthrough();

  auto* version = app.add_subcommand("version", "of this program and, if signed in, the server");

  auto wrong = [](const std::string& why) {
    return parse_end{2, "outband: " + why + "\n  See: outband --help\n"};
  };
  try {
    std::reverse(args.begin(), args.end()); // as CLI11 wants it
    app.parse(std::move(args));
  } catch (const CLI::ParseError& e) {
    std::ostringstream text, error;
    const auto code = app.exit(e, text, error);
    if (code == 0) // --help
      return parse_end{0, text.str()};
    return wrong(e.what());
  } catch (const std::exception& e) {
    return wrong(e.what());
  }

  out.common.format = r.format == "json" ? output::json : output::table;
  if (!out.common.tenant.empty() && !valid_tenant_key(out.common.tenant))
    return wrong("--tenant: '" + out.common.tenant +
                 "' is not a tenant's key: 1 to 20 of a-z, 0-9 and '-'");
  if ((get_host->parsed() || set_host->parsed()) && r.host.empty())
    return wrong("the host's name is empty");
  if (sign_in->parsed()) {
    out.what = login;
  } else if (sign_out->parsed()) {
    out.what = logout_command{};
  } else if (list_hosts->parsed()) {
    list_hosts_command c;
    c.filter.text = r.filter;
    if (r.connected || r.disconnected)
      c.filter.connected = r.connected;
    out.what = c;
  } else if (get_host->parsed()) {
    out.what = get_host_command{r.host};
  } else if (create_hosts->parsed()) {
    out.what = create;
  } else if (set_host->parsed()) {
    set_host_command c;
    c.host = r.host;
    c.power = power_of(r.power);
    c.policy = parse_power_policy(r.policy).value_or(power_policy::ordered);
    c.wait = wait;
    auto timeout = parse_duration(r.timeout);
    if (!timeout)
      return wrong("--timeout: " + timeout.error().detail);
    c.timeout = *timeout;
    out.what = c;
  } else if (follow->parsed()) {
    out.what = watch;
  } else if (audit->parsed()) {
    out.what = trail;
  } else if (version->parsed()) {
    out.what = version_command{};
  }
  return out;
}

} // namespace outband::cli
