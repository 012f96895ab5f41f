/// What a hostile device can do to a server: decoder, order rules and channels together. The first
/// octet of the input decides how the server behaves meanwhile.
#include "messages/apf/channels.hpp"
#include "messages/apf/decoder.hpp"
#include "messages/apf/handshake.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace outband::apf;

class server {
public:
  explicit server(std::uint8_t mood) : mood_(mood), channels_(config(mood)) { on(tls_complete{}); }

  bool closed() const { return state_.now == stage::closed; }
  void hear(std::string_view octets) {
    while (!closed()) {
      if (state_.now == stage::checking) {
        if ((mood_ & 1) != 0)
          on(credentials_rejected{});
        else
          on(credentials_accepted{});
        in_.set_limits(decoder_limits::after_authentication(81920));
      }
      auto got = in_.next(octets);
      if (auto* m = std::get_if<message>(&got))
        on(received{std::move(*m)});
      else
        return;
    }
  }
  void check() const {
    if (in_.memory() > 2 * (81920 + (64 << 10)) || channels_.size() > 32 ||
        state_.ports.size() > 32)
      std::abort();
    for (std::uint32_t id = 0; id < 40; ++id)
      if (channels_.credit(id) > 0xFFFFFFFF)
        std::abort();
  }

private:
  static channels_config config(std::uint8_t mood) {
    auto c = channels_config::server();
    c.accept_opens = (mood & 2) != 0;
    return c;
  }
  void on(handshake_event e) {
    auto step = decide(std::move(state_), std::move(e));
    state_ = std::move(step.next);
    for (auto& effect : step.effects)
      act(effect);
  }
  void act(const handshake_effect& effect) {
    if (std::holds_alternative<became_ready>(effect)) {
      ready_ = true;
      for (int i = 0; i < 4; ++i)
        if (!channels_.open(16992, out_))
          std::abort();
      if ((mood_ & 4) != 0)
        channels_.close(3, out_); // before it is confirmed
    } else if (const auto* traffic = std::get_if<channel_traffic>(&effect)) {
      if (!ready_)
        std::abort();
      follow(channels_.on(traffic->what, out_));
    }
    out_.clear();
  }
  void follow(const channel_event& e) {
    if (const auto* asked = std::get_if<open_asked>(&e)) {
      if ((mood_ & 8) != 0)
        channels_.accept(asked->channel, out_);
      else
        channels_.refuse(asked->channel, open_failure_reason::connect_failed, out_);
    } else if (const auto* data = std::get_if<data_arrived>(&e)) {
      if ((mood_ & 16) != 0)
        channels_.consumed(data->channel, data->data.size() + (mood_ & 32), out_);
      if ((mood_ & 64) != 0)
        channels_.close(data->channel, out_);
    } else if (const auto* o = std::get_if<opened>(&e)) {
      write(o->channel);
    } else if (const auto* w = std::get_if<writable>(&e)) {
      write(w->channel);
    } else if (std::holds_alternative<violation>(e)) {
      on(peer_gone{});
    }
  }
  void write(std::uint32_t channel) {
    static const std::string body(10000, 'x');
    const auto before = channels_.credit(channel);
    if (before - channels_.write(channel, body, out_) != channels_.credit(channel))
      std::abort();
  }

  std::uint8_t mood_;
  bool ready_ = false;
  handshake_state state_{};
  decoder in_{side::server, decoder_limits::before_authentication()};
  channels channels_;
  std::string out_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  server s{data[0]};
  s.hear({reinterpret_cast<const char*>(data) + 1, size - 1});
  s.check();
  return 0;
}
