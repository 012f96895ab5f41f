#include "tools/cli/runner.hpp"

#include <map>
#include <ostream>
#include <utility>

namespace outband::cli {

namespace {

using steady = std::chrono::steady_clock;

/// The broker ends a connection when its ticket does, every quarter of an hour; that is no news.
constexpr std::chrono::seconds silent_loss{3};

/// Prints documents once, and says when events are missing. Retained documents come again with
/// every new connection; events do not, but their numbers have no gaps.
class printer {
public:
  printer(world& with, bool json, std::function<std::string(const device_id&)> look_up)
      : with_(with), json_(json), look_up_(std::move(look_up)) {}

  std::map<device_id, std::string> names;

  void operator()(const connection_news&) {}
  void operator()(const document_news<desired_state>&) {}
  void operator()(const document_news<current_state>& n) {
    if (newer(currents_, n))
      print(n);
  }
  void operator()(const document_news<presence>& n) {
    if (newer(presences_, n))
      print(n);
  }
  void operator()(const document_news<event>& n) {
    auto& last = events_[{n.device.device, n.what.body.cls}];
    if (n.what.env.seq != 0 && n.what.env.seq <= last)
      return;
    if (last != 0 && n.what.env.seq > last + 1)
      with_.err << "outband: " << n.what.env.seq - last - 1 << " events of "
                << name_of(n.device.device) << " were missed\n";
    last = n.what.env.seq;
    print(n);
  }

private:
  template <class T>
  static bool newer(std::map<device_id, revision>& shown, const document_news<T>& n) {
    auto& last = shown[n.device.device];
    if (n.what.env.rev != 0 && n.what.env.rev <= last)
      return false;
    last = n.what.env.rev;
    return true;
  }
  template <class T> void print(const document_news<T>& n) {
    const auto& name = name_of(n.device.device);
    with_.out << (json_ ? watch_json(n.device.device, name, n.what) : watch_line(name, n.what))
              << "\n"
              << std::flush;
  }
  const std::string& name_of(const device_id& guid) {
    auto [at, unknown] = names.try_emplace(guid, to_string(guid));
    if (unknown) // registered after we started
      if (auto name = look_up_(guid); !name.empty())
        at->second = name;
    return at->second;
  }

  world& with_;
  const bool json_;
  std::function<std::string(const device_id&)> look_up_;
  std::map<device_id, revision> currents_, presences_;
  std::map<std::pair<device_id, event_class>, std::uint64_t> events_;
};

} // namespace

result<exit_code> runner::operator()(const watch_command& c) {
  if (auto ok = connect(); !ok)
    return ok.error();
  api server(*transport_, as_);
  printer print(with_, json(), [&](const device_id& guid) {
    auto h = server.find_host(to_string(guid));
    return h ? h->name : std::string();
  });
  follow_options what;
  if (c.host.empty()) {
    auto all = server.hosts();
    if (!all)
      return all.error();
    for (const auto& h : *all)
      print.names[h.guid] = h.name;
  } else {
    auto h = server.find_host(c.host);
    if (!h)
      return h.error();
    print.names[h->guid] = h->name;
    what.device = h->guid;
  }
  auto link = open_bus(what.tenant);
  if (!link)
    return link.error();
  what.states = !c.events_only;
  follower news_of(*link->endpoint, what);
  std::vector<news> early;
  if (auto ok = await_bus(news_of, *link, early); !ok)
    return ok.error();
  for (const auto& n : early)
    std::visit(print, n);

  std::optional<steady::time_point> lost_at;
  bool told = false;
  while (with_.out.good()) {
    auto n = news_of.next(lost_at && !told ? *lost_at + silent_loss
                                           : steady::now() + std::chrono::hours(1));
    if (auto lost = news_of.skipped())
      with_.err << "outband: " << lost << " messages skipped: the reader is too slow\n";
    if (!n && lost_at && !told) {
      auto why = link->trouble ? link->trouble() : std::string();
      with_.err << "outband: the connection to the broker is lost"
                << (why.empty() ? why : ": " + why) << "; trying again\n";
      told = true;
    }
    if (!n)
      continue;
    if (const auto* connection = std::get_if<connection_news>(&*n)) {
      if (!connection->up) {
        lost_at = steady::now();
      } else {
        if (told)
          with_.err << "outband: connected again\n";
        lost_at.reset();
        told = false;
      }
    }
    std::visit(print, *n);
  }
  return exit_code::other; // standard output is closed
}

} // namespace outband::cli
