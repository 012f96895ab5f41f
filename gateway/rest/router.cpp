#include "gateway/rest/router.hpp"

#include "messages/domain/text.hpp"
#include "messages/rest/target.hpp"

#include <algorithm>

namespace outband::rest {

namespace {

web::verb verb_named(std::string_view name) {
  for (auto v : {web::verb::get, web::verb::post, web::verb::put, web::verb::patch,
                 web::verb::delete_, web::verb::options})
    if (name == web::to_string(v))
      return v;
  return web::verb::other;
}

bool parameter(const std::string& segment) {
  return !segment.empty() && segment.front() == '{';
}

} // namespace

void router::add(std::string_view rule, dialect speaks, route serve) {
  auto needed = role_needed(access_kind::route, rule);
  auto space = rule.find(' ');
  auto target = parse_target(rule.substr(space == std::string_view::npos ? 0 : space + 1));
  if (!needed || !target) {
    missing_.emplace_back(rule);
    return;
  }
  entries_.push_back({std::string(rule), verb_named(rule.substr(0, space)), target->segments,
                      *needed, speaks, std::move(serve)});
}

router::match router::find(web::verb method, const std::vector<std::string>& segments) const {
  match out;
  std::vector<web::verb> others;
  std::size_t fewest = SIZE_MAX;
  for (const auto& e : entries_) {
    if (e.segments.size() != segments.size())
      continue;
    std::vector<std::string> params;
    bool fits = true;
    for (std::size_t i = 0; fits && i < segments.size(); ++i) {
      if (parameter(e.segments[i]))
        params.push_back(segments[i]);
      else
        fits = same_text(e.segments[i], segments[i]);
    }
    if (!fits)
      continue;
    others.push_back(e.method);
    if (e.method == method && params.size() < fewest) {
      fewest = params.size();
      out.found = &e;
      out.params = std::move(params);
    }
  }
  auto allow = [&](std::string_view name) {
    out.allow += (out.allow.empty() ? "" : ", ") + std::string(name);
  };
  for (auto v :
       {web::verb::get, web::verb::post, web::verb::put, web::verb::patch, web::verb::delete_})
    if (std::find(others.begin(), others.end(), v) != others.end()) {
      allow(web::to_string(v));
      if (v == web::verb::get)
        allow("HEAD");
    }
  if (!others.empty())
    allow("OPTIONS");
  return out;
}

std::vector<std::string> router::unserved() const {
  std::vector<std::string> out;
  for (const auto& rule : access_rules())
    if (rule.kind == access_kind::route &&
        std::none_of(entries_.begin(), entries_.end(),
                     [&](const entry& e) { return e.rule == rule.name; }))
      out.emplace_back(rule.name);
  return out;
}

router make_router() {
  router r;
  add_session_routes(r);
  add_account_routes(r);
  add_device_routes(r);
  add_power_routes(r);
  add_amt_routes(r);
  add_host_routes(r);
  add_host_removal_routes(r);
  add_request_routes(r);
  add_system_routes(r);
  add_admin_routes(r);
  add_document_routes(r);
  add_audit_routes(r);
  return r;
}

} // namespace outband::rest
