#include "messages/domain/audit.hpp"

#include "messages/domain/result.hpp"

namespace outband {

namespace {
constexpr audit_status all[] = {audit_status::asked,   audit_status::done,
                                audit_status::failed,  audit_status::rejected,
                                audit_status::expired, audit_status::unknown};
} // namespace

std::string_view to_string(audit_status s) {
  switch (s) {
  case audit_status::asked:
    return "asked";
  case audit_status::done:
    return "done";
  case audit_status::failed:
    return "failed";
  case audit_status::rejected:
    return "rejected";
  case audit_status::expired:
    return "expired";
  case audit_status::unknown:
    return "unknown";
  }
  return "unknown";
}

std::optional<audit_status> parse_audit_status(std::string_view text) {
  for (auto s : all)
    if (text == to_string(s))
      return s;
  return std::nullopt;
}

namespace {

audit_status status_of(request_status s) {
  switch (s) {
  case request_status::accepted:
  case request_status::running:
    return audit_status::asked;
  case request_status::done:
    return audit_status::done;
  case request_status::failed:
    return audit_status::failed;
  case request_status::rejected:
    return audit_status::rejected;
  case request_status::expired:
    return audit_status::expired;
  case request_status::unknown:
    return audit_status::unknown;
  }
  return audit_status::unknown;
}

} // namespace

audit_outcome outcome_of(const response& r) {
  audit_outcome o;
  o.status = status_of(r.status);
  if (r.why)
    o.code = std::string(explain(r.why->what).code);
  o.text = r.text;
  o.return_value = r.return_value;
  return o;
}

audit_outcome outcome_of(audit_status s, const failure& why) {
  const auto words = explain(why.what);
  audit_outcome o;
  o.status = s;
  o.code = std::string(words.code);
  o.text = why.detail.empty() ? std::string(words.what) : why.detail;
  return o;
}

event event_of(const audit_entry& e, const audit_outcome& o) {
  event out;
  out.cls = event_class::audit;
  out.type = "audit." + e.act;
  out.text = (e.by.empty() ? std::string("Somebody") : e.by) + " asked for " + e.act + " by " +
             (e.channel.empty() ? std::string("an unknown channel") : e.channel) + ": " +
             std::string(to_string(o.status)) + (o.code.empty() ? "" : " (" + o.code + ")") + ".";
  out.to = std::string(to_string(o.status));
  out.by = e.by;
  if (!e.id.is_nil())
    out.command = e.id;
  return out;
}

} // namespace outband
