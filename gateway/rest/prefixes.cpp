#include "gateway/rest/prefixes.hpp"

#include "messages/domain/ids.hpp"
#include "messages/domain/text.hpp"
#include "messages/rest/target.hpp"

#include <algorithm>

namespace outband::rest {

namespace {

constexpr std::string_view no_relay =
    "This version relays no redirection sessions (KVM, SOL, IDE-R).";
constexpr std::string_view no_bare_activation =
    "Machines are provisioned over a WebSocket, by the URL that comes with a one-time token.";

using path = std::vector<std::string>;

bool at(const path& s, std::size_t i, std::string_view word) {
  return i < s.size() && same_text(s[i], word);
}

void replace(path& s, std::size_t count, std::initializer_list<const char*> with) {
  s.erase(s.begin(), s.begin() + static_cast<path::difference_type>(count));
  s.insert(s.begin(), with.begin(), with.end());
}

/// What Kong and Traefik do: cut the prefix, and know whose the rest is.
void cut_prefix(place& p) {
  auto& s = p.segments;
  if (at(s, 0, "rps") && s.size() > 1) {
    replace(s, 1, {});
  } else if (at(s, 0, "mps") && s.size() > 1) {
    replace(s, at(s, 1, "login") ? 2 : 1, {});
  } else if (at(s, 0, "device") && at(s, 1, "power") && s.size() == 4 &&
             (at(s, 2, "state") || at(s, 2, "action"))) {
    replace(s, 2, {"api", "v1", "amt", "power"});
  } else if (at(s, 0, "v1") && at(s, 1, "projects") && s.size() > 2) {
    p.project = s[2];
    if (!at(s, 3, "dm") || s.size() < 5)
      return;
    // Both services are below /dm: /dm/amt/<rest> is RPS's /api/v1/<rest> where <rest> starts with
    // "admin", which no GUID and no route of MPS does, and MPS's /api/v1/amt/<rest> otherwise.
    replace(s, at(s, 4, "amt") && at(s, 5, "admin") ? 5 : 4, {"api", "v1"});
  }
}

} // namespace

place place_of(path segments) {
  place p;
  p.segments = std::move(segments);
  cut_prefix(p);
  auto& s = p.segments;
  // MPS's relay is /relay/webrelay.ashx; Kong's /mps/ws/relay leads there.
  if (at(s, 0, "relay") || (at(s, 0, "ws") && at(s, 1, "relay")))
    p.absent = no_relay;
  // RPS's WebSockets: upgrades do not come here.
  if (s.size() == 1 && (at(s, 0, "activate") || at(s, 0, "deactivate") || at(s, 0, "maintenance")))
    p.absent = no_bare_activation;
  // A machine's power state under the machine, as the seed of the project words it.
  if (s.size() == 6 && at(s, 0, "api") && at(s, 1, "v1") && at(s, 2, "devices") &&
      at(s, 4, "power") && at(s, 5, "state") && parse_uuid(s[3])) {
    auto guid = s[3];
    s = {"api", "v1", "amt", "power", "state", std::move(guid)};
  }
  return p;
}

} // namespace outband::rest
