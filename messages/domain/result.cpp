#include "messages/domain/result.hpp"

namespace outband {

explanation explain(problem p) {
  switch (p) {
  case problem::malformed:
    return {"malformed", "The input is not of the form it must have.",
            "Correct the named field and send it again.", 400, false};
  case problem::too_large:
    return {"too-large", "The input exceeds a limit.", "Send less at once.", 413, false};
  case problem::unauthenticated:
    return {"unauthenticated", "Who is asking could not be established.",
            "Sign in again and use the new token.", 401, false};
  case problem::forbidden:
    return {"forbidden", "This account may not do that.",
            "Ask an administrator of the tenant for the role it needs.", 403, false};
  case problem::not_found:
    return {"not-found", "There is no such thing in this tenant.",
            "Check the id and the tenant you are signed in to.", 404, false};
  case problem::already_exists:
    return {"already-exists", "It exists already.", "Use another name or update the existing one.",
            409, false};
  case problem::revision_conflict:
    return {"revision-conflict", "Somebody else changed it meanwhile.",
            "Read the present state and decide again.", 409, true};
  case problem::transition_refused:
    return {"transition-refused", "The machine's present state does not allow this.",
            "Bring the machine into a state that allows it first.", 409, true};
  case problem::unsupported:
    return {"unsupported", "This machine cannot do that.",
            "See the machine's power capabilities for what it can do.", 422, false};
  case problem::link_down:
    return {"link-down", "The machine has no tunnel to us.",
            "Check its power and network; a desired state is kept until it is back.", 503, true};
  case problem::stale_epoch:
    return {"stale-epoch", "The machine has opened a newer tunnel meanwhile.",
            "Send the request again.", 412, true};
  case problem::busy:
    return {"busy", "Too much is waiting already.", "Try again in a moment.", 429, true};
  case problem::expired:
    return {"expired", "The deadline passed before it could be carried out.",
            "Send it again with a later deadline.", 410, true};
  case problem::device_timeout:
    return {"device-timeout", "The machine's firmware did not answer in time.",
            "Try again; if it persists, power-cycle the machine at the socket.", 504, true};
  case problem::device_refused:
    return {"device-refused", "The machine's firmware refused.",
            "See the firmware's own reason in the message.", 409, true};
  case problem::device_protocol:
    return {"device-protocol", "The machine's firmware answered something incomprehensible.",
            "Report this with the firmware's version.", 502, true};
  case problem::device_auth:
    return {"device-auth", "The machine's firmware refused our AMT user name or password.",
            "Set the right amtusername and amtpassword for this device.", 502, false};
  case problem::outcome_unknown:
    return {"outcome-unknown", "It was sent, but the link broke before the answer.",
            "Look at the machine's state before you send it again.", 504, false};
  case problem::store_unavailable:
    return {"store-unavailable", "The database cannot be reached; nothing was accepted.",
            "Try again when it is back.", 503, true};
  case problem::bus_unavailable:
    return {"bus-unavailable", "The broker cannot be reached.", "Try again when it is back.", 503,
            true};
  case problem::cancelled:
    return {"cancelled", "A newer request took its place.", "Nothing; the newer one counts.", 409,
            false};
  case problem::internal:
    return {"internal", "A defect in Outband.", "Report it with the server's log.", 500, false};
  case problem::stale_controller:
    return {"stale-controller", "Another node has taken over control meanwhile.",
            "Send the same request, with the same id, again.", 503, true};
  case problem::duplicate_guid:
    return {"duplicate-guid", "Several machines call home with this GUID.",
            "Give each machine a GUID of its own (firmware or board setup), then ask again.", 409,
            true};
  }
  return {"internal", "A defect in Outband.", "Report it with the server's log.", 500, false};
}

std::optional<problem> problem_from_code(std::string_view code) {
  for (auto i = 0; i <= static_cast<int>(problem::duplicate_guid); ++i) {
    auto p = static_cast<problem>(i);
    if (explain(p).code == code)
      return p;
  }
  return std::nullopt;
}

std::string to_string(const failure& f) {
  std::string out;
  if (!f.field.empty())
    out += f.field + ": ";
  out += f.detail.empty() ? std::string(explain(f.what).what) : f.detail;
  out += " (";
  out += explain(f.what).code;
  out += ")";
  return out;
}

} // namespace outband
