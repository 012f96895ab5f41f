#include "tools/cli/session.hpp"

#include "messages/rest/json.hpp"
#include "tools/cli/outcome.hpp"
#include "tools/common/https_client.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace outband::cli {

namespace {

constexpr std::size_t max_file = 65536;

failure io_failure(const std::string& what, const std::string& path) {
  return fail(problem::internal, what + " " + path + ": " + std::strerror(errno));
}

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }

private:
  int fd_;
};

result<std::string> read_all(int fd, const std::string& path) {
  std::string out;
  char part[4096];
  for (;;) {
    auto n = ::read(fd, part, sizeof part);
    if (n < 0)
      return io_failure("cannot read", path);
    if (n == 0)
      return out;
    out.append(part, static_cast<std::size_t>(n));
    if (out.size() > max_file)
      return fail(problem::too_large, path + " is larger than a configuration can be");
  }
}

std::string text_of(const json::value& v, std::string_view name) {
  const auto* m = v.find(name);
  const auto* t = m ? m->text() : nullptr;
  return t ? *t : std::string();
}

} // namespace

std::string config_path(const get_env& env) {
  if (auto xdg = env("XDG_CONFIG_HOME"); xdg && !xdg->empty())
    return *xdg + "/outband/config.json";
  if (auto home = env("HOME"); home && !home->empty())
    return *home + "/.config/outband/config.json";
  return {};
}

result<session> load_session(const std::string& path) {
  if (path.empty())
    return session{};
  descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return session{};
    return io_failure("cannot open", path);
  }
  struct stat st {};
  if (::fstat(file.get(), &st) != 0)
    return io_failure("cannot look at", path);
  if ((st.st_mode & 077) != 0)
    return fail(problem::forbidden,
                path + " holds a token and may be read by others; run: chmod 600 " + path);
  auto text = read_all(file.get(), path);
  if (!text)
    return text.error();
  auto v = json::parse(*text);
  if (!v || !v->members())
    return fail(problem::malformed,
                path + " cannot be read; remove it and sign in again: outband login");
  session s;
  s.server = text_of(*v, "server");
  s.tenant = text_of(*v, "tenant");
  s.ca_file = text_of(*v, "ca");
  s.broker = text_of(*v, "broker");
  s.token = text_of(*v, "token");
  s.user = text_of(*v, "user");
  if (const auto* i = v->find("insecure"); i && i->boolean())
    s.insecure = *i->boolean();
  return s;
}

status save_session(const std::string& path, const session& s) {
  if (path.empty())
    return fail(problem::malformed, "Neither XDG_CONFIG_HOME nor HOME says where to remember it.",
                usage_field);
  namespace fs = std::filesystem;
  const fs::path target(path);
  std::error_code ec;
  if (const auto folder = target.parent_path(); !fs::exists(folder, ec)) {
    fs::create_directories(folder, ec);
    if (!ec)
      fs::permissions(folder, fs::perms::owner_all, ec);
    if (ec)
      return fail(problem::internal,
                  "cannot make the folder " + folder.string() + ": " + ec.message());
  }
  json::object o;
  o.push_back({"server", s.server});
  o.push_back({"tenant", s.tenant});
  if (!s.ca_file.empty())
    o.push_back({"ca", s.ca_file});
  if (!s.broker.empty())
    o.push_back({"broker", s.broker});
  if (s.insecure)
    o.push_back({"insecure", true});
  o.push_back({"user", s.user});
  if (!s.token.empty())
    o.push_back({"token", s.token});
  const auto text = json::dump(json::value(std::move(o))) + "\n";

  auto temporary = path + ".XXXXXX";
  descriptor file(::mkostemp(temporary.data(), O_CLOEXEC)); // mode 0600
  if (file.get() < 0)
    return io_failure("cannot write", temporary);
  const auto n = ::write(file.get(), text.data(), text.size());
  if (n != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    auto why = io_failure("cannot write", path);
    ::unlink(temporary.c_str());
    return why;
  }
  return success();
}

result<session> merged_session(const session& stored, const common_options& given,
                               const get_env& env) {
  auto from_env = [&](const char* name) {
    return env(name).value_or("");
  };
  session out = stored;
  auto server = given.server.empty() ? from_env("OUTBAND_SERVER") : given.server;
  if (!server.empty()) {
    auto parsed = https::parse_server(server);
    if (!parsed)
      return fail(problem::malformed, "The server " + parsed.error().detail + ".", usage_field);
    if (parsed->url != stored.server)
      out = session{}; // nothing that one server gave is shown to another
    out.server = parsed->url;
  }
  auto tenant = given.tenant.empty() ? from_env("OUTBAND_TENANT") : given.tenant;
  if (!tenant.empty() && !valid_tenant_key(tenant))
    return fail(problem::malformed, "OUTBAND_TENANT: '" + tenant + "' is not a tenant's key.",
                usage_field);
  if (!tenant.empty())
    out.tenant = tenant;
  auto ca = given.ca_file.empty() ? from_env("OUTBAND_CA") : given.ca_file;
  if (!ca.empty() && !given.insecure) {
    std::error_code ec;
    out.ca_file = std::filesystem::absolute(ca, ec).string();
    if (ec || ::access(out.ca_file.c_str(), R_OK) != 0)
      return fail(problem::malformed, "The file of roots '" + ca + "' cannot be read.",
                  usage_field);
    out.insecure = false;
  }
  if (given.insecure) {
    out.insecure = true;
    out.ca_file.clear();
  }
  auto broker = given.broker.empty() ? from_env("OUTBAND_BROKER") : given.broker;
  if (!broker.empty()) {
    auto parsed = https::parse_server(broker);
    if (!parsed || broker.find("://") != std::string::npos)
      return fail(problem::malformed, "The broker '" + broker + "' is not of the form HOST:PORT.",
                  usage_field);
    out.broker = broker;
  }
  if (auto token = from_env("OUTBAND_TOKEN"); !token.empty()) {
    out.token = token;
    out.user.clear();
  }
  return out;
}

} // namespace outband::cli
