#include "messages/apf/channels.hpp"

#include "messages/apf/encoder.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace outband::apf {

namespace {

constexpr std::uint32_t max_u32 = std::numeric_limits<std::uint32_t>::max();

} // namespace

const channels::entry* channels::find(std::uint32_t channel) const {
  for (const auto& e : entries_)
    if (e.ours == channel)
      return &e;
  return nullptr;
}

channels::entry* channels::find(std::uint32_t channel) {
  return const_cast<entry*>(static_cast<const channels*>(this)->find(channel));
}

channels::entry* channels::add(phase now) {
  if (entries_.size() >= config_.max_channels)
    return nullptr;
  std::uint32_t id = 0;
  if (config_.ids == channels_config::numbering::ascending) {
    if (next_id_ == max_u32)
      return nullptr; // reusing numbers would defeat their purpose
    id = next_id_++;
  } else {
    while (find(id) != nullptr)
      ++id;
  }
  entries_.push_back({id, 0, 0, config_.receive_window, 0, now});
  return &entries_.back();
}

void channels::erase(const entry* e) {
  entries_.erase(entries_.begin() + (e - entries_.data()));
  if (entries_.empty())
    std::vector<entry>{}.swap(entries_);
}

channel_event channels::stray(std::uint32_t channel) {
  if (++strays_ > config_.max_strays)
    return violation{channel, "too many messages for channels that do not exist"};
  return ignored{};
}

result<std::uint32_t> channels::open(std::uint32_t port, std::string& out) {
  const auto* e = add(phase::opening);
  if (e == nullptr)
    return fail(problem::busy, "every channel of this tunnel is in use", "channel");
  // What go-wsman-messages writes; devices look at the port only.
  encode(channel_open{"forwarded-tcpip", e->ours, config_.receive_window, "::1", port, "::1", 123},
         out);
  return e->ours;
}

result<std::uint32_t> channels::open_to(std::string host, std::uint32_t port, std::string& out) {
  const auto* e = add(phase::opening);
  if (e == nullptr)
    return fail(problem::busy, "every channel of this tunnel is in use", "channel");
  encode(channel_open{"direct-tcpip", e->ours, config_.receive_window, std::move(host), port, "::1",
                      123},
         out);
  return e->ours;
}

channel_event channels::on(const message& m, std::string& out) {
  if (const auto* data = std::get_if<channel_data>(&m))
    return on(*data);
  if (const auto* adjust = std::get_if<channel_window_adjust>(&m))
    return on_adjust(*adjust);
  if (const auto* open = std::get_if<channel_open>(&m))
    return on_open(*open, out);
  if (const auto* confirmation = std::get_if<channel_open_confirmation>(&m))
    return on_confirmation(*confirmation, out);
  if (const auto* failed = std::get_if<channel_open_failure>(&m))
    return on_failure(*failed);
  if (const auto* closing = std::get_if<channel_close>(&m))
    return on_close(*closing, out);
  return ignored{};
}

channel_event channels::on_open(const channel_open& m, std::string& out) {
  const auto no = [&](open_failure_reason why) -> channel_event {
    encode(channel_open_failure{m.sender, why}, out);
    return ignored{};
  };
  if (!config_.accept_opens)
    return no(open_failure_reason::administratively_prohibited);
  if (m.channel_type != "forwarded-tcpip" && m.channel_type != "direct-tcpip")
    return no(open_failure_reason::unknown_channel_type);
  auto* e = add(phase::asked);
  if (e == nullptr)
    return no(open_failure_reason::resource_shortage);
  e->theirs = m.sender;
  e->may_send = m.window;
  strays_ = 0;
  return open_asked{e->ours, m};
}

bool channels::accept(std::uint32_t channel, std::string& out) {
  auto* e = find(channel);
  if (e == nullptr || e->now != phase::asked)
    return false;
  e->now = phase::open;
  encode(channel_open_confirmation{e->theirs, e->ours, config_.receive_window}, out);
  return true;
}

bool channels::refuse(std::uint32_t channel, open_failure_reason why, std::string& out) {
  const auto* e = find(channel);
  if (e == nullptr || e->now != phase::asked)
    return false;
  encode(channel_open_failure{e->theirs, why}, out);
  erase(e);
  return true;
}

channel_event channels::on_confirmation(const channel_open_confirmation& m, std::string& out) {
  auto* e = find(m.recipient);
  if (e == nullptr || (e->now != phase::opening && e->now != phase::abandoned))
    return stray(m.recipient);
  strays_ = 0;
  e->theirs = m.sender;
  e->may_send = m.window;
  if (e->now == phase::abandoned) {
    e->now = phase::closing;
    encode_close(e->theirs, out);
    return ignored{};
  }
  e->now = phase::open;
  return opened{e->ours};
}

channel_event channels::on_failure(const channel_open_failure& m) {
  const auto* e = find(m.recipient);
  if (e == nullptr || (e->now != phase::opening && e->now != phase::abandoned))
    return stray(m.recipient);
  strays_ = 0;
  const bool abandoned = e->now == phase::abandoned;
  erase(e);
  if (abandoned)
    return channel_closed{m.recipient};
  return open_refused{m.recipient, m.reason};
}

channel_event channels::on_adjust(const channel_window_adjust& m) {
  auto* e = find(m.recipient);
  if (e == nullptr || (e->now != phase::open && e->now != phase::closing))
    return stray(m.recipient);
  strays_ = 0;
  if (m.add > max_u32 - e->may_send)
    return violation{m.recipient, "the window would exceed 2^32-1 octets"};
  e->may_send += m.add;
  if (e->now != phase::open)
    return ignored{};
  return writable{e->ours};
}

channel_event channels::on(const channel_data& m) {
  auto* e = find(m.recipient);
  if (e == nullptr || (e->now != phase::open && e->now != phase::closing))
    return stray(m.recipient);
  strays_ = 0;
  if (m.data.size() > e->may_receive)
    return violation{m.recipient, "more data than our window allows"};
  e->may_receive -= static_cast<std::uint32_t>(m.data.size());
  if (e->now == phase::closing || m.data.empty())
    return ignored{};
  return data_arrived{e->ours, m.data};
}

channel_event channels::on_close(const channel_close& m, std::string& out) {
  const auto* e = find(m.recipient);
  // AMT repeats an old CLOSE right after an open: it does not concern the new channel.
  if (e == nullptr || (e->now != phase::open && e->now != phase::closing))
    return stray(m.recipient);
  strays_ = 0;
  if (e->now == phase::open)
    encode_close(e->theirs, out);
  erase(e);
  return channel_closed{m.recipient};
}

std::size_t channels::write(std::uint32_t channel, std::string_view data, std::string& out) {
  auto* e = find(channel);
  if (e == nullptr || e->now != phase::open || config_.max_payload == 0)
    return 0;
  const std::size_t total = std::min<std::size_t>(data.size(), e->may_send);
  for (std::size_t done = 0; done < total;) {
    const auto piece = data.substr(done, std::min<std::size_t>(total - done, config_.max_payload));
    encode_data(e->theirs, piece, out);
    done += piece.size();
  }
  e->may_send -= static_cast<std::uint32_t>(total);
  return total;
}

void channels::consumed(std::uint32_t channel, std::size_t octets, std::string& out) {
  auto* e = find(channel);
  if (e == nullptr || e->now != phase::open)
    return; // it closed while the consumer was busy
  // Never give back more than was sent, whatever the caller says.
  const std::uint32_t owed = config_.receive_window - e->may_receive - e->taken;
  e->taken += static_cast<std::uint32_t>(std::min<std::size_t>(octets, owed));
  if (e->taken == 0 || e->taken < config_.receive_window / 2)
    return;
  encode_adjust(e->theirs, e->taken, out);
  e->may_receive += e->taken;
  e->taken = 0;
}

void channels::close(std::uint32_t channel, std::string& out) {
  auto* e = find(channel);
  if (e == nullptr)
    return;
  switch (e->now) {
  case phase::opening:
    e->now = phase::abandoned;
    return;
  case phase::asked:
    refuse(channel, open_failure_reason::connect_failed, out);
    return;
  case phase::open:
    e->now = phase::closing;
    encode_close(e->theirs, out);
    return;
  case phase::abandoned:
  case phase::closing:
    return;
  }
}

std::size_t channels::credit(std::uint32_t channel) const {
  const auto* e = find(channel);
  return e != nullptr && e->now == phase::open ? e->may_send : 0;
}

} // namespace outband::apf
