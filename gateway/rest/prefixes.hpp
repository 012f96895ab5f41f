/// The peers' public paths for the routes that we have, so that no gateway is needed in between.
///
/// Sources: DMT's Kong routes (cloud-deployment kong.yaml), EMF's Traefik routes as its CLI uses
/// them (orch-cli internal/cli/dmpath.go), MPS's own path of the relay. Context: pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::rest {

struct place {
  std::vector<std::string> segments;  ///< as the router knows them
  std::optional<std::string> project; ///< from /v1/projects/{project}/...: names the tenant
  /// Not empty: the path belongs to a part of the peers that this version does not serve, and this
  /// sentence says which. Nothing else may be served there, lest its clients take it for theirs.
  std::string_view absent;
};

place place_of(std::vector<std::string> segments);

} // namespace outband::rest
