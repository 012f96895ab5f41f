#include "tools/bench/rest_load.hpp"

#include "messages/http/parser.hpp"

#include <array>
#include <utility>

namespace outband::bench {

namespace {

constexpr std::chrono::seconds last_answers{15}; // the server gives up at a machine after 10 s

double milliseconds(clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

} // namespace

class rest_connection final : public watcher {
public:
  explicit rest_connection(rest_load& o) : owner(o) {}

  void ready(std::uint32_t) override {
    const auto now = socket.advance();
    if (now == tls_socket::state::over)
      return owner.broken(*this, "the connection ended");
    static std::array<char, 16384> buffer;
    while (socket.now() == tls_socket::state::up) {
      const auto got = socket.read(buffer.data(), buffer.size());
      if (got == 0)
        break;
      received += got;
      parser.feed({buffer.data(), got});
      auto item = parser.next();
      if (const auto* r = std::get_if<http::response>(&item))
        owner.answered(*this, r->status, r->body);
      else if (std::holds_alternative<failure>(item))
        return owner.broken(*this, "not HTTP");
    }
    if (socket.now() == tls_socket::state::over)
      owner.broken(*this, "the server closed the connection");
  }

  rest_load& owner;
  tls_socket socket;
  http::response_parser parser;
  clock::time_point asked;
  std::uint64_t number = 0;
  std::size_t sent = 0, received = 0; ///< of the request under way
  bool waiting = false;
};

rest_load::rest_load(loop& io, rest_target to, std::size_t connections)
    : io_(io), to_(std::move(to)), tls_(client_context(13)) {
  for (std::size_t i = 0; i < connections; ++i)
    all_.push_back(std::make_unique<rest_connection>(*this));
}

rest_load::~rest_load() {
  *exists_ = false;
}

bool rest_load::connect(clock::duration patience) {
  for (auto& c : all_) {
    if (!c->socket.connect(tls_.get(), to_.port))
      return false;
    io_.add(c->socket.fd(), *c);
  }
  return io_.run_until(
      [this] {
        for (const auto& c : all_)
          if (c->socket.now() != tls_socket::state::up)
            return false;
        return true;
      },
      patience);
}

void rest_load::send_next(rest_connection& c) {
  if (!running_ || c.waiting || c.socket.now() != tls_socket::state::up)
    return;
  c.number = next_++;
  std::string text = "GET " + path_(c.number) + " HTTP/1.1\r\nHost: " + to_.host +
                     "\r\nAuthorization: Bearer " + to_.token + "\r\nx-tenant-id: " + to_.tenant +
                     "\r\n\r\n";
  c.waiting = true;
  ++under_way_;
  c.sent = text.size();
  c.received = 0;
  c.asked = clock::now();
  c.socket.send(text);
}

void rest_load::answered(rest_connection& c, int status, const std::string& body) {
  if (!std::exchange(c.waiting, false))
    return;
  --under_way_;
  if (status == 200) {
    ++out_.count;
    const auto took = milliseconds(clock::now() - c.asked);
    out_.milliseconds.add(took);
    if (on_answer)
      on_answer({c.number, took, c.sent, c.received});
  } else {
    ++out_.failed;
    if (out_.first_failure.empty())
      out_.first_failure = std::to_string(status) + " " + body.substr(0, 200);
  }
  if (pause_ == clock::duration{})
    return send_next(c);
  io_.after(pause_, [this, &c, alive = exists_] {
    if (*alive)
      send_next(c);
  });
}

void rest_load::broken(rest_connection& c, const char* why) {
  if (c.socket.now() == tls_socket::state::none)
    return;
  c.socket.cut();
  if (out_.first_failure.empty())
    out_.first_failure = why;
  ++out_.failed;
  if (std::exchange(c.waiting, false))
    --under_way_;
}

void rest_load::begin(std::function<std::string(std::uint64_t)> path, clock::duration pause) {
  path_ = std::move(path);
  pause_ = pause;
  out_ = {};
  began_ = clock::now();
  running_ = true;
  for (auto& c : all_)
    send_next(*c);
}

rest_load::outcome rest_load::end() {
  running_ = false;
  // What was answered until now counts against the time until now.
  auto out = out_;
  out.seconds = std::chrono::duration<double>(clock::now() - began_).count();
  io_.run_until([this] { return under_way_ == 0; }, last_answers);
  out.failed = out_.failed + under_way_;
  if (out.first_failure.empty())
    out.first_failure = under_way_ > 0 ? "no answer" : out_.first_failure;
  return out;
}

rest_load::outcome rest_load::run(const std::function<std::string(std::uint64_t)>& path,
                                  clock::duration how_long) {
  begin(path);
  io_.run_for(how_long);
  return end();
}

} // namespace outband::bench
