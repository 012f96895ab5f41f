#include "gateway/activation/session.hpp"
#include "gateway/activation/trust.hpp"
#include "messages/rps/server_frame.hpp"

namespace outband::activation {

void session::use_tls(firmware_pin pin, std::function<void(status)> cb) {
  if (post_ || switched_ || tls_waits_)
    return cb(fail(problem::busy, "a call is under way"));
  pin_ = std::move(pin);
  in_tls_ = true;
  new_client();
  begin_tls(std::move(cb));
}

void session::begin_tls(std::function<void(status)> cb) {
  ++core_->counts.tls_sessions;
  ++tls_number_;
  tls_waits_ = std::move(cb);
  tls_ = std::make_unique<tls_session>(
      core_->tls, [pin = pin_, core = core_](const std::vector<std::string>& chain) {
        return judge(pin, chain, core->opts.on_die_roots_pem, core->opts.now());
      });
  wheel_.arm(shaking_, core_->opts.tls_handshake);
  tls_turn(tls_->begin());
}

void session::on(rps::tls_octets t) {
  if (!in_tls_ || !tls_) {
    ++core_->counts.stray;
    return;
  }
  tls_turn(tls_->feed(t.octets));
}

void session::tls_turn(tls_session::outcome o) {
  const auto number = tls_number_;
  const auto same = [&] {
    return number == tls_number_ && tls_;
  };
  if (!o.to_firmware.empty())
    send(rps::tls_frame(o.to_firmware));
  if (o.established) {
    wheel_.arm(withheld_, core_->opts.tls_withhold);
    tls_done(success());
  }
  if (!o.plain.empty() && same() && channel_)
    channel_->user->channel_data(o.plain);
  if ((o.failed || o.closed) && same())
    tls_ends(std::move(o.failed));
}

/// `why`: empty if the firmware has ended it in good order.
void session::tls_ends(std::optional<failure> why) {
  tls_.reset();
  ++tls_number_;
  if (post_ && why)
    post_->tls = why;
  if (tls_waits_)
    tls_done(why ? status{*why}
                 : status{fail(problem::link_down, "the firmware ended the TLS session")});
  channel_ends();
}

void session::tls_done(status how) {
  shaking_.cancel();
  tls_used_ = clock::now();
  if (!how)
    ++core_->counts.tls_failures;
  if (tls_waits_)
    std::exchange(tls_waits_, nullptr)(std::move(how));
}

void session::tls_last_word() {
  if (!tls_)
    return;
  auto o = tls_->flush();
  if (!o.to_firmware.empty())
    send(rps::tls_frame(o.to_firmware));
}

void session::tls_too_slow() {
  tls_ends(
      fail(problem::device_timeout, "the TLS handshake with the firmware did not end in time"));
}

} // namespace outband::activation
