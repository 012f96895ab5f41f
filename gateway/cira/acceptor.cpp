#include "gateway/cira/acceptor.hpp"

#include "gateway/cira/greeting.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace outband::cira {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int backlog = 4096; // a fleet that lost its server comes back at once

} // namespace

acceptor::acceptor(asio::io_context& context, listen_address where,
                   std::vector<std::shared_ptr<lane>> lanes)
    : context_(context), where_(std::move(where)), lanes_(std::move(lanes)), acceptor_(context) {}

std::string acceptor::where() const {
  error_code ec;
  const auto address = asio::ip::make_address(where_.address, ec);
  return text_of({address, port_});
}

status acceptor::open() {
  error_code ec;
  const auto address = asio::ip::make_address(where_.address, ec);
  if (ec)
    return fail(problem::malformed, "'" + where_.address + "' is not a numeric address",
                "cira.listen");
  const tcp::endpoint at{address, where_.port};
  acceptor_.open(at.protocol(), ec);
  if (!ec)
    acceptor_.set_option(asio::socket_base::reuse_address{true}, ec);
  if (!ec && address.is_v6())
    acceptor_.set_option(asio::ip::v6_only{!address.is_unspecified()}, ec);
  if (!ec)
    acceptor_.bind(at, ec);
  if (!ec)
    acceptor_.listen(backlog, ec);
  if (ec)
    return fail(problem::internal, text_of(at) + ": " + ec.message(), "cira.listen");
  port_ = acceptor_.local_endpoint(ec).port();
  return success();
}

void acceptor::start() {
  asio::post(context_, [self = shared_from_this()] { self->accept(); });
}

void acceptor::close() {
  pause_.cancel();
  error_code ignored;
  acceptor_.close(ignored);
}

void acceptor::accept() {
  if (!acceptor_.is_open())
    return;
  const auto to = lanes_[next_lane_++ % lanes_.size()];
  acceptor_.async_accept(to->context,
                         [self = shared_from_this(), to](error_code ec, tcp::socket socket) {
                           if (!self->acceptor_.is_open())
                             return;
                           if (!ec) {
                             self->out_of_descriptors_ = false;
                             self->accepted(std::move(socket), to);
                           } else if (ec != asio::error::connection_aborted) {
                             self->pause(ec);
                             return;
                           }
                           if (!self->full_)
                             self->accept();
                         });
}

void acceptor::accepted(tcp::socket socket, const std::shared_ptr<lane>& to) {
  auto& shared = *to->shared;
  error_code ec;
  const auto peer = socket.remote_endpoint(ec);
  if (ec)
    return; // it is gone already
  shared.counts.accepted.fetch_add(1, std::memory_order_relaxed);
  if (crowded(shared, peer))
    return;
  switch (shared.door.knock(address_of(peer), std::chrono::steady_clock::now())) {
  case gate::decision::blocked:
    shared.counts.refuse(turned_away::blocked);
    spdlog::warn(
        "cira: refused peer={} reason=\"too many failed attempts from this address\" "
        "next=\"see to the failing machines named above; {} failures a minute are "
        "forgiven; a load balancer belongs into cira.never_block\" (further refusals of it "
        "are logged at debug level)",
        text_of(peer), shared.opts.forgiven_per_minute);
    return;
  case gate::decision::still_blocked:
    shared.counts.refuse(turned_away::blocked);
    spdlog::debug("cira: refused peer={} reason=\"address is still blocked\"", text_of(peer));
    return;
  case gate::decision::come_in_last:
    full_ = true;
    spdlog::warn("cira: {} connections are not authenticated yet; accepting pauses until some are",
                 shared.opts.max_pending);
    break;
  case gate::decision::come_in:
    break;
  }
  asio::post(to->context, [to, peer, legacy = where_.legacy, s = std::move(socket)]() mutable {
    const auto one = std::make_shared<greeting>(to, std::move(s), peer, legacy);
    one->start();
    if (to->closing)
      one->shut();
  });
}

bool acceptor::crowded(hub& shared, const endpoint& peer) {
  std::size_t open = 0;
  {
    const std::lock_guard hold{shared.open_mutex};
    open = shared.open;
  }
  if (open < shared.opts.max_tunnels) {
    crowded_ = false;
    return false;
  }
  shared.counts.refuse(turned_away::full);
  if (!std::exchange(crowded_, true))
    spdlog::error("cira: refused peer={} reason=\"{} machines are connected, as many as are "
                  "allowed\" next=\"raise cira.max_tunnels or add a terminator\" (further "
                  "refusals are counted)",
                  text_of(peer), open);
  return true;
}

void acceptor::resume() {
  asio::post(context_, [self = shared_from_this()] {
    if (!std::exchange(self->full_, false) || self->pause_.armed())
      return;
    self->accept();
  });
}

void acceptor::pause(const error_code& ec) {
  if (!std::exchange(out_of_descriptors_, true))
    spdlog::error("cira: cannot accept: {}; trying again every {} ms (raise the limit of open "
                  "files, LimitNOFILE)",
                  ec.message(), lanes_.front()->shared->opts.accept_pause.count());
  net::timers::of(context_).arm(pause_, lanes_.front()->shared->opts.accept_pause);
}

void acceptor::pause_passed() {
  if (!full_)
    accept();
}

} // namespace outband::cira
