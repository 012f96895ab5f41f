/// A server without sockets and a world without a terminal, for tests of the CLI.
#pragma once

#include "tools/cli/run.hpp"

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <sstream>

namespace outband::cli::test {

inline const uuid sim1 = *parse_uuid("11111111-2222-4333-8444-555555555555");
inline const uuid sim2 = *parse_uuid("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee");
inline const uuid order_id = *parse_uuid("01890000-0000-7000-8000-000000000001");

/// Answers by "METHOD /path"; what nobody prepared is 404 as the server would say it.
class fake_server {
public:
  std::map<std::string, std::deque<result<https::answer>>> answers;
  std::vector<https::request> seen;
  std::vector<https::options> connected;
  /// Called for each request before it is answered.
  std::function<void(const https::request&)> on_request;

  /// The last one prepared is repeated.
  fake_server& say(const std::string& what, int status, const std::string& body) {
    answers[what].push_back(https::answer{status, "application/json", body});
    return *this;
  }
  fake_server& break_off(const std::string& what, failure why) {
    answers[what].push_back(std::move(why));
    return *this;
  }
  const https::request* last(const std::string& method, const std::string& path) const {
    for (auto at = seen.rbegin(); at != seen.rend(); ++at)
      if (at->method == method && at->path == path)
        return &*at;
    return nullptr;
  }
  result<https::answer> exchange(const https::request& q) {
    seen.push_back(q);
    if (on_request)
      on_request(q);
    auto at = answers.find(q.method + " " + q.path);
    if (at == answers.end())
      return https::answer{404, "application/json",
                           R"({"error":"NOT FOUND","errorDescription":"no such route",)"
                           R"("message":"no such route","code":"not-found"})"};
    auto out = at->second.front();
    if (at->second.size() > 1)
      at->second.pop_front();
    return out;
  }
};

class fake_transport final : public https::transport {
public:
  explicit fake_transport(fake_server& s) : server_(s) {}
  result<https::answer> exchange(const https::request& q) override { return server_.exchange(q); }

private:
  fake_server& server_;
};

inline std::string header(const https::request& q, const std::string& name) {
  for (const auto& [n, v] : q.headers)
    if (n == name)
      return v;
  return {};
}

/// A folder that goes with it.
class temporary_folder {
public:
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "outband-cli-XXXXXX").string();
    if (!::mkdtemp(name.data()))
      std::abort();
    path = name;
  }
  ~temporary_folder() {
    std::error_code ec;
    std::filesystem::remove_all(path, ec);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  std::filesystem::path path;
};

inline const char* host_sim1 =
    R"({"resourceId":"host-19c51b17","name":"sim-1","hostname":"press.example",)"
    R"("uuid":"11111111-2222-4333-8444-555555555555",)"
    R"("desiredPowerState":"POWER_STATE_OFF","currentPowerState":"POWER_STATE_ON",)"
    R"("powerStatus":"Powering off","powerStatusIndicator":"STATUS_INDICATION_IN_PROGRESS",)"
    R"("powerStatusTimestamp":1780000000,"powerCommandPolicy":"POWER_COMMAND_POLICY_ORDERED",)"
    R"("amtVersion":"16.1.25","power":{"wanted":"off","actual":"on",)"
    R"("since":"2026-05-28T20:00:00.000Z","observedAt":"2026-05-28T20:26:35.000Z",)"
    R"("converged":false,"difference":{"type":"power","code":"in-progress",)"
    R"("reason":"Asking the firmware for off.","since":"2026-05-28T20:26:40.000Z"}},)"
    R"("link":{"state":"up","instance":"n1","why":"","since":"2026-05-28T19:00:00.000Z"}})";
/// As a server of EMF would send it: without our own members.
inline const char* host_sim2 =
    R"({"resourceId":"host-2bcab5ae","name":"sim-2","uuid":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",)"
    R"("desiredPowerState":"POWER_STATE_UNSPECIFIED","currentPowerState":"POWER_STATE_UNSPECIFIED",)"
    R"("powerStatus":"Unknown","powerStatusIndicator":"STATUS_INDICATION_UNSPECIFIED",)"
    R"("powerStatusTimestamp":0,"powerCommandPolicy":"POWER_COMMAND_POLICY_IMMEDIATE"})";

struct stage {
  fake_server server;
  temporary_folder home;
  std::map<std::string, std::string> variables;
  std::ostringstream out, err;
  std::deque<std::string> typed; ///< what the person answers
  std::vector<std::string> prompts;
  std::string piped; ///< standard input
  std::map<std::string, std::string> files;
  bus_opener open_bus;

  stage() { variables["XDG_CONFIG_HOME"] = home.path.string(); }

  /// With a server and a token, as after a login.
  void signed_in() {
    session s;
    s.server = "https://outband.example:8443";
    s.tenant = "demo";
    s.token = "t0ken";
    s.user = "alice";
    auto ok = save_session((home.path / "outband" / "config.json").string(), s);
    if (!ok)
      std::abort();
  }
  void two_hosts() {
    server.say("GET /compute/hosts?pageSize=100&offset=0", 200,
               R"({"hosts":[)" + std::string(host_sim2) + "," + host_sim1 +
                   R"(],"totalElements":2,"hasNext":false})");
    for (const auto* named : {"sim-1", "host-19c51b17", "11111111-2222-4333-8444-555555555555"})
      server.say(std::string("GET /compute/hosts/") + named, 200, host_sim1);
  }
  int run(const std::vector<std::string>& args) {
    world w{out,
            err,
            [this](const char* name) -> std::optional<std::string> {
              auto at = variables.find(name);
              return at == variables.end() ? std::nullopt : std::optional(at->second);
            },
            [this](const std::string& prompt, bool) -> result<std::string> {
              prompts.push_back(prompt);
              if (typed.empty())
                return fail(problem::malformed, "There is no terminal.", "usage");
              auto line = typed.front();
              typed.pop_front();
              return line;
            },
            [this]() -> result<std::string> { return piped; },
            [this](const std::string& name) -> result<std::string> {
              auto at = files.find(name);
              if (at == files.end())
                return fail(problem::malformed, "'" + name + "' cannot be opened.", "usage");
              return at->second;
            },
            [this](const https::options& o) -> result<std::unique_ptr<https::transport>> {
              server.connected.push_back(o);
              return std::unique_ptr<https::transport>(std::make_unique<fake_transport>(server));
            },
            open_bus,
            [] { return time_ms{1'780'000'000'000}; },
            [] {
              return order_id;
            }};
    return cli::run(args, w);
  }
  std::string config() const { return (home.path / "outband" / "config.json").string(); }
};

} // namespace outband::cli::test
