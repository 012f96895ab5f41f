#include "gateway/main/activation_options.hpp"

namespace outband {

result<activation::options> activation_options(const config::settings& s, clock_port& clock) {
  activation::options o;
  o.bare = s.flag("activation.bare");
  o.components = s.flag("activation.components");
  o.legacy_tls = s.flag("activation.legacy_tls");
  o.max_connections = static_cast<std::size_t>(s.integer("activation.max_connections"));
  o.per_address = static_cast<std::size_t>(s.integer("activation.per_address"));
  o.first_frame = s.duration("activation.first_message");
  o.idle = s.duration("activation.idle");
  o.overall = s.duration("activation.overall");
  if (const auto& file = s.text("activation.on_die_ca_file"); !file.empty()) {
    auto pem = config::read_file(file);
    if (!pem)
      return fail(pem.error().what, pem.error().detail, "activation.on_die_ca_file");
    o.on_die_roots_pem = std::move(*pem);
  }
  o.now = [&clock] {
    return clock.now();
  };
  return o;
}

} // namespace outband
