/// outband: the operator's command line.
#include "tools/cli/outcome.hpp"
#include "tools/cli/run.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <termios.h>
#include <unistd.h>

namespace {

using namespace outband;

// For the signal handler: the terminal must not stay silent when a prompt is interrupted.
int terminal_fd = -1;
termios terminal_before{};

extern "C" void on_interrupt(int number) {
  ::tcsetattr(terminal_fd, TCSANOW, &terminal_before);
  ::_exit(128 + number);
}

result<std::string> read_line_from(int fd) {
  std::string out;
  for (char c = 0;;) {
    const auto n = ::read(fd, &c, 1);
    if (n < 0)
      return fail(problem::internal, "the input cannot be read");
    if (n == 0 || c == '\n')
      break;
    out += c;
    if (out.size() > 4096)
      return fail(problem::too_large, "the line is too long", cli::usage_field);
  }
  if (!out.empty() && out.back() == '\r')
    out.pop_back();
  return out;
}

/// Bounded by what the server takes in one request.
result<std::string> read_file(const std::string& name) {
  constexpr std::size_t limit = 16u << 20;
  const bool standard = name == "-";
  const int fd = standard ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return fail(problem::malformed, "'" + name + "' cannot be opened.", cli::usage_field);
  std::string out;
  std::array<char, 65536> part{};
  ssize_t n = 0;
  while (out.size() <= limit && (n = ::read(fd, part.data(), part.size())) > 0)
    out.append(part.data(), static_cast<std::size_t>(n));
  if (!standard)
    ::close(fd);
  if (n < 0)
    return fail(problem::malformed, "'" + name + "' cannot be read.", cli::usage_field);
  if (out.size() > limit)
    return fail(problem::too_large, "'" + name + "' is larger than 16 MiB.", cli::usage_field);
  return out;
}

result<std::string> ask(const std::string& prompt, bool hidden) {
  terminal_fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (terminal_fd < 0)
    return fail(problem::malformed,
                "There is no terminal to ask at; use --user and --password-stdin.",
                cli::usage_field);
  struct closer {
    ~closer() { ::close(terminal_fd); }
  } close_at_end;
  const auto written = ::write(terminal_fd, prompt.data(), prompt.size());
  static_cast<void>(written);
  if (!hidden)
    return read_line_from(terminal_fd);
  if (::tcgetattr(terminal_fd, &terminal_before) != 0)
    return fail(problem::internal, "the terminal cannot be silenced");
  struct sigaction during {
  }, int_before{}, term_before{};
  during.sa_handler = on_interrupt;
  ::sigaction(SIGINT, &during, &int_before);
  ::sigaction(SIGTERM, &during, &term_before);
  auto silent = terminal_before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(terminal_fd, TCSAFLUSH, &silent);
  auto line = read_line_from(terminal_fd);
  ::tcsetattr(terminal_fd, TCSAFLUSH, &terminal_before);
  ::sigaction(SIGINT, &int_before, nullptr);
  ::sigaction(SIGTERM, &term_before, nullptr);
  const auto ended = ::write(terminal_fd, "\n", 1);
  static_cast<void>(ended);
  return line;
}

time_ms now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

uuid new_id() {
  std::array<std::uint8_t, 10> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    std::abort();
  return make_uuid_v7(now(), random);
}

} // namespace

int main(int argc, char** argv) {
  try {
    spdlog::set_level(spdlog::level::off); // the bus logs; here, errors are told in words
    cli::world with{std::cout,
                    std::cerr,
                    [](const char* name) -> std::optional<std::string> {
                      const char* v = std::getenv(name);
                      return v ? std::optional<std::string>(v) : std::nullopt;
                    },
                    ask,
                    [] { return read_line_from(STDIN_FILENO); },
                    read_file,
                    [](const https::options& o) { return https::make_transport(o); },
                    cli::open_mqtt,
                    now,
                    new_id};
    return cli::run({argv + 1, argv + argc}, with);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "outband: %s\n", e.what());
    return 1;
  }
}
