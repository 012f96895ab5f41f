#include "actors/ports/secrets.hpp"

namespace outband {

std::string_view to_string(secret_name n) {
  switch (n) {
  case secret_name::amt_password:
    return "amt-password";
  case secret_name::mps_password:
    return "mps-password";
  case secret_name::mebx_password:
    return "mebx-password";
  }
  return "amt-password";
}

} // namespace outband
