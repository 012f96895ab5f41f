#include "tools/cli/run.hpp"

#include "messages/rest/json.hpp"
#include "tools/cli/runner.hpp"
#include "tools/cli/text.hpp"

#include <ostream>

namespace outband::cli {

namespace {
constexpr const char* program_version = OUTBAND_VERSION; // from CMake
}

status runner::connect() {
  if (as_.server.empty())
    return fail(problem::unauthenticated, "You are not signed in to a server.");
  if (as_.insecure)
    with_.err << "outband: warning: the server is not verified (--insecure)\n";
  auto made = with_.connect({as_.server, as_.ca_file, as_.insecure});
  if (!made)
    return made.error();
  transport_ = std::move(*made);
  return success();
}

result<exit_code> runner::operator()(const list_hosts_command& c) {
  if (auto ok = connect(); !ok)
    return ok.error();
  auto all = api(*transport_, as_).hosts();
  if (!all)
    return all.error();
  std::vector<host> shown;
  for (auto& h : *all)
    if (matches(h, c.filter))
      shown.push_back(std::move(h));
  with_.out << (json() ? hosts_json(shown) : hosts_table(shown));
  return exit_code::ok;
}

result<exit_code> runner::operator()(const get_host_command& c) {
  if (auto ok = connect(); !ok)
    return ok.error();
  auto h = api(*transport_, as_).find_host(c.host);
  if (!h)
    return h.error();
  with_.out << (json() ? host_json(*h) : host_table(*h));
  return exit_code::ok;
}

result<exit_code> runner::operator()(const create_hosts_command& c) {
  if (auto ok = connect(); !ok)
    return ok.error();
  auto devices = with_.read_file(c.file);
  if (!devices)
    return devices.error();
  if (devices->empty())
    return fail(problem::malformed, "'" + c.file + "' is empty.", usage_field);
  auto made = api(*transport_, as_).create_hosts(*devices);
  if (!made)
    return made.error();
  if (json()) {
    json::array all;
    for (const auto& g : *made)
      all.push_back(to_string(g));
    with_.out << json::dump(json::object{{"guids", std::move(all)}}) << "\n";
  } else {
    with_.out << made->size() << (made->size() == 1 ? " host" : " hosts") << " registered.\n";
  }
  return exit_code::ok;
}

result<exit_code> runner::operator()(const version_command&) {
  std::string server;
  if (!as_.server.empty()) {
    auto ok = connect();
    auto told = ok ? api(*transport_, as_).server_version() : result<std::string>(ok.error());
    if (told)
      server = *told;
    else
      with_.err << words_of(told.error(), as_.server);
  }
  if (json())
    with_.out << json::dump(json::object{
                     {"version", program_version},
                     {"server", as_.server},
                     {"serverVersion", server.empty() ? json::value() : json::value(server)}})
              << "\n";
  else {
    with_.out << "outband " << program_version << "\n";
    if (!server.empty())
      with_.out << printable("server " + server + " (" + as_.server + ")") << "\n";
  }
  return exit_code::ok;
}

int run(const std::vector<std::string>& args, world& with) {
  auto parsed = parse_command_line(args);
  if (const auto* end = std::get_if<parse_end>(&parsed)) {
    (end->code == 0 ? with.out : with.err) << end->text;
    return end->code;
  }
  const auto& line = std::get<command_line>(parsed);
  std::string server;
  auto ended = [&]() -> result<exit_code> {
    const auto path = config_path(with.env);
    auto stored = load_session(path);
    if (!stored)
      return stored.error();
    auto as = merged_session(*stored, line.common, with.env);
    if (!as)
      return as.error();
    server = as->server;
    return std::visit(runner(with, line, std::move(*as), path), line.what);
  }();
  if (ended)
    return static_cast<int>(*ended);
  const auto& why = ended.error();
  if (line.common.format == output::json)
    with.out << json::dump(json::object{
                    {"error",
                     json::object{{"code", code_of(why)},
                                  {"field", why.field},
                                  {"text", why.detail.empty() ? std::string(explain(why.what).what)
                                                              : why.detail}}}})
             << "\n";
  with.err << words_of(why, server);
  return static_cast<int>(exit_of(why));
}

} // namespace outband::cli
