/// bench-floor: the bare loop as a program. Orders come by standard input, one a line, answers go
/// to standard output, one JSON object a line:
///
///   up                        {"up":N}
///   read AT_A_TIME SECONDS    power states of so many machines at once, see floor_server.hpp
///   echo                      {"echo":PORT}, see echo_server.hpp
///   tell                      from now on {"gone":"GUID"} for each tunnel that ends
///
/// The first line it writes is {"port":N}. It ends with its standard input.
#include "tools/bench/echo_server.hpp"
#include "tools/bench/floor_server.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>

#include <csignal>

namespace {

using namespace outband::bench;

class orders final : public watcher {
public:
  explicit orders(loop& io) { io.add_level(STDIN_FILENO, *this); }
  bool over() const { return over_; }
  /// The next line, if there is one.
  bool take(std::string& line) {
    const auto end = text_.find('\n');
    if (end == std::string::npos)
      return false;
    line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return true;
  }
  void ready(std::uint32_t) override {
    char buffer[512];
    const auto n = read(STDIN_FILENO, buffer, sizeof buffer);
    if (n <= 0)
      over_ = true;
    else
      text_.append(buffer, static_cast<std::size_t>(n));
  }

private:
  std::string text_;
  bool over_ = false;
};

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

struct everything {
  loop& io;
  SSL_CTX* tls;
  floor_server& server;
  std::unique_ptr<echo_server> echo{};
};

void obey(everything& all, const std::string& line) {
  auto& server = all.server;
  std::istringstream words(line);
  std::string what;
  words >> what;
  if (what == "up") {
    say("{\"up\":" + std::to_string(server.up()) + "}");
  } else if (what == "echo") {
    if (!all.echo)
      all.echo = std::make_unique<echo_server>(all.io, all.tls);
    say("{\"echo\":" + std::to_string(all.echo->port()) + "}");
  } else if (what == "tell") {
    server.gone = [](const std::string& guid) {
      say("{\"gone\":\"" + guid + "\"}");
    };
    say("{\"tell\":true}");
  } else if (what == "read") {
    std::size_t at_a_time = 1;
    double seconds = 1;
    words >> at_a_time >> seconds;
    auto r = server.read_power(at_a_time, std::chrono::duration_cast<clock::duration>(
                                              std::chrono::duration<double>(seconds)));
    std::ostringstream out;
    out << "{\"count\":" << r.count << ",\"failed\":" << r.failed << ",\"seconds\":" << r.seconds
        << ",\"p50_ms\":" << r.milliseconds.quantile(0.5)
        << ",\"p99_ms\":" << r.milliseconds.quantile(0.99) << "}";
    say(out.str());
  } else {
    say("{\"error\":\"unknown order\"}");
  }
}

int run(int argc, char** argv) {
  std::string chain, key;
  int threads = 1, port = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--cert")
      chain = argv[i + 1];
    else if (name == "--key")
      key = argv[i + 1];
    else if (name == "--port")
      port = std::atoi(argv[i + 1]);
    else if (name == "--threads")
      threads = std::atoi(argv[i + 1]);
    else
      chain.clear();
  }
  if (chain.empty() || key.empty() || threads < 1 || threads > 64 || argc % 2 == 0) {
    std::fprintf(stderr, "bench-floor --cert PEM --key PEM [--port N] [--threads N]\n"
                         "  orders by standard input, see the source; with more than one thread\n"
                         "  they concern the tunnels of the first only\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  const auto tls = server_context(chain, key);
  loop io;
  floor_server server(io, tls.get(), static_cast<std::uint16_t>(port));
  for (int i = 1; i < threads; ++i)
    std::thread([&tls, at = server.port()] {
      loop mine;
      const floor_server one(mine, tls.get(), at);
      while (true)
        mine.run_for(std::chrono::hours(1));
    }).detach();
  orders from(io);
  say("{\"port\":" + std::to_string(server.port()) + "}");
  everything all{io, tls.get(), server};
  std::string line;
  while (!from.over()) {
    io.run_until([&] { return from.over() || from.take(line); }, std::chrono::hours(1));
    if (!line.empty())
      obey(all, line);
    line.clear();
  }
  std::_Exit(0); // tunnels and threads need no farewell
}

} // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench-floor: %s\n", e.what());
    return 1;
  }
}
