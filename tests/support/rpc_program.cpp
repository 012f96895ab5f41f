// outband-test-rpc: plays `rpc` for one or for all machines of an outband-amtsim at once. For
// people and for measurements; tests use rpc_client.hpp.
//
//   outband-amtsim --factory --devices 500 --mei-dir d --lms-port 0 --control 127.0.0.1:9000 ...
//   outband-test-rpc --control 127.0.0.1:9000 --urls urls.txt --profile floor-3
//
// urls.txt has "<GUID> <URL>" lines; --url takes one URL for all, {guid} in it is replaced.
#include "tests/support/rpc_client.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <fstream>
#include <map>
#include <sys/resource.h>

namespace {

using namespace outband::test;
namespace asio = boost::asio;
using clock_type = std::chrono::steady_clock;

struct arguments {
  std::string control, url, urls;
  std::size_t at_once = 0;
  int version = 2;
  std::string command = "activate";
  bool stock = false;
  bool quiet = false;
  rpc_options how;
};

/// What outband-amtsim's control interface says to {"op":"list"}.
nlohmann::json machines_of(const std::string& address) {
  const auto colon = address.rfind(':');
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  socket.connect({asio::ip::make_address(address.substr(0, colon)),
                  static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1)))});
  asio::write(socket, asio::buffer(std::string("{\"op\":\"list\"}\n")));
  std::string line;
  asio::read_until(socket, asio::dynamic_buffer(line), '\n');
  return nlohmann::json::parse(line).at("machines");
}

std::map<std::string, std::string> read_urls(const std::string& file) {
  std::map<std::string, std::string> out;
  std::ifstream in(file);
  for (std::string guid, url; in >> guid >> url;)
    out[guid] = url;
  return out;
}

class crowd {
public:
  crowd(asio::io_context& io, const arguments& a) : io_(io), args_(a) {
    const auto urls = a.urls.empty() ? std::map<std::string, std::string>{} : read_urls(a.urls);
    for (const auto& m : machines_of(a.control)) {
      auto how = a.how;
      const auto guid = m.at("guid").get<std::string>();
      how.mei_path = m.value("mei", "");
      how.lms_port = m.value("lms_port", std::uint16_t{0});
      how.lms_tls_port = m.value("lms_tls_port", std::uint16_t{0});
      how.hostname = m.value("hostname", "");
      const auto own = urls.find(guid);
      how.url = own != urls.end() ? own->second : a.url;
      const auto place = how.url.find("{guid}");
      if (place != std::string::npos)
        how.url.replace(place, 6, guid);
      waiting_.emplace_back(guid, std::move(how));
    }
    began_ = clock_type::now();
    const auto first = a.at_once == 0 ? waiting_.size() : std::min(a.at_once, waiting_.size());
    for (std::size_t i = 0; i < first; ++i)
      start_next();
  }

  /// Prints the figures; the exit code.
  int report() {
    const std::chrono::duration<double> all = clock_type::now() - began_;
    std::sort(seconds_.begin(), seconds_.end());
    const auto at = [this](double share) {
      return seconds_.empty()
                 ? 0.0
                 : seconds_[static_cast<std::size_t>(share * double(seconds_.size() - 1))];
    };
    std::printf("%zu machines in %.2f s; each: p50 %.2f s, p99 %.2f s, at most %.2f s;",
                seconds_.size(), all.count(), at(0.5), at(0.99), at(1.0));
    for (const auto& [how, count] : ends_)
      std::printf(" %s %zu", how.c_str(), count);
    std::printf("\n");
    return ends_.size() == 1 && ends_.count("success") == 1 ? 0 : 1;
  }

private:
  void start_next() {
    if (waiting_.empty())
      return;
    auto [guid, how] = std::move(waiting_.front());
    waiting_.pop_front();
    const auto from = clock_type::now();
    handles_.push_back(
        start_rpc(io_, std::move(how), {}, [this, guid = guid, from](const rpc_outcome& got) {
          const std::chrono::duration<double> took = clock_type::now() - from;
          seconds_.push_back(took.count());
          ++ends_[std::string(to_string(got.how))];
          if (!args_.quiet)
            std::printf("%s %s: %s (%zu messages, %.2f s)\n", guid.c_str(),
                        std::string(to_string(got.how)).c_str(), got.why.c_str(),
                        got.sent + got.received, took.count());
          for (const auto& c : got.complaints)
            std::printf("%s complains: %s\n", guid.c_str(), c.c_str());
          start_next();
        }));
  }

  asio::io_context& io_;
  const arguments& args_;
  std::deque<std::pair<std::string, rpc_options>> waiting_;
  std::vector<std::shared_ptr<void>> handles_;
  std::vector<double> seconds_;
  std::map<std::string, std::size_t> ends_;
  clock_type::time_point began_;
};

int parse(int argc, char** argv, arguments& a) {
  CLI::App app{"Plays rpc for all machines of an outband-amtsim.", "outband-test-rpc"};
  app.add_option("--control", a.control, "control interface of the simulator, ADDRESS:PORT")
      ->required();
  app.add_option("--url", a.url, "for all machines; {guid} is replaced");
  app.add_option("--urls", a.urls, "file of '<GUID> <URL>' lines")->check(CLI::ExistingFile);
  app.add_option("--at-once", a.at_once, "0: all");
  app.add_option("--rpc", a.version, "2 or 3")->check(CLI::IsMember({2, 3}));
  app.add_option("--command", a.command)
      ->check(CLI::IsMember({"activate", "deactivate", "maintenance"}));
  app.add_option("--profile", a.how.profile);
  app.add_option("--password", a.how.password);
  app.add_option("--task", a.how.task);
  app.add_option("--tenant", a.how.tenant);
  app.add_option("--dns", a.how.dns_suffix);
  app.add_flag("--force", a.how.force);
  app.add_flag("--tls-tunnel", a.how.tls_tunnel);
  app.add_flag("--stock-timing", a.stock, "wait as the Go client does");
  app.add_flag("--quiet", a.quiet, "only the figures");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? -1 : 2;
  }
  a.how.version = a.version == 2 ? rpc_version::v2 : rpc_version::v3;
  a.how.command = a.command == "activate"     ? rpc_command::activate
                  : a.command == "deactivate" ? rpc_command::deactivate
                                              : rpc_command::maintenance;
  if (a.stock)
    a.how.timing = rpc_timing::stock(a.how.version);
  else
    a.how.timing.give_up = std::chrono::minutes(10);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  arguments a;
  if (const int no = parse(argc, argv, a); no != 0)
    return no < 0 ? 0 : no;
  std::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  try {
    asio::io_context io{1};
    crowd all(io, a);
    io.run();
    return all.report();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "outband-test-rpc: %s\n", e.what());
    return 1;
  }
}
