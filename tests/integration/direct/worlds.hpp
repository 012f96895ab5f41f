/// One firmware behind a link, whichever carries it: a CIRA tunnel, a TCP connection, a TLS one.
#pragma once

#include "bench.hpp"

#include "tests/integration/cira/raw_device.hpp"

#include <map>
#include <memory>
#include <thread>

namespace outband::test {

class world {
public:
  virtual ~world() = default;
  virtual std::shared_ptr<amt_link_port> link() = 0;
  virtual firmware& fw() = 0;
  /// The machine is gone from now on, when it has carried out `drops`.
  virtual firmware::behaviour vanish() = 0;
  virtual fake_terminator& terminator() = 0;
};

class direct_world : public world {
public:
  explicit direct_world(bool tls) : machine_(tls) { bench_.begin(machine_, tls); }
  std::shared_ptr<amt_link_port> link() override { return bench_.link(0); }
  firmware& fw() override { return machine_.fw; }
  firmware::behaviour vanish() override {
    return [this](const http::request&) {
      machine_.refuse();
      machine_.fin_all();
      return firmware::reply{{}, true};
    };
  }
  fake_terminator& terminator() override { return bench_.terminator; }

private:
  lan_machine machine_;
  direct_bench bench_;
};

/// Serves every channel to port 16992 from one thread.
class cira_world : public world {
public:
  cira_world() : device_(site_.good_device()) {
    thread_ = std::thread{[this] {
      try {
        serve();
      } catch (const std::runtime_error&) {
        // the server has ended the tunnel
      }
    }};
  }
  ~cira_world() override {
    if (!gone_) {
      fw_.behave([this](const http::request& r) {
        stop_ = true;
        return firmware::reply{ok_octets(r.body), false};
      });
      awaited_call last;
      link()->post("<s:Header/><s:Body/>", std::chrono::seconds{20}, last.cb());
      (void)last.get().ok(); // or the tunnel has ended already
    }
    thread_.join();
  }
  std::shared_ptr<amt_link_port> link() override { return site_.terminator.link(0); }
  firmware& fw() override { return fw_; }
  firmware::behaviour vanish() override {
    gone_ = true;
    return [this](const http::request&) {
      stop_ = fin_ = true;
      return firmware::reply{};
    };
  }
  fake_terminator& terminator() override { return site_.terminator; }

private:
  struct open_channel {
    explicit open_channel(firmware& f) : http(f) {}
    firmware::connection http;
    std::uint32_t theirs = 0;
    std::size_t credit = 0;
    std::string out;
    bool close = false, closed = false;
  };

  void flush(open_channel& c) {
    while (!c.out.empty() && c.credit > 0) {
      const auto n = std::min({c.out.size(), c.credit, std::size_t{4087}});
      apf::channel_data d;
      d.recipient = c.theirs;
      d.data = std::string_view{c.out}.substr(0, n);
      device_->send(d);
      c.credit -= n;
      c.out.erase(0, n);
    }
    if (c.out.empty() && c.close && !c.closed) {
      c.closed = true;
      device_->send(apf::channel_close{c.theirs});
    }
  }
  bool idle() const {
    for (const auto& [mine, c] : channels_)
      if (!c.out.empty())
        return false;
    return true;
  }
  void serve() {
    constexpr std::uint32_t window = 1 << 20;
    std::uint32_t last = 0;
    while (!(stop_ && idle())) {
      const auto m = device_->next();
      if (const auto* open = std::get_if<apf::channel_open>(&m)) {
        auto& c = channels_.emplace(++last, fw_).first->second;
        c.theirs = open->sender;
        c.credit = open->window;
        device_->send(apf::channel_open_confirmation{open->sender, last, window});
      } else if (const auto* d = std::get_if<apf::channel_data>(&m)) {
        auto& c = channels_.at(d->recipient);
        const auto size = static_cast<std::uint32_t>(d->data.size());
        const auto reply = c.http.take(d->data);
        device_->send(apf::channel_window_adjust{c.theirs, size});
        c.out += reply.octets;
        c.close = c.close || reply.close;
        flush(c);
      } else if (const auto* w = std::get_if<apf::channel_window_adjust>(&m)) {
        auto& c = channels_.at(w->recipient);
        c.credit += w->add;
        flush(c);
      } else if (const auto* x = std::get_if<apf::channel_close>(&m)) {
        auto at = channels_.find(x->recipient);
        if (at == channels_.end())
          continue;
        if (!at->second.closed)
          device_->send(apf::channel_close{at->second.theirs});
        channels_.erase(at);
      }
    }
    if (fin_)
      device_->fin();
  }

  site site_;
  firmware fw_;
  std::unique_ptr<raw_device> device_;
  std::map<std::uint32_t, open_channel> channels_;
  std::atomic<bool> stop_{false}, fin_{false};
  bool gone_ = false;
  std::thread thread_;
};

} // namespace outband::test
