// outbandd: reads its configuration, starts, waits for a signal, stops.
#include "gateway/config/config.hpp"
#include "gateway/main/clock.hpp"
#include "gateway/main/logging.hpp"
#include "gateway/main/program.hpp"
#include "gateway/main/site_files.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <sys/resource.h>

namespace {

int fail_start(const outband::failure& why) {
  std::fprintf(stderr, "outbandd: %s\n", to_string(why).c_str());
  return 1;
}

/// A tunnel is a descriptor: take what the system lets us have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

} // namespace

int main(int argc, char** argv) {
  using namespace outband;

  CLI::App app{"outbandd manages Intel AMT machines out of band.", "outbandd"};
  std::string file;
  bool print = false, write_broker = false;
  app.add_option("--config", file, "YAML file; every key can also be an OUTBAND_... variable");
  app.add_flag("--print-config", print, "show what is in effect, without secrets, and end");
  app.add_flag("--write-broker-config", write_broker,
               "make certificates and the broker's configuration under data_dir, and end");
  app.set_version_flag("--version", "outbandd 0.1.0");
  CLI11_PARSE(app, argc, argv);

  config::sources from;
  from.env = config::process_environment();
  if (!file.empty()) {
    auto text = config::read_file(file);
    if (!text)
      return fail_start(text.error());
    from.yaml = std::move(*text);
    from.file_name = file;
  }
  auto settings = config::load(from);
  if (!settings)
    return fail_start(settings.error());
  if (print) {
    std::fputs(settings->print().c_str(), stdout);
    return 0;
  }

  // Signals go to sigwait() below; threads started from here on inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();

  auto site = open_site_files(*settings, system_clock().now());
  if (!site)
    return fail_start(site.error());
  if (write_broker) {
    auto written = write_broker_files(*settings, *site);
    if (!written)
      return fail_start(written.error());
    std::printf("%s\n", written->c_str());
    return 0;
  }

  start_logging(settings->text("log.level"), settings->flag("log.json"));
  int code = 0;
  {
    program p(std::move(*settings), std::move(*site));
    // A signal ends the waiting as it ends the work.
    const auto wait = [&signals](std::chrono::milliseconds span) {
      timespec limit{};
      limit.tv_sec = span.count() / 1000;
      limit.tv_nsec = span.count() % 1000 * 1'000'000;
      return sigtimedwait(&signals, nullptr, &limit) < 0;
    };
    if (auto started = p.start(wait); !started) {
      spdlog::critical("cannot start: {}", to_string(started.error()));
      code = 1;
    } else {
      int got = 0;
      sigwait(&signals, &got);
      spdlog::info("signal {}", got);
    }
    p.stop();
  }
  stop_logging();
  return code;
}
