#include "gateway/activation/session.hpp"

#include "gateway/activation/wire.hpp"
#include "messages/rps/server_frame.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

namespace outband::activation {

namespace {

constexpr std::size_t max_queued = 4 << 20; // octets; a client that does not read
constexpr std::uint16_t tls_port = 16993;
constexpr std::chrono::hours for_ever{24};

failure gone() {
  return fail(problem::link_down, "the machine's connection has ended");
}

/// The text between `before` and the next '<'.
std::string_view between(std::string_view text, std::string_view before) {
  const auto at = text.find(before);
  if (at == std::string_view::npos)
    return {};
  text.remove_prefix(at + before.size());
  return text.substr(0, text.find('<'));
}

} // namespace

/// amt_client's way to us. It is used on our thread only.
class session::handle final : public amt::carrier_handle {
public:
  explicit handle(session& s) : session_(&s) {}
  bool run(std::function<void(amt::carrier*)> f) override {
    if (session_ == nullptr)
      return false;
    f(session_);
    return true;
  }
  void detach() { session_ = nullptr; }

private:
  session* session_;
};

session::session(std::shared_ptr<core> c, place p, std::shared_ptr<web::websocket> ws,
                 std::string token, std::string peer)
    : core_(std::move(c)), place_(std::move(p)), ws_(std::move(ws)),
      wheel_(net::timers::of(ws_->context())), token_(std::move(token)), peer_(std::move(peer)),
      id_(++core_->last_id), handle_(std::make_shared<handle>(*this)) {}

session::~session() {
  handle_->detach();
  // An io_context that is destroyed drops us without ended(); the wire must not post to it then.
  if (const auto way = wire_.lock())
    way->detach();
}

void session::start() {
  wheel_.arm(silence_, core_->opts.first_frame);
  wheel_.arm(overall_, core_->opts.overall);
  receive();
}

// -- from the client ----------------------------------------------------------------------------

void session::receive() {
  ws_->receive([me = shared_from_this()](result<web::websocket::message> m) {
    if (!m)
      return me->ended();
    me->heard(std::move(*m));
    if (me->phase_ != phase::ended)
      me->receive();
  });
}

void session::heard(web::websocket::message m) {
  if (phase_ == phase::leaving)
    return;
  ++core_->counts.frames_in;
  if (++frames_ > core_->opts.max_frames)
    return give_up(refused::flood, "Too many messages.");
  if (m.binary)
    return give_up(refused::binary, "Binary messages are not understood here.");
  auto frame = rps::parse_client_frame(m.octets);
  if (!frame) {
    const auto& why = frame.error();
    return give_up(why.what == problem::too_large ? refused::too_large : refused::malformed,
                   why.detail);
  }
  const bool first = std::holds_alternative<provisioning_wish>(*frame);
  if (first != (phase_ == phase::awaiting))
    return give_up(refused::order, first ? "The first message came twice."
                                         : "The first message must say what is wanted.");
  watch_for_silence();
  std::visit([this](auto& one) { on(std::move(one)); }, *frame);
}

void session::on(provisioning_wish wish) {
  phase_ = phase::speaking;
  ++core_->counts.wishes;
  guid_ = to_string(wish.machine.guid);
  labels_ = wish.machine.progress;
  auto way = std::make_shared<wire>(ws_->context(), weak_from_this());
  wire_ = way;
  told_ = true;
  core_->decides.opened({id_, token_, peer_, std::move(way)}, std::move(wish));
}

void session::on(rps::firmware_response r) {
  if (late_ > 0 && awaits_response_ && post_) {
    // Of a call that was given up, or of the present one?
    const auto related = between(r.octets, "RelatesTo>");
    const bool whole = related.find('\r') == std::string_view::npos; // no chunk ends in it
    if (whole && !related.empty() && related != post_->message_id) {
      --late_;
      ++core_->counts.stray;
      return;
    }
  }
  if (in_tls_ || !awaits_response_ || !channel_) {
    late_ -= late_ > 0 ? 1 : 0;
    ++core_->counts.stray;
    return;
  }
  awaits_response_ = false;
  const auto number = channel_->number;
  if (!r.octets.empty())
    channel_->user->channel_data(r.octets);
  // Firmware that keeps the connection although it was asked to close it may be asked again.
  if (channel_ && channel_->number == number && !awaits_response_)
    channel_ends();
}

void session::on(rps::connection_reset) {
  if (post_)
    post_->cut = true;
  if (in_tls_) {
    if (tls_)
      // The firmware may come back, as after it restarted its ports; link_down would say that the
      // client has left.
      tls_ends(fail(problem::device_timeout, "the firmware's local connection ended"));
    return;
  }
  awaits_response_ = false;
  channel_ends();
}

void session::on(rps::port_switched) {
  if (!switched_) {
    ++core_->counts.stray;
    return;
  }
  switching_.cancel();
  std::exchange(switched_, nullptr)(success());
}

void session::on(rps::heartbeat) {}

// -- to the client ------------------------------------------------------------------------------

void session::send(std::string frame) {
  if (phase_ == phase::ended)
    return;
  out_octets_ += frame.size();
  out_.push_back(std::move(frame));
  if (out_octets_ <= max_queued)
    return pump();
  out_.clear();
  out_octets_ = 0;
  // Not from here: this may be inside a call that ended() would destroy.
  boost::asio::post(ws_->context(), [me = shared_from_this()] {
    me->ws_->close(1008, "nothing is read");
    me->ended();
  });
}

void session::pump() {
  if (sending_ || out_.empty() || phase_ == phase::ended)
    return;
  sending_ = true;
  ++core_->counts.frames_out;
  auto frame = std::move(out_.front());
  out_.pop_front();
  out_octets_ -= frame.size();
  ws_->send({std::move(frame), false}, [me = shared_from_this()](bool ok) {
    me->sending_ = false;
    if (ok)
      me->pump();
  });
}

void session::give_up(refused why, const std::string& text) {
  core_->counts.refuse(why);
  leave(rps::error_frame(text));
  tell_closed();
}

void session::leave(std::string last_frame) {
  if (phase_ == phase::leaving || phase_ == phase::ended)
    return;
  phase_ = phase::leaving;
  settle(gone());
  send(std::move(last_frame));
  wheel_.arm(silence_, core_->opts.leave);
}

void session::progress(const std::string& label) {
  if (labels_)
    send(rps::progress_frame(label));
}

void session::finish(const provisioning_report& report) {
  leave(rps::final_frame(report, core_->opts.components));
}

void session::refuse(const std::string& text) {
  leave(rps::error_frame(text));
}

void session::abandoned() {
  give_up(refused::abandoned, "The server has failed. Do it again.");
}

void session::end(link_end, std::string text) {
  boost::asio::post(ws_->context(),
                    [me = shared_from_this(), text = std::move(text)] { me->refuse(text); });
}

// -- the end ------------------------------------------------------------------------------------

void session::settle(const failure& why) {
  silence_.cancel();
  switching_.cancel();
  shaking_.cancel();
  withheld_.cancel();
  tls_.reset();
  ++tls_number_;
  channel_.reset();
  awaits_response_ = false;
  if (client_)
    client_->carrier_gone(); // ends the post that it has, as unknown if it was sent
  if (tls_waits_)
    std::exchange(tls_waits_, nullptr)(why);
  if (post_)
    post_done(why);
  if (switched_)
    std::exchange(switched_, nullptr)(why);
}

void session::tell_closed() {
  if (std::exchange(told_, false))
    core_->decides.closed(id_);
}

void session::ended() {
  if (phase_ == phase::ended)
    return;
  const auto self = shared_from_this();
  phase_ = phase::ended;
  settle(gone());
  overall_.cancel();
  out_.clear();
  if (const auto way = wire_.lock())
    way->detach();
  tell_closed();
}

void session::watch_for_silence() {
  asked_ = false;
  wheel_.arm(silence_, core_->opts.idle / 2);
}

void session::silent() {
  switch (phase_) {
  case phase::awaiting:
    return give_up(refused::silent, "The first message did not come in time.");
  case phase::leaving:
    // The answer to our close, or its absence, ends what receive() waits for.
    return ws_->close(1000, "");
  case phase::speaking:
    break;
  case phase::ended:
    return;
  }
  if (asked_)
    return give_up(refused::idle, "The client does not answer any more.");
  // Whatever else is awaited has a deadline of its own.
  if (!post_ && !switched_ && !tls_waits_) {
    asked_ = true;
    send(rps::heartbeat_frame());
  }
  wheel_.arm(silence_, core_->opts.idle / 2);
}

void session::overlong() {
  give_up(refused::overlong, "The whole took too long. Do it again.");
}

// -- for the provisioner ------------------------------------------------------------------------

void session::sign_in(const std::string& user, const secret_text& password) {
  user_ = user;
  password_ = password;
  new_client();
}

void session::new_client() {
  if (post_)
    tls_.reset();
  channel_.reset();
  awaits_response_ = false;
  if (client_)
    client_->carrier_gone();
  amt::client_timing timing;
  amt::firmware_port to;
  if (in_tls_) {
    // begin_tls() has the deadline, and post() decides about the session's age.
    timing.open = for_ever;
    timing.idle = timing.reuse = for_ever;
    to.number = tls_port;
  } else {
    to.close_each = true; // rpc then sees the end of an answer at once
  }
  client_ =
      std::make_shared<amt::amt_client>(handle_, guid_, amt::login{user_, password_}, timing, to);
}

void session::post(const std::string& envelope, std::chrono::milliseconds timeout,
                   std::function<void(result<soap_answer>)> cb) {
  if (!client_)
    return cb(fail(problem::internal, "nobody has signed in"));
  if (post_ || switched_ || tls_waits_)
    return cb(fail(problem::busy, "one call at a time"));
  post_ = open_post{std::move(cb), std::string(between(envelope, "MessageID>")),
                    amt::only_reads(envelope)};
  const bool aged = clock::now() - tls_used_ > core_->opts.tls_reuse;
  if (!in_tls_ || (tls_ && tls_->established() && (post_->reads || !aged)))
    return hand_to_client(envelope, timeout);
  // Before the call, so that its time is the firmware's alone, and so that a change does not go to
  // a session that the firmware may have left.
  channel_ends();
  begin_tls([this, envelope, timeout](const status& ok) {
    if (!post_)
      return;
    ok ? hand_to_client(envelope, timeout) : post_done(ok.error());
  });
}

void session::hand_to_client(const std::string& envelope, std::chrono::milliseconds timeout) {
  client_->post(envelope, timeout, [weak = weak_from_this()](result<soap_answer> r) {
    if (const auto me = weak.lock())
      me->post_done(std::move(r));
  });
}

void session::post_done(result<soap_answer> r) {
  if (!post_)
    return;
  auto p = std::move(*post_);
  post_.reset();
  tls_used_ = clock::now();
  if (!r) {
    const auto what = r.error().what;
    if (p.tls && (what == problem::device_protocol || what == problem::device_refused))
      r = *p.tls;
    else if (p.cut && what == problem::device_protocol)
      r = fail(problem::device_timeout, "the firmware's local connection ended");
  }
  p.cb(std::move(r));
}

void session::switch_port(std::chrono::seconds delay, std::function<void(status)> cb) {
  if (post_ || switched_ || tls_waits_)
    return cb(fail(problem::busy, "a call is under way"));
  delay = std::clamp(delay, std::chrono::seconds(0), std::chrono::seconds(60)); // as rpc does
  switched_ = std::move(cb);
  wheel_.arm(switching_, delay + core_->opts.port_switch);
  send(rps::port_switch_frame(delay));
}

void session::not_switched() {
  if (switched_)
    std::exchange(switched_, nullptr)(
        fail(problem::device_timeout, "the client did not reach the firmware's TLS port in time"));
}

// -- the carrier --------------------------------------------------------------------------------

result<std::uint32_t> session::open(std::uint16_t, amt::channel_user& user) {
  if (phase_ != phase::speaking)
    return gone();
  if (channel_) // an idle one: the client's local connection is one at a time
    channel_ends();
  const auto number = ++last_channel_;
  channel_ = open_channel{number, &user};
  const auto opened = [weak = weak_from_this(), number](const status& ok) {
    const auto me = weak.lock();
    if (!me || !me->channel_ || me->channel_->number != number)
      return;
    auto* who = me->channel_->user;
    if (ok)
      return who->channel_opened();
    me->channel_.reset();
    who->channel_refused(amt::refusal::prohibited);
  };
  // Not from inside: the user does not know its channel yet.
  boost::asio::post(ws_->context(), [weak = weak_from_this(), number, opened] {
    const auto me = weak.lock();
    if (!me || !me->channel_ || me->channel_->number != number)
      return;
    if (me->in_tls_ && !(me->tls_ && me->tls_->established()))
      me->begin_tls(opened);
    else
      opened(success());
  });
  return number;
}

void session::hand_over(std::uint32_t channel, amt::channel_user& user) {
  if (channel_ && channel_->number == channel)
    channel_->user = &user;
}

std::size_t session::write(std::uint32_t channel, std::string_view octets) {
  if (!channel_ || channel_->number != channel || phase_ != phase::speaking)
    return 0;
  channel_->used = true;
  if (!in_tls_) {
    awaits_response_ = true;
    send(rps::wsman_frame(octets));
    return octets.size();
  }
  if (!tls_ || !tls_->established())
    return 0;
  auto o = tls_->write(octets);
  if (!o.to_firmware.empty())
    send(rps::tls_frame(o.to_firmware));
  if (o.failed) {
    boost::asio::post(ws_->context(),
                      [me = shared_from_this(), number = tls_number_, why = o.failed] {
                        if (number == me->tls_number_)
                          me->tls_ends(why);
                      });
    return 0;
  }
  return octets.size();
}

void session::close(std::uint32_t channel) {
  if (!channel_ || channel_->number != channel)
    return;
  const bool used = channel_->used;
  channel_.reset();
  if (in_tls_) {
    if (used || tls_waits_) { // what else it brings belongs to nothing
      tls_.reset();
      ++tls_number_;
      shaking_.cancel();
      tls_waits_ = nullptr; // the opening of this very channel
    }
  } else if (awaits_response_) {
    awaits_response_ = false;
    ++late_;
  }
}

void session::channel_ends() {
  if (!channel_)
    return;
  auto* user = channel_->user;
  channel_.reset();
  user->channel_closed(false);
}

} // namespace outband::activation
