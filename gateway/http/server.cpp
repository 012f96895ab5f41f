#include "gateway/http/server.hpp"

#include "gateway/http/connections.hpp"
#include "gateway/net/io_pool.hpp"
#include "gateway/net/timers.hpp"

#include <future>

namespace outband::web {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::seconds;

class listener final : public server {
public:
  listener(net::io_pool& pool, server_options o, handler h, std::vector<ws_route> upgrades)
      : pool_(pool), core_(std::make_shared<shared>()),
        acceptor_(std::make_shared<tcp::acceptor>(pool.at(0))) {
    core_->options = std::move(o);
    core_->on_request = std::move(h);
    core_->upgrades = std::move(upgrades);
    for (std::size_t i = 0; i < pool.size(); ++i)
      shards_.push_back(std::make_shared<shard>(pool.at(i)));
  }

  ~listener() override {
    stop();
    // Connections must be gone before the pool is; their thread closes them, unless it has ended.
    for (std::size_t i = 0; i < closing_.size(); ++i)
      while (closing_[i].wait_for(std::chrono::milliseconds(10)) != std::future_status::ready &&
             !shards_[i]->context.stopped()) {
      }
  }

  status open() {
    error_code ec;
    auto address = asio::ip::make_address(core_->options.bind, ec);
    if (ec)
      return fail(problem::malformed, "'" + core_->options.bind + "' is not an address",
                  "https.bind");
    tcp::endpoint at(address, core_->options.port);
    auto step = [&](auto&& f) {
      if (!ec)
        f();
    };
    acceptor_->open(at.protocol(), ec);
    step([&] { acceptor_->set_option(tcp::acceptor::reuse_address(true), ec); });
    step([&] { acceptor_->bind(at, ec); });
    step([&] { acceptor_->listen(1024, ec); });
    if (ec)
      return fail(problem::internal, "cannot listen on " + core_->options.bind + " port " +
                                         std::to_string(core_->options.port) + ": " + ec.message());
    port_ = acceptor_->local_endpoint(ec).port();
    asio::post(pool_.at(0), [loop = loop()] { loop->next(); });
    return success();
  }

  std::uint16_t port() const override { return port_; }

  void stop() override {
    if (core_->stopping.exchange(true))
      return;
    for (auto& s : shards_) {
      auto done = std::make_shared<std::promise<void>>();
      closing_.push_back(done->get_future());
      auto close_all = [s, done, acceptor = s == shards_[0] ? acceptor_ : nullptr] {
        error_code ignored;
        if (acceptor)
          acceptor->close(ignored);
        for (const auto& c : std::set<std::shared_ptr<connection>>(s->http))
          c->abort();
        for (const auto& [key, weak] :
             std::map<connection*, std::weak_ptr<connection>>(s->websockets))
          if (auto c = weak.lock())
            c->abort();
        done->set_value();
      };
      if (s->context.stopped())
        close_all(); // nobody runs it any more
      else
        asio::post(s->context, close_all);
    }
  }

  counts count() const override {
    return {core_->connections, core_->websockets, core_->requests, core_->refused};
  }

private:
  /// The accept loop; holds what it needs, so that it survives the listener's end.
  struct accept_loop : std::enable_shared_from_this<accept_loop> {
    accept_loop(net::io_pool& p, std::shared_ptr<shared> c, std::shared_ptr<tcp::acceptor> a,
                std::vector<std::shared_ptr<shard>> s)
        : core(std::move(c)), acceptor(std::move(a)), shards(std::move(s)),
          wheel(net::timers::of(p.at(0))) {}

    void next() {
      if (core->stopping || !acceptor->is_open())
        return;
      auto home = shards[turn++ % shards.size()];
      acceptor->async_accept(
          home->context, [me = shared_from_this(), home](error_code ec, tcp::socket s) {
            if (ec == asio::error::operation_aborted || me->core->stopping)
              return;
            if (ec) { // no descriptors left: try again in a moment, not in a loop
              me->self = me;
              return me->wheel.arm(me->pause, std::chrono::milliseconds(200));
            }
            me->take(std::move(s), home);
            me->next();
          });
    }

    void resume() {
      auto keep = std::move(self);
      next();
    }

    void take(tcp::socket s, const std::shared_ptr<shard>& home) {
      if (core->connections >= core->options.max_connections) {
        ++core->refused;
        return; // closes
      }
      counted place(core);
      error_code ec;
      s.set_option(tcp::no_delay(true), ec);
      if (const int size = core->options.send_buffer; size > 0)
        s.set_option(asio::socket_base::send_buffer_size(size), ec);
      auto remote = s.remote_endpoint(ec).address();
      if (ec)
        return;
      if (remote.is_v6() && remote.to_v6().is_v4_mapped())
        remote = asio::ip::make_address_v4(asio::ip::v4_mapped, remote.to_v6());
      asio::post(home->context, [core = core, home, s = std::move(s), place = std::move(place),
                                 peer = remote.to_string()]() mutable {
        if (core->stopping)
          return;
        start_session(std::move(s), {core, home, std::move(place), std::move(peer)});
      });
    }

    std::shared_ptr<shared> core;
    std::shared_ptr<tcp::acceptor> acceptor;
    std::vector<std::shared_ptr<shard>> shards;
    net::timers& wheel;
    net::member_timer<accept_loop, &accept_loop::resume> pause{*this};
    std::shared_ptr<accept_loop> self; ///< while nothing but the timer refers to it
    std::size_t turn = 0;
  };

  std::shared_ptr<accept_loop> loop() {
    return std::make_shared<accept_loop>(pool_, core_, acceptor_, shards_);
  }

  net::io_pool& pool_;
  std::shared_ptr<shared> core_;
  std::shared_ptr<tcp::acceptor> acceptor_;
  std::vector<std::shared_ptr<shard>> shards_;
  std::vector<std::future<void>> closing_;
  std::uint16_t port_ = 0;
};

} // namespace

result<std::unique_ptr<server>> server::start(net::io_pool& pool, server_options options,
                                              handler on_request, std::vector<ws_route> upgrades) {
  auto l = std::make_unique<listener>(pool, std::move(options), std::move(on_request),
                                      std::move(upgrades));
  if (auto ok = l->open(); !ok)
    return ok.error();
  return std::unique_ptr<server>(std::move(l));
}

} // namespace outband::web
