#include "gateway/rest/device_json.hpp"
#include "gateway/rest/router.hpp"
#include "messages/domain/text.hpp"
#include "messages/rest/connection_body.hpp"

#include <charconv>

namespace outband::rest {

json::value device_json(const device_record& d, bool single) {
  json::array tags(d.tags.begin(), d.tags.end());
  auto or_null = [](const std::optional<std::string>& s) {
    return s ? json::value(*s) : nullptr;
  };
  json::value info;
  if (!d.device_info.empty())
    if (auto parsed = json::parse(d.device_info))
      info = std::move(*parsed);
  json::object o{{"guid", to_string(d.ref.device)},
                 {"hostname", d.hostname},
                 {"tags", std::move(tags)},
                 {"mpsInstance", d.connected ? json::value(d.instance) : nullptr},
                 {"connectionStatus", d.connected},
                 {"mpsusername", d.mps_username},
                 {"amtusername", d.amt_username},
                 {"tenantId", d.ref.tenant},
                 {"friendlyName", or_null(d.friendly_name)},
                 {"dnsSuffix", or_null(d.dns_suffix)},
                 {"deviceInfo", std::move(info)}};
  if (d.direct) // ours: MPS knows only machines that call home
    o.push_back({"connection", connection_json(d.direct)});
  if (single) {
    o.push_back({"lastConnected", iso_time(d.last_connected)});
    o.push_back({"lastSeen", iso_time(d.last_seen)});
    o.push_back({"lastDisconnected", iso_time(d.last_disconnected)});
  }
  return o;
}

namespace {

// -- reading ----------------------------------------------------------------------------------

/// Query parameters of GET /devices, each mistake noted.
class query_reader {
public:
  explicit query_reader(const web::request& req) : req_(req) {}

  std::size_t number(const char* name, std::size_t fallback, std::size_t limit, const char* msg) {
    const auto* s = req_.target.parameter(name);
    if (!s)
      return fallback;
    std::size_t n = 0;
    auto [end, ec] = std::from_chars(s->data(), s->data() + s->size(), n);
    if (s->empty() || ec != std::errc{} || end != s->data() + s->size() || n > limit) {
      wrong(name, *s, "must be a whole number from 0 to " + std::to_string(limit), msg);
      return fallback;
    }
    return n;
  }
  bool flag(const char* name, const char* msg) {
    const auto* s = req_.target.parameter(name);
    if (!s || *s == "false" || *s == "0")
      return false;
    if (*s != "true" && *s != "1")
      wrong(name, *s, "must be true or false", msg);
    return true;
  }
  /// `msg`: MPS's words, which its web UI shows.
  void wrong(const char* name, const std::string& value, std::string why, const char* msg = "") {
    errors.push_back({json::value(value), name, "query", std::move(why), msg});
  }
  const web::request& req_;
  std::vector<field_error> errors;
};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> out;
  std::size_t from = 0;
  while (from <= list.size() && out.size() < 64) {
    auto comma = std::min(list.find(',', from), list.size());
    if (comma > from)
      out.push_back(list.substr(from, comma - from));
    from = comma + 1;
  }
  return out;
}

void list(const call_ptr& c) {
  query_reader q(c->req);
  device_filter f;
  f.tenant = c->tenant;
  f.top = q.number("$top", 25, 1000, "The number of items to return should be a positive integer");
  f.skip = q.number("$skip", 0, 100'000'000,
                    "The number of items to skip before starting to collect the result set should "
                    "be a positive integer");
  const bool count =
      q.flag("$count", "To return total number of records in result set should be boolean");
  if (const auto* v = c->req.target.parameter("hostname"))
    f.hostname = *v;
  else if (const auto* name = c->req.target.parameter("friendlyName"))
    f.friendly_name = *name;
  else if (const auto* tags = c->req.target.parameter("tags"))
    f.tags = split(*tags);
  if (const auto* m = c->req.target.parameter("method")) {
    if (!same_text(*m, "AND") && !same_text(*m, "OR"))
      q.wrong("method", *m, "must be AND or OR");
    f.all_tags = same_text(*m, "AND");
  }
  if (const auto* s = c->req.target.parameter("status")) {
    if (*s != "0" && *s != "1")
      q.wrong("status", *s, "must be 0 or 1");
    f.connected = *s == "1";
  }
  if (!q.errors.empty())
    return c->refuse(q.errors);
  c->with().store->list_devices(std::move(f), [c, count](result<device_page> page) {
    if (!page)
      return c->refuse(page.error());
    json::array rows;
    for (const auto& d : page->rows)
      rows.push_back(device_json(d, false));
    if (!count)
      return c->answer(200, std::move(rows));
    c->answer(200, json::object{{"data", std::move(rows)}, {"totalCount", page->total}});
  });
}

void stats(const call_ptr& c) {
  c->with().store->device_stats_of(c->tenant, [c](result<device_stats> s) {
    if (!s)
      return c->refuse(s.error());
    c->answer(200, json::object{{"totalCount", s->total},
                                {"connectedCount", s->connected},
                                {"disconnectedCount", s->total - s->connected}});
  });
}

void tags(const call_ptr& c) {
  c->with().store->device_tags_of(c->tenant, [c](result<std::vector<std::string>> all) {
    if (!all)
      return c->refuse(all.error());
    c->answer(200, json::array(all->begin(), all->end()));
  });
}

/// 404 for a device of another tenant too, where MPS answers 204: RPS reads 204 as "belongs to
/// another tenant", which would tell, and reads 404 as "unknown, go on", after which its POST is
/// refused by the unique GUID.
void one(const call_ptr& c) {
  auto ref = registry_ref(c);
  if (!ref)
    return;
  c->with().store->get_device(*ref, [c, ref](result<device_record> d) {
    if (!d && d.error().what == problem::not_found)
      return device_not_found(c, to_string(ref->device));
    d ? c->answer(200, device_json(*d, true)) : c->refuse(d.error());
  });
}

/// Its secrets go with it, whatever `isSecretToBeDeleted` says: a password without a device could
/// never be used or removed again.
void remove(const call_ptr& c) {
  auto ref = registry_ref(c);
  if (!ref)
    return;
  if (const auto* s = c->req.target.parameter("isSecretToBeDeleted");
      s && *s != "true" && *s != "false" && *s != "1" && *s != "0")
    return c->refuse(
        {field_error{json::value(*s), "isSecretToBeDeleted", "query", "must be true or false"}});
  c->with().control->remove_device(*ref, [c, ref](result<nothing> done) {
    if (!done && done.error().what == problem::not_found)
      return device_not_found(c, to_string(ref->device));
    if (!done)
      return c->refuse(done.error());
    c->record("device.delete", ref->device);
    c->empty(204);
  });
}

} // namespace

std::optional<device_ref> registry_ref(const call_ptr& c) {
  auto id = parse_uuid(c->params.at(0));
  if (id)
    return device_ref{c->tenant, *id};
  c->refuse({field_error{json::value(c->params.at(0)), "guid", "params",
                         "must be 8-4-4-4-12 hexadecimal digits"}});
  return std::nullopt;
}

void device_not_found(const call_ptr& c, const std::string& guid) {
  c->answer(404, json::object{{"error", "NOT FOUND"},
                              {"message", "Device ID " + guid + " not found"},
                              {"code", "not-found"}});
}

web::response device_not_connected(const std::string& guid, json::value last_known) {
  json::object body{{"error", "Device not found/connected. Please connect again using CIRA."},
                    {"errorDescription", "guid : " + guid},
                    {"code", "link-down"},
                    {"next", explain(problem::link_down).next}};
  if (!last_known.is_null())
    body.push_back({"lastKnown", std::move(last_known)});
  return web::json_response(404, json::dump(std::move(body)));
}

void add_device_routes(router& r) {
  r.add("GET /api/v1/devices", dialect::mps, list);
  add_device_write_routes(r);
  r.add("GET /api/v1/devices/stats", dialect::mps, stats);
  r.add("GET /api/v1/devices/tags", dialect::mps, tags);
  r.add("GET /api/v1/devices/{guid}", dialect::mps, one);
  r.add("DELETE /api/v1/devices/{guid}", dialect::mps, remove);
  add_device_link_routes(r);
}

} // namespace outband::rest
