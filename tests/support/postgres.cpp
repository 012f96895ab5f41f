#include "tests/support/postgres.hpp"

#include "tests/support/ports.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <pwd.h>
#include <stdexcept>
#include <unistd.h>

namespace outband::test {

namespace {

const char owner[] = "postgres";

process_options as_owner(const std::string& directory) {
  process_options o;
  o.directory = directory;
  o.user = ::geteuid() == 0 ? owner : "";
  return o;
}

/// Debian keeps the server's programs off PATH, one folder per version: the newest.
std::string server_programs() {
  std::filesystem::path versions("/usr/lib/postgresql");
  int best = 0;
  if (std::filesystem::is_directory(versions))
    for (const auto& entry : std::filesystem::directory_iterator(versions))
      if (std::filesystem::exists(entry.path() / "bin" / "initdb"))
        best = std::max(best, std::atoi(entry.path().filename().c_str()));
  if (best != 0)
    return (versions / std::to_string(best) / "bin").string();
  auto found = find_program("initdb");
  if (found.empty())
    throw std::runtime_error("PostgreSQL's server is not installed");
  return std::filesystem::path(found).parent_path().string();
}

std::string run(const std::vector<std::string>& argv, process_options options) {
  process p(argv, std::move(options));
  auto status = p.wait();
  if (!status || *status != 0)
    throw std::runtime_error(argv.front() + " failed:\n" + p.output());
  p.wait_output("\x01"); // until the end of the output: psql prints no such octet
  return p.output();
}

} // namespace

postgres::postgres(bool lasting)
    : programs_(server_programs()), port_(free_port()), lasting_(lasting) {
  if (::geteuid() == 0) {
    auto* entry = ::getpwnam(owner);
    if (!entry || ::chown(folder_.path().c_str(), entry->pw_uid, entry->pw_gid) != 0)
      throw std::runtime_error("there is no user postgres to run the server");
  }
  run({programs_ + "/initdb", "-D", folder_.file("data"), "-U", "outband", "--auth=trust", "-E",
       "UTF8", "--locale=C", "--no-sync"},
      as_owner(folder_.path()));
  start();
}

postgres::~postgres() {
  if (server_ && server_->running())
    kill();
}

void postgres::start() {
  const std::string on_disk = lasting_ ? "on" : "off";
  const std::vector<std::string> argv{programs_ + "/postgres",
                                      "-D",
                                      folder_.file("data"),
                                      "-p",
                                      std::to_string(port_),
                                      "-c",
                                      "listen_addresses=127.0.0.1",
                                      "-c",
                                      "unix_socket_directories=" + folder_.path(),
                                      "-c",
                                      "fsync=" + on_disk,
                                      "-c",
                                      "full_page_writes=" + on_disk,
                                      "-c",
                                      "max_connections=200"};
  // After a kill the kernel may still be taking the former server's memory and port apart; the new
  // one then ends at once.
  auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    server_ = std::make_unique<process>(argv, as_owner(folder_.path()));
    if (server_->wait_output("ready to accept connections"))
      return;
    if (std::chrono::steady_clock::now() > until)
      throw std::runtime_error("PostgreSQL did not start:\n" + server_->output());
  }
}

void postgres::stop() {
  server_->signal(SIGINT); // "fast": sessions are ended, transactions rolled back
  server_->wait();
}

void postgres::signal_all(int number) {
  auto pid = std::to_string(server_->pid());
  std::ifstream file("/proc/" + pid + "/task/" + pid + "/children");
  for (pid_t child = 0; file >> child;)
    ::kill(child, number);
}

void postgres::kill() {
  server_->signal(SIGSTOP); // no new children from now on
  signal_all(SIGKILL);
  server_->signal(SIGKILL);
  server_->wait();
}

void postgres::pause() {
  server_->signal(SIGSTOP);
  signal_all(SIGSTOP);
}

void postgres::resume() {
  signal_all(SIGCONT);
  server_->signal(SIGCONT);
}

std::string postgres::dsn(const std::string& database) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=outband dbname=" + database;
}

std::string postgres::create_database() {
  auto name = "db" + std::to_string(++databases_);
  sql("postgres", "create database " + name);
  return name;
}

std::string postgres::sql(const std::string& database, const std::string& statements) const {
  auto psql = find_program("psql");
  if (psql.empty())
    throw std::runtime_error("psql is not installed");
  auto out = run(
      {psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements, dsn(database)}, {});
  while (!out.empty() && out.back() == '\n')
    out.pop_back();
  return out;
}

} // namespace outband::test
