// outband-amtsim: simulated Intel AMT machines. See options.cpp for the command line, control.hpp
// for what a test can make of it.
#include "tools/amtsim/control.hpp"
#include "tools/amtsim/events.hpp"
#include "tools/amtsim/fleet.hpp"
#include "tools/amtsim/on_die.hpp"
#include "tools/amtsim/options.hpp"
#include "tools/amtsim/state_file.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <sys/resource.h>

namespace {

using namespace outband;
using namespace outband::amtsim;
namespace asio = boost::asio;

constexpr std::chrono::milliseconds save_every{500};

/// A failure that ends the program with its own exit code.
struct fatal {
  int code;
  std::string why;
};

/// Thousands of tunnels are thousands of descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

asio::ip::tcp::endpoint resolve(asio::io_context& io, const options& how) {
  if (how.server_host.empty())
    return {};
  boost::system::error_code ec;
  asio::ip::tcp::resolver resolver(io);
  const auto found = resolver.resolve(how.server_host, how.server_port, ec);
  if (ec || found.empty())
    throw fatal{exit_server, "the server '" + how.server_host + ":" + how.server_port +
                                 "' cannot be resolved: " + ec.message()};
  return found.begin()->endpoint();
}

class program {
public:
  explicit program(const options& how) : how_(how), signals_(io_, SIGINT, SIGTERM), save_(io_) {
    auto who = make_identities(how.machines);
    if (!how.devices_file.empty()) {
      // Passwords: for the owner's eyes only.
      const auto why =
          write_file(how.devices_file, devices_json(who, how.machines, how.shared.kind), 0600);
      if (!why.empty())
        throw fatal{exit_file, why};
    }
    if (!how.on_die_file.empty()) {
      const auto why = write_file(how.on_die_file, how.shared.on_die->root_pem(), 0644);
      if (!why.empty())
        throw fatal{exit_file, why};
    }
    const auto server = resolve(io_, how);
    try {
      fleet_.emplace(io_, how_, std::move(who), server);
    } catch (const std::runtime_error& e) {
      throw fatal{how_.server_host.empty() || how_.lan_port || how_.lan_tls_port || how_.lms_port ||
                          how_.lms_tls_port || !how_.mei_dir.empty()
                      ? exit_control
                      : exit_server,
                  e.what()};
    }
    restore();
    if (!how.control.empty()) {
      try {
        control_ = std::make_unique<control>(io_, *fleet_, how.control);
      } catch (const std::runtime_error& e) {
        throw fatal{exit_control, e.what()};
      }
    }
  }

  int run() {
    fleet_->on_event([this](const machine_event& e) { happened(e); });
    signals_.async_wait([this](boost::system::error_code ec, int) {
      if (!ec)
        io_.stop();
    });
    if (!how_.quiet) {
      std::printf("%zu machine%s", fleet_->size(), fleet_->size() == 1 ? "" : "s");
      if (!how_.server_host.empty())
        std::printf(", server %s:%s", how_.server_host.c_str(), how_.server_port.c_str());
      if (how_.lan_port || how_.lan_tls_port)
        std::printf(", on the LAN from %s", how_.lan_address.to_string().c_str());
      std::printf("\n");
      if (control_)
        std::printf("control interface on %s\n", control_->address().c_str());
      std::fflush(stdout);
    }
    started_ = std::chrono::steady_clock::now();
    fleet_->start();
    if (!how_.state_file.empty())
      save_later();
    io_.run();
    control_.reset();
    fleet_->stop();
    if (how_.state_file.empty())
      return exit_clean;
    const auto why = write_state(how_.state_file, fleet_->reports_now());
    if (why.empty())
      return exit_clean;
    std::fprintf(stderr, "%s\n", why.c_str());
    return exit_file;
  }

private:
  void restore() {
    if (how_.state_file.empty())
      return;
    try {
      for (const auto& [guid, state] : read_state(how_.state_file))
        fleet_->restore(guid, state.power, state.boots, state.kept);
    } catch (const std::runtime_error& e) {
      throw fatal{exit_file, e.what()};
    }
  }

  void happened(const machine_event& e) {
    if (control_)
      control_->tell(e);
    if (how_.print_events) {
      std::printf("%s\n", sentence(e).c_str());
      std::fflush(stdout);
    }
    const auto* link = std::get_if<link_event>(&e.what);
    if (link == nullptr)
      return;
    connected_ += link->up ? 1 : -1;
    if (how_.quiet || all_said_ || connected_ < static_cast<long>(fleet_->size()))
      return;
    all_said_ = true;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started_;
    std::printf("all machines are connected, after %.1f s\n", took.count());
    std::fflush(stdout);
  }

  void save_later() {
    save_.expires_after(save_every);
    save_.async_wait([this](boost::system::error_code ec) {
      if (ec)
        return;
      if (!fleet_->take_changed())
        return save_later();
      fleet_->reports(nullptr, [this](const std::vector<machine_report>& all) {
        const auto why = write_state(how_.state_file, all);
        if (!why.empty())
          std::fprintf(stderr, "%s\n", why.c_str());
        save_later();
      });
    });
  }

  const options& how_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer save_;
  std::optional<fleet> fleet_;
  std::unique_ptr<control> control_;
  std::chrono::steady_clock::time_point started_;
  long connected_ = 0;
  bool all_said_ = false;
};

} // namespace

int main(int argc, char** argv) {
  auto parsed = parse_options(argc, argv);
  if (const auto* code = std::get_if<int>(&parsed))
    return *code;
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  try {
    program p(std::get<options>(parsed));
    return p.run();
  } catch (const fatal& f) {
    std::fprintf(stderr, "outband-amtsim: %s\n", f.why.c_str());
    return f.code;
  }
}
