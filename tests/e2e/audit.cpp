#include "tests/e2e/audit.hpp"

#include "messages/bus/topics.hpp"

#include <nlohmann/json.hpp>

namespace outband::e2e {

namespace {

std::vector<machine> slice(const std::vector<machine>& from, std::size_t a, std::size_t n) {
  return {from.begin() + static_cast<std::ptrdiff_t>(a),
          from.begin() + static_cast<std::ptrdiff_t>(a + n)};
}

template <class T>
std::optional<bus::decoded<T>> newest(const watcher& seen, const std::string& topic,
                                      result<bus::decoded<T>> (*decode)(std::string_view,
                                                                        bus::encoding)) {
  std::optional<bus::decoded<T>> out;
  for (const auto& m : seen.seen())
    if (m.topic == topic)
      if (auto d = decode(*m.payload, bus::encoding::msgpack))
        out = *d;
  return out;
}

std::string level_name(int code) {
  return std::string(to_string(level_of(power_state_from_code(code))));
}

/// Empty, or what the broker tells differently from the server.
std::string compare(const stage& s, const watcher& current, const watcher& desired,
                    const machine& m) {
  const device_ref ref{"demo", *parse_uuid(m.guid)};
  const auto h = s.host(m.guid);
  auto c = newest<current_state>(current, bus::current_topic(ref), bus::decode_current);
  if (!c || c->env.rev != h.at("power").at("currentRevision").get<revision>())
    return "current has revision " + (c ? std::to_string(c->env.rev) : "none") + ", the host " +
           h.at("power").dump();
  if (h.at("power").at("actual") != to_string(level_of(c->body.power.state)) ||
      h.at("link").at("state") != to_string(c->body.link.state))
    return "current differs from " + h.dump();
  for (const auto& cond : c->body.conditions)
    if (!cond.ok)
      return "condition " + cond.type + " is false: " + cond.code + " " + cond.reason;
  const auto rev = h.at("power").at("desiredRevision").get<revision>();
  if (rev == 0)
    return {};
  auto d = newest<desired_state>(desired, bus::desired_topic(ref), bus::decode_desired);
  if (!d || d->env.rev != rev || h.at("power").at("wanted") != to_string(d->body.power.target))
    return "desired has revision " + (d ? std::to_string(d->env.rev) : "none") + ", the host " +
           h.at("power").dump();
  if (c->body.desired_rev != rev)
    return "current.desiredRev is " + std::to_string(c->body.desired_rev) + " of " +
           std::to_string(rev);
  return {};
}

} // namespace

crowd::crowd(const stage& s, std::uint64_t seed) {
  const auto& all = s.machines();
  const auto n = all.size() / 6; // two lots of two for wishes, two of one for commands
  for (std::size_t i = 0; i < 2; ++i) {
    for (const auto& m : slice(all, (4 + i) * n, n))
      s.bring_to_rest(m);
    wishers.push_back(std::make_unique<wisher>(s, at, seed + i, slice(all, 2 * i * n, 2 * n)));
    commanders.push_back(
        std::make_unique<commander>(s, at, seed + 10 + i, slice(all, (4 + i) * n, n), i == 1));
  }
}

std::vector<std::string> crowd::finish() {
  at.over = true;
  std::vector<std::string> out;
  const auto end = [&](client& c) {
    c.finish();
    out.insert(out.end(), c.complaints().begin(), c.complaints().end());
  };
  for (const auto& c : wishers)
    end(*c);
  for (const auto& c : commanders)
    end(*c);
  return out;
}

std::string crowd::summary() const {
  std::string out = "attempts " + std::to_string(at.attempts) + ", promises " +
                    std::to_string(at.acknowledged) + "; commands";
  for (const auto& c : commanders)
    for (const auto& [how, count] : c->outcomes())
      out += " " + how + " " + std::to_string(count);
  return out;
}

std::vector<std::string> broken_promises(const stage& s, const crowd& all, const waiter& wait) {
  std::vector<std::string> out;
  const auto must = [&](bool ok, const std::string& what) {
    if (!ok)
      out.push_back(what);
  };
  for (const auto& m : s.machines())
    must(wait([&] { return s.connected(m.guid); }), m.hostname + " is not connected");
  for (const auto& w : all.wishers)
    for (const auto& [guid, promise] : w->promises()) {
      must(wait([&] { return s.host(guid).at("power").at("converged") == true; }),
           guid + " does not obey: " + s.host(guid).at("power").dump());
      const auto power = s.host(guid).at("power");
      must(power.at("desiredRevision").get<std::uint64_t>() == promise.revision,
           guid + " has another wish than revision " + std::to_string(promise.revision) + ": " +
               power.dump());
      must(level_name(s.power(guid)) == (promise.state == "ON" ? "on" : "off"),
           guid + " is not " + promise.state);
    }
  for (const auto& c : all.commanders)
    for (const auto& [guid, codes] : c->expected())
      for (const auto& [code, bounds] : codes) {
        const auto really = s.carried_out(guid)[code];
        must(really >= bounds.least && really <= bounds.most,
             guid + " carried out " + std::to_string(code) + " " + std::to_string(really) +
                 " times instead of " + std::to_string(bounds.least) + " to " +
                 std::to_string(bounds.most));
      }

  auto on = s.connect(s.admin());
  watcher current(*on, "oob/v1/demo/dev/+/current");
  watcher desired(*on, "oob/v1/demo/dev/+/desired");
  for (const auto& m : s.machines())
    must(wait([&] { return compare(s, current, desired, m).empty(); }),
         m.hostname + ": " + compare(s, current, desired, m));
  must(wait([&] { return s.sql("select count(*) from outbox") == "0"; }),
       "the outbox is not empty");
  return out;
}

} // namespace outband::e2e
