#include "site.hpp"

#include "gateway/net/x509.hpp"
#include "raw_device.hpp"

#include <doctest/doctest.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <ctime>
#include <thread>

namespace outband::test {

namespace {

struct server_identity {
  std::string root_pem;
  std::string chain_pem;
  std::string key_pem;
};

server_identity make_identity() {
  using usage = net::certificate_spec::usage;
  const std::int64_t now = std::time(nullptr);
  const auto ca_key = *net::make_key(net::key_kind::rsa2048);
  const auto ca = *net::make_self_signed(
      {"OutbandRoot-test", {}, usage::authority, now - 86400, now + 86400}, ca_key);
  const auto key = *net::make_key(net::key_kind::rsa2048);
  const auto leaf = *net::make_certificate(
      {"localhost", {"localhost"}, usage::cira_server, now - 86400, now + 86400}, key,
      {ca, ca_key});
  return server_identity{ca, leaf + ca, key};
}

/// Made once: RSA keys take their time.
const server_identity& identity() {
  static const server_identity made = make_identity();
  return made;
}

} // namespace

void fake_terminator::admit(cira_login login, answer<admission> cb) {
  result<admission> outcome = fail(problem::unauthenticated, "unknown GUID");
  {
    const std::lock_guard lock{mutex_};
    asked.push_back(login);
    const auto at = accounts.find(login.guid);
    if (store_down_)
      outcome = fail(problem::store_unavailable, "the database cannot be reached");
    else if (at != accounts.end()) {
      if (at->second.user == login.username && equal(login.password, at->second.password)) {
        outcome = admission{{"acme", login.guid}, next_epoch_++, "admin", secret_text{"P@ss"}};
        ++admitted;
      } else {
        outcome = fail(problem::unauthenticated, "wrong MPS user or password");
      }
    }
    changed_.notify_all();
    if (holding_) {
      held_.push_back([cb = std::move(cb), outcome] { cb(outcome); });
      return;
    }
  }
  // From a thread of its own, as the real one answers from the store's.
  std::thread{[cb = std::move(cb), outcome = std::move(outcome)] {
    cb(outcome);
  }}.join();
}

void fake_terminator::up(const admission& who, std::string peer, int trigger,
                         std::shared_ptr<amt_link_port> link) {
  const std::lock_guard lock{mutex_};
  ups.push_back({who.ref, who.epoch, std::move(peer), trigger, std::move(link)});
  changed_.notify_all();
}

void fake_terminator::down(const device_ref& ref, link_epoch epoch, link_end why,
                           std::string text) {
  const std::lock_guard lock{mutex_};
  downs.push_back({ref, epoch, why, std::move(text)});
  changed_.notify_all();
}

void fake_terminator::late(const device_ref&, link_epoch, bool late) {
  const std::lock_guard lock{mutex_};
  lates.push_back(late);
  changed_.notify_all();
}

void fake_terminator::alert(const device_ref& ref, link_epoch, std::string json) {
  const std::lock_guard lock{mutex_};
  alerts.emplace_back(ref, std::move(json));
  changed_.notify_all();
}

void fake_terminator::hold() {
  const std::lock_guard lock{mutex_};
  holding_ = true;
}

void fake_terminator::release() {
  std::vector<std::function<void()>> all;
  {
    const std::lock_guard lock{mutex_};
    holding_ = false;
    all.swap(held_);
  }
  for (auto& f : all)
    f();
}

void fake_terminator::store_down(bool down) {
  const std::lock_guard lock{mutex_};
  store_down_ = down;
}

std::shared_ptr<amt_link_port> fake_terminator::link(std::size_t index) {
  REQUIRE(wait([&](auto& t) { return t.ups.size() > index; }));
  const std::lock_guard lock{mutex_};
  return ups[index].link;
}

std::function<void(result<soap_answer>)> awaited_call::cb() {
  return [s = shared_](result<soap_answer> r) {
    const std::lock_guard lock{s->mutex};
    s->outcome = std::move(r);
    ++s->times;
    s->changed.notify_all();
  };
}

result<soap_answer> awaited_call::get() {
  std::unique_lock lock{shared_->mutex};
  REQUIRE(shared_->changed.wait_for(lock, patience, [&] { return shared_->outcome.has_value(); }));
  CHECK(shared_->times == 1);
  return *shared_->outcome;
}

bool awaited_call::answered() {
  const std::lock_guard lock{shared_->mutex};
  return shared_->outcome.has_value();
}

struct log_capture::impl {
  struct sink final : spdlog::sinks::base_sink<std::mutex> {
    void sink_it_(const spdlog::details::log_msg& m) override {
      const std::string text{m.payload.data(), m.payload.size()};
      all += text + "\n";
      if (m.level >= spdlog::level::warn)
        warnings.push_back(text);
    }
    void flush_() override {}
    template <class F> auto locked(F f) {
      const std::lock_guard lock{mutex_};
      return f();
    }
    std::string all;
    std::vector<std::string> warnings;
  };
  std::shared_ptr<sink> to = std::make_shared<sink>();
  std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
};

log_capture::log_capture() : impl_(std::make_unique<impl>()) {
  auto logger = std::make_shared<spdlog::logger>("test", impl_->to);
  logger->set_level(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

log_capture::~log_capture() {
  spdlog::set_default_logger(impl_->before);
}

int log_capture::count(const std::vector<std::string>& parts) const {
  return impl_->to->locked([&] {
    int n = 0;
    for (const auto& line : impl_->to->warnings) {
      bool all = true;
      for (const auto& part : parts)
        all = all && line.find(part) != std::string::npos;
      n += all ? 1 : 0;
    }
    return n;
  });
}

bool log_capture::contains(const std::string& text) const {
  return impl_->to->locked([&] { return impl_->to->all.find(text) != std::string::npos; });
}

cira::options quick_options() {
  cira::options o;
  o.listen = {{"127.0.0.1", 0, false}};
  o.refusal_delay = std::chrono::seconds{0};
  return o;
}

bool eventually(const std::function<bool()>& holds) {
  const auto latest = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > latest)
      return false;
    std::this_thread::yield();
  }
  return true;
}

site::site(cira::options o, bool legacy) {
  const auto& id = identity();
  terminator.accounts[*parse_uuid(guid_a)] = {"mpsuser", "Secr3t!A"};
  terminator.accounts[*parse_uuid(guid_b)] = {"mpsuser", "Secr3t!B"};
  std::optional<net::tls_context> old;
  if (legacy) {
    auto made = net::tls_context::make(net::tls_profile::cira_legacy, id.chain_pem, id.key_pem);
    REQUIRE(made.ok());
    old = *made;
    o.listen.push_back({"127.0.0.1", 0, true});
  }
  listener = std::make_unique<cira::listener>(pool, terminator, std::move(o), context(), old);
  const auto started = listener->start();
  REQUIRE_MESSAGE(started.ok(), to_string(started.error()));
}

site::~site() {
  CHECK(listener->stop(patience));
  listener.reset();
  pool.stop();
}

const std::string& site::root_pem() const {
  return identity().root_pem;
}

net::tls_context site::context() const {
  const auto& id = identity();
  auto made = net::tls_context::make(net::tls_profile::cira, id.chain_pem, id.key_pem);
  REQUIRE(made.ok());
  return *made;
}

std::string site::renew() {
  const auto id = make_identity();
  auto made = net::tls_context::make(net::tls_profile::cira, id.chain_pem, id.key_pem);
  REQUIRE(made.ok());
  listener->use(*made);
  return id.root_pem;
}

std::unique_ptr<raw_device> site::good_device(const char* guid) {
  auto d = std::make_unique<raw_device>(port());
  REQUIRE(d->start_tls());
  d->log_in(guid, "mpsuser", guid == std::string{guid_a} ? "Secr3t!A" : "Secr3t!B");
  for (const std::uint32_t p : {16992U, 623U, 16994U, 5900U})
    d->announce(p);
  return d;
}

void site::expect_service() {
  std::size_t before = 0;
  terminator.wait([&](auto& t) {
    before = t.ups.size();
    return true;
  });
  const auto device = good_device(guid_b);
  const auto link = terminator.link(before);
  awaited_call call;
  link->post("<s:Header/><s:Body></s:Body>", std::chrono::seconds{20}, call.cb());
  const auto open = device->expect<apf::channel_open>();
  device->send(apf::channel_open_confirmation{open.sender, 0, 4096});
  device->expect<apf::channel_data>();
  apf::channel_data answer;
  answer.recipient = open.sender;
  answer.data = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<ok/>";
  device->send(answer);
  const auto got = call.get();
  REQUIRE(got.ok());
  CHECK(got->body == "<ok/>");
}

} // namespace outband::test
