// The attempts of a machine: from what is stored of it to its link. The link is in
// machine_link.cpp.
#include "gateway/direct/machine.hpp"

#include "gateway/cira/lane.hpp"
#include "gateway/direct/address_policy.hpp"
#include "gateway/direct/machine_handle.hpp"
#include "gateway/direct/proof.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

namespace outband::direct {

namespace asio = net::asio;
using net::error_code;

namespace {

constexpr std::size_t max_addresses = 4;

std::uint32_t by_chance() {
  static thread_local std::minstd_rand engine{std::random_device{}()};
  return static_cast<std::uint32_t>(engine());
}

/// The client keeps its connection for as long as the machine lets it.
amt::client_timing keep_it() {
  amt::client_timing t;
  t.idle = std::chrono::hours{24};
  t.open = std::chrono::seconds{15}; // connecting and TLS, which have deadlines of their own
  return t;
}

} // namespace

machine::machine(std::shared_ptr<lane> l, device_ref ref)
    : home_(std::move(l)), lane_(*home_), hub_(*lane_.shared), ref_(std::move(ref)),
      pause_(hub_.opts.first_pause, hub_.opts.longest_pause) {}

machine::~machine() = default;

void machine::later(std::function<void(machine&)> f) {
  asio::post(lane_.context, [self = shared_from_this(), f = std::move(f)] { f(*self); });
}

/// Continues here when the port has answered, unless this attempt is over by then.
template <class T> answer<T> machine::here(void (machine::*then)(result<T>)) {
  ++asking_;
  return [self = shared_from_this(), n = attempt_, then](result<T> r) {
    self->later([n, then, r = std::move(r)](machine& m) mutable {
      --m.asking_;
      if (n == m.attempt_)
        (m.*then)(std::move(r));
      else if constexpr (std::is_same_v<T, admission>) {
        if (r)
          m.hub_.links.down(r->ref, r->epoch, link_end::requested,
                            "The connection ended before the machine could be let in.");
      }
      if (m.phase_ == phase::over)
        m.leave();
    });
  };
}

void machine::look_soon() {
  ++looks_;
  later([](machine& m) { m.look(); });
}

void machine::shut_soon() {
  later([](machine& m) { m.shut(); });
}

void machine::look() {
  {
    const std::lock_guard hold{hub_.mutex};
    --looks_;
  }
  if (shutting_)
    return;
  if (phase_ == phase::up)
    finish(link_end::requested, "What is stored of its connection changed, or it is wanted anew.");
  drop_all();
  pause_.reset();
  begin();
}

void machine::shut() {
  shutting_ = true;
  if (phase_ == phase::up)
    finish(link_end::shutdown, "This server is shutting down.");
  drop_all();
  leave();
}

/// Gone, unless somebody wants it again or a question is open.
void machine::leave() {
  phase_ = phase::over;
  step_.cancel();
  if (asking_ > 0)
    return;
  const std::lock_guard hold{hub_.mutex};
  if (looks_ > 0 && !shutting_)
    return;
  const auto at = hub_.machines.find(ref_);
  if (at != hub_.machines.end() && at->second.get() == this)
    hub_.machines.erase(at);
  hub_.changed.notify_all();
}

void machine::drop_all() {
  ++attempt_;
  step_.cancel();
  live_.cancel();
  hold_.cancel();
  resolver_.reset();
  if (handle_)
    handle_->detach();
  handle_.reset();
  // Users may call close() from here; the list they would change is theirs no longer.
  for (const auto& c : std::exchange(channels_, {})) {
    c.via->close();
    if (c.user != nullptr)
      c.user->channel_closed(true);
  }
  if (const auto client = std::exchange(client_, nullptr))
    client->carrier_gone();
  turn_over();
}

void machine::turn_over() {
  if (std::exchange(have_turn_, false))
    hub_.attempts.give_back();
}

void machine::rest(std::chrono::milliseconds after) {
  if (shutting_) {
    leave();
    return;
  }
  phase_ = phase::resting;
  lane_.timers.arm(step_, after);
}

void machine::step_passed() {
  if (phase_ == phase::resting)
    begin();
  else if (phase_ == phase::resolving)
    give_up("its name could not be resolved in time");
}

void machine::give_up(const std::string& text, direct_trouble what) {
  drop_all();
  spdlog::debug("direct: device={} not connected: {}", to_string(ref_), text);
  if (what != direct_trouble::none)
    report(what, text);
  rest(what == direct_trouble::none ? pause_.next(by_chance()) : pause_.longest(by_chance()));
}

void machine::report(direct_trouble what, const std::string& text) {
  if (what != direct_trouble::none)
    hub_.refused[static_cast<std::size_t>(what)].fetch_add(1, std::memory_order_relaxed);
  if (std::exchange(reported_, what) != direct_trouble::none || what != direct_trouble::none)
    hub_.port.trouble(ref_, what, text);
}

// -- one attempt --------------------------------------------------------------------------------

void machine::begin() {
  ++attempt_;
  phase_ = phase::preparing;
  hub_.port.prepare(ref_, here<direct_target>(&machine::prepared));
}

void machine::prepared(result<direct_target> target) {
  if (!target) {
    const auto what = target.error().what;
    if (what == problem::not_found || what == problem::cancelled) {
      report(direct_trouble::none, {});
      return leave(); // it calls home, was removed, or is another terminator's
    }
    return give_up("what is stored of it could not be read: " + to_string(target.error()));
  }
  target_ = std::move(*target);
  if (target_.amt_password.empty())
    return give_up("no AMT password is stored for it", direct_trouble::credentials);
  phase_ = phase::waiting;
  hub_.attempts.take([weak = weak_from_this(), n = attempt_] {
    const auto self = weak.lock();
    if (!self)
      return false;
    self->later([n](machine& m) {
      if (n != m.attempt_)
        return m.hub_.attempts.give_back();
      m.have_turn_ = true;
      m.go();
    });
    return true;
  });
}

void machine::go() {
  hub_.tried.fetch_add(1, std::memory_order_relaxed);
  phase_ = phase::resolving;
  addresses_.clear();
  next_address_ = 0;
  text_.clear();
  error_code ec;
  const auto numeric = asio::ip::make_address(target_.how.host, ec);
  if (!ec)
    return resolved({}, {numeric});
  lane_.timers.arm(step_, hub_.opts.connect);
  // On a thread of Asio's own: a slow name server holds up other names, no connection.
  resolver_ = std::make_unique<asio::ip::tcp::resolver>(lane_.context);
  resolver_->async_resolve(
      target_.how.host, std::to_string(target_.how.port), asio::ip::tcp::resolver::numeric_service,
      [self = shared_from_this(), n = attempt_](const error_code& e, const auto& found) {
        if (n != self->attempt_)
          return;
        std::vector<asio::ip::address> all;
        for (const auto& entry : found)
          if (all.size() < max_addresses)
            all.push_back(entry.endpoint().address());
        self->resolved(e, std::move(all));
      });
}

void machine::resolved(const error_code& ec, std::vector<asio::ip::address> found) {
  step_.cancel();
  if (ec)
    return give_up("its name cannot be resolved: " + ec.message());
  const bool any = hub_.opts.allow_own;
  const auto own = any ? std::vector<address>{} : own_addresses();
  std::string why;
  for (const auto& a : found) {
    if (auto no = refused(a, any, own); no.empty())
      addresses_.push_back(a);
    else
      why = std::move(no);
  }
  if (addresses_.empty())
    return give_up(why.empty() ? "its name has no address" : why,
                   why.empty() ? direct_trouble::none : direct_trouble::not_allowed);
  try_next();
}

void machine::try_next() {
  if (next_address_ == addresses_.size())
    return give_up(text_);
  phase_ = phase::connecting;
  address_ = addresses_[next_address_++];
  auto w = make_wire();
  channels_.push_back({0, w, nullptr, true});
  w->connect(endpoint_of(true));
}

void machine::first_open(wire& w) {
  if (target_.how.tls) {
    certificate_ = w.certificate();
    const auto& pins = target_.how.pins;
    if (certificate_.empty() ||
        (!pins.empty() && std::find(pins.begin(), pins.end(), certificate_) == pins.end()))
      return give_up("it shows a certificate that is not the pinned one: sha256:" + certificate_,
                     direct_trouble::certificate);
  }
  prove();
}

void machine::prove() {
  phase_ = phase::proving;
  handle_ = std::make_shared<handle>(lane_.context, weak_from_this());
  client_ = std::make_shared<amt::amt_client>(
      handle_, to_string(ref_.device), amt::login{target_.amt_username, target_.amt_password},
      keep_it());
  client_->post(who_are_you(), hub_.opts.proof,
                [weak = weak_from_this(), n = attempt_](result<soap_answer> r) {
                  if (const auto self = weak.lock())
                    self->later([n, r = std::move(r)](machine& m) mutable {
                      if (n == m.attempt_ && m.phase_ == phase::proving)
                        m.proved(std::move(r));
                    });
                });
}

void machine::proved(result<soap_answer> told) {
  const auto at = cira::text_of(endpoint_of(true));
  if (!told) {
    const auto& why = told.error();
    if (why.what == problem::device_auth)
      return give_up("the firmware at " + at + " refused our AMT user name or password",
                     direct_trouble::credentials);
    return give_up("at " + at + ": " + to_string(why), why.what == problem::device_protocol
                                                           ? direct_trouble::protocol
                                                           : direct_trouble::none);
  }
  const auto guid = its_guid(*told);
  if (!guid)
    return give_up("at " + at + ": " + guid.error().detail, direct_trouble::protocol);
  if (*guid != ref_.device)
    return give_up("the machine at " + at + " has the GUID " + to_string(*guid),
                   direct_trouble::wrong_device);
  if (target_.how.tls && target_.how.pins.empty())
    hub_.port.pin(ref_, certificate_, here<bool>(&machine::pinned));
  else
    admit();
}

void machine::pinned(result<bool> done) {
  if (!done)
    return give_up("its certificate could not be pinned: " + to_string(done.error()));
  if (!*done)
    return give_up("what is stored of its connection changed meanwhile");
  target_.how.pins = {certificate_};
  admit();
}

void machine::admit() {
  phase_ = phase::admitting;
  hub_.port.admit(target_, cira::text_of(endpoint_of(true)), here<admission>(&machine::admitted));
}

} // namespace outband::direct
