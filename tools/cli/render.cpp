#include "tools/cli/render.hpp"

#include "messages/rest/json.hpp"
#include "tools/cli/text.hpp"

namespace outband::cli {

namespace {

json::value moment_or_null(time_ms at) {
  if (at == 0)
    return nullptr;
  return utc(at);
}

json::value difference_value(const host& h) {
  if (h.difference.empty())
    return nullptr;
  return json::object{{"code", h.difference_code},
                      {"reason", h.difference},
                      {"since", moment_or_null(h.difference_since)}};
}

template <class T> json::value or_null(const std::optional<T>& v) {
  return v ? json::value(*v) : json::value();
}

json::value host_value(const host& h) {
  return json::object{{"id", h.id},
                      {"guid", to_string(h.guid)},
                      {"name", h.name},
                      {"hostname", h.hostname},
                      {"power", h.power},
                      {"powerSince", moment_or_null(h.power_since)},
                      {"observed", moment_or_null(h.observed)},
                      {"lastKnown", h.last_known},
                      {"wanted", h.wanted},
                      {"policy", h.policy},
                      {"converged", or_null(h.converged)},
                      {"difference", difference_value(h)},
                      {"status", h.status},
                      {"indicator", h.indicator},
                      {"statusSince", moment_or_null(h.status_since)},
                      {"connected", or_null(h.connected())},
                      {"tunnel", h.tunnel},
                      {"tunnelSince", moment_or_null(h.tunnel_since)},
                      {"tunnelWhy", h.tunnel_why},
                      {"node", h.node},
                      {"amtVersion", h.amt_version}};
}

std::string line(const bus::envelope& env, const std::string& name, std::string_view kind,
                 const std::string& text) {
  std::string out = local_clock(env.time) + "  " + printable(name) + "  ";
  out += kind;
  return out + "  " + printable(text);
}

json::object opened(std::string_view kind, const bus::envelope& env, const device_id& guid,
                    const std::string& name) {
  return {{"kind", kind},
          {"time", moment_or_null(env.time)},
          {"guid", to_string(guid)},
          {"name", name}};
}

template <class T> void add(json::object& to, const char* name, T&& v) {
  to.push_back({name, json::value(std::forward<T>(v))});
}

std::string closed(json::object o) {
  return json::dump(json::value(std::move(o)));
}

/// "on (last known)" where the machine cannot be asked; nobody knows an unknown state.
std::string power_words(const host& h) {
  return h.last_known && h.power != "unknown" ? h.power + " (last known)" : h.power;
}

std::string moment_words(time_ms at) {
  return at == 0 ? std::string() : " since " + local_time(at);
}

} // namespace

std::string hosts_table(const std::vector<host>& all) {
  if (all.empty())
    return "No hosts.\n";
  std::vector<std::vector<std::string>> rows{
      {"ID", "NAME", "POWER", "WANTED", "TUNNEL", "SINCE", "STATUS"}};
  for (const auto& h : all)
    rows.push_back({h.id, h.name, power_words(h), h.wanted == "keep" ? "-" : h.wanted, h.tunnel,
                    local_time(h.power_since), h.difference.empty() ? h.status : h.difference});
  return table(rows);
}

std::string hosts_json(const std::vector<host>& all) {
  json::array rows;
  for (const auto& h : all)
    rows.push_back(host_value(h));
  return json::dump(json::object{{"hosts", std::move(rows)}}) + "\n";
}

std::string host_table(const host& h) {
  std::vector<std::vector<std::string>> rows{
      {"Name", h.name},
      {"Id", h.id},
      {"GUID", to_string(h.guid)},
      {"Power",
       power_words(h) + moment_words(h.power_since) +
           (h.observed == 0 ? "; never observed" : "; last observed " + local_time(h.observed))},
      {"Wanted",
       h.wanted == "keep" ? "nothing; it may be in any state" : h.wanted + " (" + h.policy + ")"},
      {"Differs", h.difference.empty() ? "no" : h.difference + moment_words(h.difference_since)},
      {"Status", h.status + moment_words(h.status_since)},
      {"Tunnel", h.tunnel + moment_words(h.tunnel_since) +
                     (h.node.empty() ? "" : ", node " + h.node) +
                     (h.tunnel_why.empty() ? "" : ": " + h.tunnel_why)}};
  if (!h.amt_version.empty())
    rows.push_back({"AMT", h.amt_version});
  return table(rows);
}

std::string host_json(const host& h) {
  return json::dump(host_value(h)) + "\n";
}

std::string order_json(const order_report& r) {
  return json::dump(json::object{{"host", json::object{{"id", r.about.id},
                                                       {"guid", to_string(r.about.guid)},
                                                       {"name", r.about.name}}},
                                 {"asked", r.asked},
                                 {"policy", r.policy},
                                 {"request", to_string(r.request)},
                                 {"revision", r.rev ? json::value(r.rev) : json::value()},
                                 {"waited", r.waited},
                                 {"outcome", r.ended.word},
                                 {"text", r.ended.text},
                                 {"code", r.ended.problem_code}}) +
         "\n";
}

std::string watch_line(const std::string& name, const bus::decoded<current_state>& c) {
  if (c.env.deleted)
    return line(c.env, name, "state ", "removed");
  auto text = std::string(to_string(level_of(c.body.power.state))) +
              moment_words(c.body.power.since) + "; tunnel " +
              std::string(to_string(c.body.link.state));
  for (const auto& x : c.body.conditions)
    if (!x.ok)
      text += "; " + x.reason;
  return line(c.env, name, "state ", text);
}

std::string watch_line(const std::string& name, const bus::decoded<presence>& p) {
  if (p.env.deleted)
    return line(p.env, name, "tunnel", "removed");
  auto text = std::string(to_string(p.body.link)) + moment_words(p.body.since);
  if (!p.body.instance.empty())
    text += ", node " + p.body.instance;
  if (!p.body.why.empty())
    text += ": " + p.body.why;
  return line(p.env, name, "tunnel", text);
}

std::string watch_line(const std::string& name, const bus::decoded<event>& e) {
  auto text = e.body.text;
  if (!e.body.by.empty())
    text += " (by " + e.body.by + ")";
  return line(e.env, name, "event ", text);
}

std::string watch_json(const device_id& guid, const std::string& name,
                       const bus::decoded<current_state>& c) {
  auto o = opened("current", c.env, guid, name);
  add(o, "deleted", c.env.deleted);
  add(o, "revision", c.env.rev);
  if (!c.env.deleted) {
    add(o, "power", to_string(level_of(c.body.power.state)));
    add(o, "powerSince", moment_or_null(c.body.power.since));
    add(o, "observed", moment_or_null(c.body.power.observed));
    add(o, "tunnel", to_string(c.body.link.state));
    add(o, "tunnelSince", moment_or_null(c.body.link.since));
    add(o, "node", c.body.link.instance);
    add(o, "amtVersion", c.body.amt.version);
    add(o, "desiredRevision", c.body.desired_rev);
    json::array all;
    for (const auto& x : c.body.conditions)
      all.push_back(json::object{{"type", x.type},
                                 {"ok", x.ok},
                                 {"code", x.code},
                                 {"reason", x.reason},
                                 {"since", moment_or_null(x.since)}});
    add(o, "conditions", std::move(all));
  }
  return closed(std::move(o));
}

std::string watch_json(const device_id& guid, const std::string& name,
                       const bus::decoded<presence>& p) {
  auto o = opened("presence", p.env, guid, name);
  add(o, "deleted", p.env.deleted);
  add(o, "revision", p.env.rev);
  if (!p.env.deleted) {
    add(o, "tunnel", to_string(p.body.link));
    add(o, "since", moment_or_null(p.body.since));
    add(o, "node", p.body.instance);
    add(o, "why", p.body.why);
  }
  return closed(std::move(o));
}

std::string watch_json(const device_id& guid, const std::string& name,
                       const bus::decoded<event>& e) {
  auto o = opened("event", e.env, guid, name);
  add(o, "class", to_string(e.body.cls));
  add(o, "sequence", e.env.seq);
  add(o, "type", e.body.type);
  add(o, "text", e.body.text);
  add(o, "from", e.body.from);
  add(o, "to", e.body.to);
  add(o, "by", e.body.by);
  add(o, "request", e.body.command ? json::value(to_string(*e.body.command)) : json::value());
  return closed(std::move(o));
}

} // namespace outband::cli
