#include "tests/support/rpc_client.hpp"

#include "messages/amt/base64.hpp"
#include "tests/support/rpc_amt_link.hpp"
#include "tests/support/rpc_messages.hpp"
#include "tests/support/websocket_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <deque>
#include <utility>

namespace outband::test {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t max_conversation = 10000;
constexpr int exit_of_error = 10; ///< v3

bool is_client_hello(const std::string& octets) {
  return octets.size() >= 6 && octets[0] == 0x16 && octets[5] == 0x01;
}

/// One run of `rpc`. Kept alive by its handlers and by the caller's handle.
class run : public std::enable_shared_from_this<run> {
public:
  run(asio::io_context& io, rpc_options how, rpc_hook hook, rpc_done done)
      : io_(io), how_(std::move(how)), hook_(std::move(hook)), done_(std::move(done)),
        amt_(io, how_.lms_host, how_.timing), pause_(io), limit_(io) {}

  void start() {
    const auto facts = how_.facts ? result<rpc_facts>(*how_.facts) : read_facts(how_.mei_path);
    if (!facts)
      return finish(rpc_end::refused, to_string(facts.error()));
    const auto first = first_message(how_, *facts);
    websocket_target to;
    if (!first)
      return finish(rpc_end::refused, to_string(first.error()));
    if (!parse_websocket_url(how_.url, to))
      return finish(rpc_end::refused, "'" + how_.url + "' is no WebSocket URL");
    tunnel_ = facts->tls_enforced;
    limit_.expires_after(how_.timing.give_up);
    limit_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec)
        self->finish(rpc_end::gave_up, "it takes too long");
    });
    const auto weak = weak_from_this();
    const auto alive = [weak](auto what) {
      if (const auto self = weak.lock())
        what(*self);
    };
    server_ = std::make_unique<websocket_client>(
        io_, to, how_.ca_pem,
        websocket_client::handlers{
            [alive, text = *first] { alive([&](run& r) { r.say(text); }); },
            [alive](const std::string& text) { alive([&](run& r) { r.heard(text); }); },
            [alive](const std::string& why, int status) {
              alive([&](run& r) { r.server_gone(why, status); });
            }});
    server_->connect();
  }

  /// The caller is no longer interested.
  void abandon() {
    done_ = {};
    finish(rpc_end::cut, "abandoned");
  }

private:
  // -- the server ---------------------------------------------------------------------------------

  void say(const std::string& text) {
    if (over_)
      return;
    if (cut_at_next_)
      return finish(rpc_end::cut, "cut by the test");
    auto m = message_of(true, text);
    const auto verdict = ask_hook(m);
    if (verdict == rpc_verdict::cut_before)
      return finish(rpc_end::cut, "cut by the test");
    if (verdict == rpc_verdict::swallow)
      return;
    ++out_.sent;
    note("> " + m.method);
    if (verdict == rpc_verdict::pass)
      return server_->send(m.text);
    server_->send(m.text, [weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->finish(rpc_end::cut, "cut by the test");
    });
  }

  void heard(const std::string& text) {
    if (over_)
      return;
    ++out_.received;
    auto m = message_of(false, text);
    note("< " + m.method);
    const auto verdict = ask_hook(m);
    if (verdict == rpc_verdict::cut_before)
      return finish(rpc_end::cut, "cut by the test");
    if (verdict == rpc_verdict::swallow)
      return;
    waiting_.push_back({std::move(m.text), verdict == rpc_verdict::cut_after});
    next();
  }

  void server_gone(const std::string& why, int status) {
    out_.http_status = status;
    finish(out_.sent == 0 ? rpc_end::refused : rpc_end::closed, why);
  }

  rpc_message message_of(bool to_server, const std::string& text) {
    auto& count = to_server ? sent_ : received_;
    ++count;
    return {to_server, sent_ + received_, count, method_of(text), text};
  }

  rpc_verdict ask_hook(rpc_message& m) { return hook_ ? hook_(m) : rpc_verdict::pass; }

  void note(std::string line) {
    if (out_.conversation.size() < max_conversation)
      out_.conversation.push_back(std::move(line));
  }

  // -- one message after the other, as rpc's loop -------------------------------------------------

  void next() {
    while (!busy_ && !over_ && !waiting_.empty()) {
      auto m = std::move(waiting_.front());
      waiting_.pop_front();
      cut_at_next_ = m.cut_after;
      handle(m.text);
    }
  }

  /// What the present message asked for is done.
  void ready() {
    busy_ = false;
    if (cut_at_next_)
      return finish(rpc_end::cut, "cut by the test");
    next();
  }

  void handle(const std::string& text) {
    busy_ = true;
    auto m = read_server_message(text);
    if (!m)
      return finish(rpc_end::nonsense, to_string(m.error()));
    if (m->method == "success" || m->method == "error") {
      out_.message = m->message;
      const bool good = m->method == "success";
      explain_status(how_.version, good, out_);
      return finish(good ? rpc_end::success : rpc_end::error, out_.status);
    }
    if (m->method == "heartbeat_request") {
      say(heartbeat_answer(text));
      return ready();
    }
    if (m->method == "port_switch")
      return switch_port(m->payload);
    if (m->method == "progress") {
      if (how_.version == rpc_version::v3 || !how_.progress)
        complain("progress was sent to a client that did not ask for it");
      out_.said.push_back(m->message);
      return ready();
    }
    auto payload = amt::base64_decode(m->payload);
    if (!payload)
      return finish(rpc_end::nonsense, m->method + ": the payload is no base64");
    if (tunnel_)
      return pass_on(std::move(*payload));
    if (m->method == "tls_data")
      complain("tls_data before the switch to the TLS port");
    amt_.ask(how_.lms_port, std::move(*payload),
             guarded([](run& r, amt_event e, std::string s) { r.answered(e, std::move(s)); }));
  }

  template <class F> amt_handler guarded(F f) {
    return [weak = weak_from_this(), f](amt_event e, std::string s) {
      const auto self = weak.lock();
      if (self && !self->over_)
        f(*self, e, std::move(s));
    };
  }

  void complain(std::string what) { out_.complaints.push_back(std::move(what)); }

  void answered(amt_event e, std::string octets) {
    switch (e) {
    case amt_event::data:
      say(follow_up(how_, "response", octets));
      return ready();
    case amt_event::quiet:
    case amt_event::ended:
      return ready(); // rpc says nothing; the server's own timer runs out
    case amt_event::broken:
    case amt_event::unreachable:
      return finish(rpc_end::lms, octets);
    }
  }

  // -- tunnel
  // ---------------------------------------------------------------------------------------

  void pass_on(std::string octets) {
    // One round after the other, as rpc; or to see what the last message before a cut did.
    const bool waits = how_.timing.tunnel_idle.count() > 0 || cut_at_next_;
    if (is_client_hello(octets))
      amt_.close();
    if (amt_.has_ended()) {
      amt_.close();
      say(follow_up(how_, "connection_reset", "connection_closed"));
      return ready();
    }
    amt_.send(how_.lms_tls_port, std::move(octets),
              guarded([waits](run& r, amt_event e, std::string s) {
                r.tunnelled(e, std::move(s), waits);
              }));
    if (!waits)
      ready();
  }

  void tunnelled(amt_event e, std::string octets, bool waited) {
    switch (e) {
    case amt_event::data:
      say(follow_up(how_, "tls_data", octets));
      break;
    case amt_event::quiet:
      break;
    case amt_event::ended:
    case amt_event::broken:
      amt_.close();
      say(follow_up(how_, "connection_reset",
                    e == amt_event::ended ? "connection_closed" : "lms_error"));
      break;
    case amt_event::unreachable:
      return finish(rpc_end::lms, octets);
    }
    if (waited && busy_)
      ready();
  }

  void switch_port(const std::string& payload) {
    const auto asked = read_port_switch(payload);
    if (!asked)
      return finish(rpc_end::nonsense, to_string(asked.error()));
    if (asked->port != 16993)
      complain("port_switch to " + std::to_string(asked->port));
    amt_.close();
    const auto delay = std::max(asked->delay, rpc_timing::ms{0});
    after(std::min(delay, how_.timing.port_switch_most),
          [](run& r) { r.try_tls_port(r.how_.timing.port_switch_attempts); });
  }

  void try_tls_port(int attempts) {
    amt_.send(how_.lms_tls_port, {}, guarded([attempts](run& r, amt_event e, std::string why) {
                r.tried_tls_port(e, why, attempts);
              }));
    // A connection that stands is silent: nobody speaks before the ClientHello.
    after(how_.timing.port_switch_retry, [](run& r) { r.tls_port_is_there(); });
  }

  void tried_tls_port(amt_event e, const std::string& why, int attempts) {
    if (e != amt_event::unreachable && e != amt_event::broken && e != amt_event::ended)
      return;
    amt_.close();
    if (attempts <= 1)
      return finish(rpc_end::lms, "port switch: " + why);
    after(how_.timing.port_switch_retry, [attempts](run& r) { r.try_tls_port(attempts - 1); });
  }

  void tls_port_is_there() {
    amt_.close();
    tunnel_ = true;
    say(follow_up(how_, "port_switch_ack", "ok"));
    ready();
  }

  template <class F> void after(rpc_timing::ms delay, F what) {
    pause_.expires_after(delay);
    pause_.async_wait([weak = weak_from_this(), what](error_code ec) {
      const auto self = weak.lock();
      if (!ec && self && !self->over_)
        what(*self);
    });
  }

  // -- the end ------------------------------------------------------------------------------------

  void finish(rpc_end how, const std::string& why) {
    if (std::exchange(over_, true))
      return;
    out_.how = how;
    out_.why = why;
    if (how_.version == rpc_version::v3 && how != rpc_end::success)
      out_.exit_code = how == rpc_end::error ? exit_of_error : 1;
    if (how == rpc_end::refused)
      out_.exit_code = 1;
    limit_.cancel();
    pause_.cancel();
    amt_.close();
    if (server_)
      server_->close();
    if (done_)
      asio::post(io_, [done = std::exchange(done_, {}), out = std::move(out_)] { done(out); });
  }

  struct waiting_message {
    std::string text;
    bool cut_after;
  };

  asio::io_context& io_;
  rpc_options how_;
  rpc_hook hook_;
  rpc_done done_;
  amt_link amt_;
  asio::steady_timer pause_, limit_;
  std::unique_ptr<websocket_client> server_;
  std::deque<waiting_message> waiting_;
  rpc_outcome out_;
  std::size_t sent_ = 0, received_ = 0; ///< what the hook saw
  bool tunnel_ = false;
  bool busy_ = false;
  bool cut_at_next_ = false;
  bool over_ = false;
};

} // namespace

rpc_timing rpc_timing::stock(rpc_version v) {
  rpc_timing t;
  t.first_byte = v == rpc_version::v2 ? ms{1500} : ms{3000};
  t.idle = v == rpc_version::v2 ? ms{1000} : ms{100};
  t.whole_answers = false;
  t.tunnel_first_byte = v == rpc_version::v2 ? ms{1500} : ms{2000};
  t.tunnel_idle = v == rpc_version::v2 ? ms{1000} : ms{2000};
  t.port_switch_most = v == rpc_version::v2 ? ms::max() : ms{60000};
  t.port_switch_retry = ms{5000};
  t.port_switch_attempts = 5;
  t.give_up = std::chrono::minutes(30);
  return t;
}

rpc_hook cut_before(std::size_t number) {
  return [number](rpc_message& m) {
    return m.number == number ? rpc_verdict::cut_before : rpc_verdict::pass;
  };
}

rpc_hook cut_after(std::size_t number) {
  return [number](rpc_message& m) {
    return m.number == number ? rpc_verdict::cut_after : rpc_verdict::pass;
  };
}

std::string_view to_string(rpc_end e) {
  switch (e) {
  case rpc_end::success:
    return "success";
  case rpc_end::error:
    return "error";
  case rpc_end::refused:
    return "refused";
  case rpc_end::closed:
    return "closed";
  case rpc_end::lms:
    return "lms";
  case rpc_end::cut:
    return "cut";
  case rpc_end::gave_up:
    return "gave up";
  case rpc_end::nonsense:
    return "nonsense";
  }
  return "";
}

std::shared_ptr<void> start_rpc(asio::io_context& io, rpc_options how, rpc_hook hook,
                                rpc_done done) {
  auto r = std::make_shared<run>(io, std::move(how), std::move(hook), std::move(done));
  r->start();
  return {r.get(), [r](void*) {
            r->abandon();
          }};
}

rpc_outcome run_rpc(const rpc_options& how, rpc_hook hook) {
  asio::io_context io{1};
  rpc_outcome out;
  const auto handle =
      start_rpc(io, how, std::move(hook), [&out](rpc_outcome got) { out = std::move(got); });
  io.run();
  return out;
}

} // namespace outband::test
