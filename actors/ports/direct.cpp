#include "actors/ports/direct.hpp"

namespace outband {

std::string_view to_string(direct_trouble t) {
  switch (t) {
  case direct_trouble::none:
    return "none";
  case direct_trouble::credentials:
    return "credentials";
  case direct_trouble::wrong_device:
    return "wrong-device";
  case direct_trouble::certificate:
    return "certificate";
  case direct_trouble::not_allowed:
    return "not-allowed";
  case direct_trouble::protocol:
    return "protocol";
  }
  return "none";
}

} // namespace outband
