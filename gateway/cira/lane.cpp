#include "gateway/cira/lane.hpp"

namespace outband::cira {

peer_address address_of(const endpoint& e) {
  const auto address = e.address();
  if (address.is_v6())
    return address.to_v6().to_bytes();
  peer_address mapped{};
  mapped[10] = mapped[11] = 0xFF;
  const auto v4 = address.to_v4().to_bytes();
  std::copy(v4.begin(), v4.end(), mapped.begin() + 12);
  return mapped;
}

std::string text_of(const endpoint& e) {
  const auto address = e.address();
  const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  const auto text =
      mapped ? boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
                   .to_string()
             : address.to_string();
  return (address.is_v6() && !mapped ? "[" + text + "]" : text) + ":" + std::to_string(e.port());
}

std::string_view to_string(turned_away why) {
  switch (why) {
  case turned_away::blocked:
    return "blocked";
  case turned_away::not_tls:
    return "not-tls";
  case turned_away::tls:
    return "tls";
  case turned_away::credentials:
    return "credentials";
  case turned_away::protocol:
    return "protocol";
  case turned_away::store:
    return "store";
  case turned_away::full:
    return "full";
  }
  return "unknown";
}

void lane::add(std::shared_ptr<connection> c) {
  c->place_ = connections_.size();
  connections_.push_back(std::move(c));
  const std::lock_guard hold{shared->open_mutex};
  ++shared->open;
}

void lane::remove(connection& c) {
  const auto place = c.place_;
  if (place >= connections_.size() || connections_[place].get() != &c)
    return;
  const auto leaving = std::move(connections_[place]);
  if (place + 1 != connections_.size()) {
    connections_[place] = std::move(connections_.back());
    connections_[place]->place_ = place;
  }
  connections_.pop_back();
  const std::lock_guard hold{shared->open_mutex};
  if (--shared->open == 0)
    shared->open_changed.notify_all();
}

void lane::shut_all() {
  closing = true;
  key_exchanges.clear();
  const auto all = connections_; // they leave the list meanwhile
  for (const auto& c : all)
    c->shut();
}

void lane::begin_drain() {
  closing = true;
  to_drain_.assign(connections_.begin(), connections_.end());
}

void lane::shut_some(std::size_t portion) {
  for (; portion > 0 && !to_drain_.empty(); --portion) {
    const auto next = to_drain_.back().lock();
    to_drain_.pop_back();
    if (next)
      next->shut();
  }
}

void lane::abandon_all() {
  const auto all = connections_;
  for (const auto& c : all)
    c->abandon();
}

} // namespace outband::cira
