#include "gateway/activation/counters.hpp"

namespace outband::activation {

std::string_view to_string(refused why) {
  switch (why) {
  case refused::no_token:
    return "no-token";
  case refused::full:
    return "full";
  case refused::address:
    return "address";
  case refused::silent:
    return "silent";
  case refused::malformed:
    return "malformed";
  case refused::too_large:
    return "too-large";
  case refused::binary:
    return "binary";
  case refused::order:
    return "order";
  case refused::idle:
    return "idle";
  case refused::overlong:
    return "overlong";
  case refused::flood:
    return "flood";
  case refused::abandoned:
    return "abandoned";
  }
  return "malformed";
}

} // namespace outband::activation
