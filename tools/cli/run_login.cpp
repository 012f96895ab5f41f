#include "messages/rest/json.hpp"
#include "tools/cli/runner.hpp"
#include "tools/cli/text.hpp"

#include <algorithm>
#include <ostream>

namespace outband::cli {

result<exit_code> runner::operator()(const login_command& c) {
  if (as_.server.empty())
    return fail(problem::malformed, "Which server? Name it with --server https://host:port",
                usage_field);
  as_.token.clear();
  if (auto ok = connect(); !ok)
    return ok.error();
  auto user = c.user;
  if (user.empty()) {
    auto given = with_.ask("User: ", false);
    if (!given)
      return given.error();
    user = *given;
  }
  auto password =
      c.password_stdin ? with_.read_line() : with_.ask("Password of " + user + ": ", true);
  if (!password)
    return password.error();
  if (user.empty() || password->empty())
    return fail(problem::malformed, "A user name and a password are needed.", usage_field);

  auto wanted = std::exchange(as_.tenant, {}); // whether it exists is told after signing in
  api server(*transport_, as_);
  auto token = server.sign_in(user, *password);
  if (!token) {
    auto why = token.error();
    if (why.what == problem::unauthenticated && why.field.empty() && why.detail.empty())
      why.detail = "Wrong user name or password.";
    return why;
  }
  as_.token = *token;
  as_.user = user;
  auto all = server.tenants();
  if (!all)
    return all.error();
  auto has = [&](const std::string& key) {
    return std::any_of(all->begin(), all->end(), [&](const tenant& t) { return t.key == key; });
  };
  std::string others;
  for (const auto& t : *all)
    others += (others.empty() ? "" : ", ") + t.key;
  const bool named = !line_.common.tenant.empty() || with_.env("OUTBAND_TENANT");
  if (!wanted.empty() && !has(wanted)) {
    if (named)
      return fail(problem::not_found, user + " has no role in the tenant '" + wanted +
                                          "'; there is: " + (others.empty() ? "none" : others));
    wanted.clear(); // remembered from another user
  }
  if (wanted.empty() && all->size() == 1)
    wanted = all->front().key;
  as_.tenant = wanted;
  auto me = server.who();
  if (!me)
    return me.error();
  as_.tenant = me->tenant;
  if (auto ok = save_session(path_, as_); !ok)
    return ok.error();
  if (json()) {
    with_.out << json::dump(json::object{{"server", as_.server},
                                         {"user", me->name},
                                         {"tenant", me->tenant},
                                         {"role", me->role}})
              << "\n";
  } else {
    with_.out << printable("Signed in to " + as_.server + " as " + me->name + ", " + me->role +
                           " of tenant " + me->tenant + ".")
              << "\n";
    if (all->size() > 1)
      with_.out << printable("Tenants: " + others + "; another one: --tenant KEY.") << "\n";
  }
  return exit_code::ok;
}

result<exit_code> runner::operator()(const logout_command&) {
  auto stored = load_session(path_);
  if (!stored)
    return stored.error();
  const bool had = !stored->token.empty();
  if (had) {
    stored->token.clear();
    if (auto ok = save_session(path_, *stored); !ok)
      return ok.error();
  }
  if (!json())
    with_.out << (had ? "Signed out: the token is forgotten here and ends by itself.\n"
                      : "Nobody was signed in.\n");
  if (with_.env("OUTBAND_TOKEN"))
    with_.err << "outband: OUTBAND_TOKEN is still set in this shell.\n";
  return exit_code::ok;
}

} // namespace outband::cli
