#include "gateway/rest/device_json.hpp"
#include "gateway/rest/router.hpp"
#include "gateway/rest/tenant_directory.hpp"

#include <charconv>

namespace outband::rest {

namespace {

/// Passwords go to the secret store when the row is there.
void put_secrets(const call_ptr& c, std::shared_ptr<std::vector<device_body>> bodies,
                 std::shared_ptr<std::vector<tenant_key>> tenants, answer<nothing> done) {
  auto step = [c, bodies, tenants](std::size_t i, answer<nothing> next) {
    const auto& b = (*bodies)[i];
    device_ref ref{(*tenants)[i], b.guid};
    auto mebx = [c, ref, next, password = b.mebx_password](result<nothing> former) {
      if (!former || !password)
        return next(former);
      c->with().secrets->put_active(ref, secret_name::mebx_password, secret_text(*password), next);
    };
    auto amt = [c, ref, mebx, password = b.amt_password](result<nothing> former) {
      if (!former || !password)
        return mebx(former);
      c->with().secrets->put_active(ref, secret_name::amt_password, secret_text(*password), mebx);
    };
    if (!b.mps_password)
      return amt(nothing{});
    c->with().secrets->put_active(ref, secret_name::mps_password, secret_text(*b.mps_password),
                                  amt);
  };
  for_each_bounded(bodies->size(), 8, std::move(step), std::move(done));
}

/// How they are reached, where it was given; and whoever is connected to one hears of it, also if
/// only our password for it is new.
void put_connections(const call_ptr& c, std::shared_ptr<std::vector<device_body>> bodies,
                     std::shared_ptr<std::vector<device_record>> rows, answer<nothing> done) {
  auto step = [c, bodies, rows](std::size_t i, answer<nothing> next) {
    const auto& b = (*bodies)[i];
    auto& row = (*rows)[i];
    if (!b.connection) {
      if (row.direct && (b.amt_password || b.amt_username))
        c->with().control->connection_changed(row.ref);
      return next(nothing{});
    }
    if (*b.connection == row.direct && !b.amt_password && !b.amt_username)
      return next(nothing{});
    if (!c->with().direct)
      return next(*b.connection
                      ? status(fail(problem::unsupported,
                                    "Direct connections are switched off here.", "connection"))
                      : success());
    c->with().direct->set(row.ref, *b.connection, [c, bodies, rows, i, next](result<nothing> r) {
      if (r) {
        (*rows)[i].direct = *(*bodies)[i].connection;
        c->with().control->connection_changed((*rows)[i].ref);
      }
      next(r);
    });
  };
  for_each_bounded(bodies->size(), 8, std::move(step), std::move(done));
}

/// Which tenant each body goes to: its own `tenantId`, else the caller's. In each the caller must
/// have `needed`.
void tenants_of(const call_ptr& c, std::shared_ptr<std::vector<device_body>> bodies, role needed,
                std::function<void(std::shared_ptr<std::vector<tenant_key>>)> done) {
  auto out = std::make_shared<std::vector<tenant_key>>(bodies->size());
  auto step = [c, bodies, out, needed](std::size_t i, answer<nothing> next) {
    const auto& wanted = (*bodies)[i].tenant_id;
    if (!wanted || wanted->empty() || *wanted == c->tenant) {
      (*out)[i] = c->tenant;
      return next(nothing{});
    }
    c->api->tenants->find(c->who, *wanted, false, [c, out, i, needed, next](result<tenant_key> t) {
      if (!t && t.error().what != problem::not_found)
        return next(t.error());
      if (!t || auth::held_in(c->who, *t) < needed)
        return next(fail(problem::forbidden,
                         "There is no such tenant for this account, or its "
                         "role there does not suffice.",
                         "tenantId"));
      (*out)[i] = *t;
      next(nothing{});
    });
  };
  for_each_bounded(bodies->size(), 1, std::move(step), [c, out, done](result<nothing> all) {
    all ? done(out) : c->refuse(all.error());
  });
}

device_record record_of(const device_body& b, const tenant_key& tenant, time_ms now) {
  device_record d;
  d.ref = {tenant, b.guid};
  d.hostname = b.hostname.value_or("");
  d.friendly_name = b.friendly_name.value_or(std::nullopt);
  d.dns_suffix = b.dns_suffix.value_or(std::nullopt);
  d.tags = b.tags.value_or(std::vector<std::string>{});
  d.mps_username = b.mps_username.value_or("admin");
  d.amt_username = b.amt_username.value_or("admin");
  d.device_info = b.device_info.value_or("");
  d.created = now;
  return d;
}

device_change change_of(const device_body& b, const tenant_key& tenant) {
  device_change ch;
  ch.ref = {tenant, b.guid};
  ch.hostname = b.hostname;
  ch.friendly_name = b.friendly_name;
  ch.dns_suffix = b.dns_suffix;
  ch.tags = b.tags;
  ch.mps_username = b.mps_username;
  ch.amt_username = b.amt_username;
  ch.device_info = b.device_info;
  return ch;
}

/// What the trail says of a registration: which passwords were given, and not what they are.
audit_entry told_of(const call_ptr& c, const device_body& b, const tenant_key& tenant,
                    bool created) {
  json::object o{{"created", created}};
  auto add = [&](const char* name, const std::optional<std::string>& text) {
    if (text)
      o.push_back({name, *text});
  };
  add("hostname", b.hostname);
  add("friendlyName", b.friendly_name.value_or(std::nullopt));
  add("dnsSuffix", b.dns_suffix.value_or(std::nullopt));
  add("mpsusername", b.mps_username);
  add("amtusername", b.amt_username);
  if (b.tags)
    o.push_back({"tags", json::array(b.tags->begin(), b.tags->end())});
  if (b.connection)
    o.push_back({"connection", *b.connection ? (*b.connection)->host : std::string("cira")});
  if (b.mps_password)
    o.push_back({"mpsPasswordSet", true});
  if (b.amt_password)
    o.push_back({"amtPasswordSet", true});
  if (b.mebx_password)
    o.push_back({"mebxPasswordSet", true});
  auto e = c->entry(created ? "device.add" : "device.change", b.guid, std::move(o));
  e.tenant = tenant;
  return e;
}

struct posting {
  std::shared_ptr<std::vector<device_body>> bodies;
  std::shared_ptr<std::vector<tenant_key>> tenants;
  bool array = false;
};

void finish_post(const call_ptr& c, const posting& p, std::vector<upserted> done) {
  std::vector<audit_entry> told;
  for (std::size_t i = 0; i < done.size() && i < p.bodies->size(); ++i)
    told.push_back(told_of(c, (*p.bodies)[i], (*p.tenants)[i], done[i].created));
  c->with().audit->record(std::move(told), {});
  auto rows = std::make_shared<std::vector<device_record>>();
  bool created = false;
  for (auto& u : done) {
    created = created || u.created;
    rows->push_back(std::move(u.record));
  }
  auto over = [c, p, rows, created](result<nothing> kept) {
    for (const auto& row : *rows)
      c->with().control->device_added(row.ref);
    if (!kept)
      return c->refuse(fail(kept.error().what,
                            "The devices are stored, but not every password and connection: " +
                                to_string(kept.error()) + ". Send the request again."));
    json::array out;
    for (const auto& row : *rows)
      out.push_back(device_json(row, true));
    const int status = created ? 201 : 200;
    if (p.array || out.size() != 1)
      return c->answer(status, std::move(out));
    c->answer(status, out.front());
  };
  put_secrets(c, p.bodies, p.tenants, [c, p, rows, over](result<nothing> kept) {
    kept ? put_connections(c, p.bodies, rows, over) : over(kept);
  });
}

/// MPS's text for a GUID that is taken, here by whatever tenant.
void taken(const call_ptr& c, const failure& why, const posting& p) {
  std::size_t i = 0;
  if (why.field.size() > 2 && why.field[0] == '[')
    std::from_chars(why.field.data() + 1, why.field.data() + why.field.size(), i);
  auto guid = i < p.bodies->size() ? to_string((*p.bodies)[i].guid) : std::string();
  c->answer(400, json::object{{"error", "Unique key violation"},
                              {"message", "Device ID: " + guid + " already exists"},
                              {"code", "already-exists"},
                              {"field", p.array ? why.field : "guid"}});
}

void insert(const call_ptr& c, const posting& p) {
  std::vector<device_record> rows;
  for (std::size_t i = 0; i < p.bodies->size(); ++i)
    rows.push_back(record_of((*p.bodies)[i], (*p.tenants)[i], c->with().clock->now()));
  c->with().store->upsert_devices(std::move(rows), [c, p](result<std::vector<upserted>> done) {
    if (!done && done.error().what == problem::already_exists)
      return taken(c, done.error(), p);
    done ? finish_post(c, p, std::move(*done)) : c->refuse(done.error());
  });
}

/// The store merges what exists and keeps what is empty, but a new device needs user names: those
/// of existing ones are read first, lest a bulk import without names reset them to the default.
void insert_many(const call_ptr& c, const posting& p) {
  auto step = [c, p](std::size_t i, answer<nothing> next) {
    auto& b = (*p.bodies)[i];
    if (b.mps_username && b.amt_username)
      return next(nothing{});
    c->with().store->get_device({(*p.tenants)[i], b.guid}, [&b, p, next](result<device_record> d) {
      if (!d && d.error().what != problem::not_found)
        return next(d.error());
      if (d && !b.mps_username)
        b.mps_username = d->mps_username;
      if (d && !b.amt_username)
        b.amt_username = d->amt_username;
      next(nothing{});
    });
  };
  for_each_bounded(p.bodies->size(), 16, std::move(step), [c, p](result<nothing> named) {
    named ? insert(c, p) : c->refuse(named.error());
  });
}

/// An existing device is merged with what is given, as MPS does: absent members stay.
void merge_or_insert(const call_ptr& c, const posting& p) {
  c->with().store->update_device(
      change_of(p.bodies->front(), p.tenants->front()), [c, p](result<device_record> d) {
        if (d)
          return finish_post(c, p, {upserted{std::move(*d), false}});
        d.error().what == problem::not_found ? insert(c, p) : c->refuse(d.error());
      });
}

void post(const call_ptr& c) {
  auto body = c->body();
  if (!body)
    return;
  auto parsed = parse_device_bodies(*body, true);
  if (auto* errors = std::get_if<std::vector<field_error>>(&parsed))
    return c->refuse(*errors);
  posting p;
  p.array = body->items() != nullptr;
  p.bodies = std::make_shared<std::vector<device_body>>(
      std::move(std::get<std::vector<device_body>>(parsed)));
  tenants_of(c, p.bodies, role::admin, [c, p](std::shared_ptr<std::vector<tenant_key>> t) mutable {
    p.tenants = std::move(t);
    p.array ? insert_many(c, p) : merge_or_insert(c, p);
  });
}

void patch(const call_ptr& c) {
  auto body = c->body();
  if (!body)
    return;
  auto parsed = parse_device_bodies(*body, false);
  if (auto* errors = std::get_if<std::vector<field_error>>(&parsed))
    return c->refuse(*errors);
  auto bodies = std::make_shared<std::vector<device_body>>(
      std::move(std::get<std::vector<device_body>>(parsed)));
  const auto& b = bodies->front();
  // Who may change a password may lock everybody else out of the machine.
  // Who may say where we connect to may have our password's digest sent there.
  const bool secret = b.mps_password || b.amt_password || b.mebx_password || b.mps_username ||
                      b.amt_username || b.connection.has_value();
  const auto needed = secret ? role::admin : role::operator_;
  if (c->held < needed)
    return c->refuse(
        fail(problem::forbidden, "User names, passwords and connections need the role admin."));
  tenants_of(c, bodies, needed, [c, bodies](const std::shared_ptr<std::vector<tenant_key>>& t) {
    auto change = change_of(bodies->front(), t->front());
    auto guid = to_string(change.ref.device);
    c->with().store->update_device(
        std::move(change), [c, bodies, t, guid](result<device_record> d) {
          if (!d && d.error().what == problem::not_found)
            return device_not_found(c, guid);
          if (!d)
            return c->refuse(d.error());
          c->with().audit->record({told_of(c, bodies->front(), d->ref.tenant, false)}, {});
          auto rows = std::make_shared<std::vector<device_record>>(1, std::move(*d));
          auto over = [c, rows](result<nothing> kept) {
            if (!kept)
              return c->refuse(kept.error());
            c->with().control->device_added(rows->front().ref); // forget what is cached of it
            c->answer(200, device_json(rows->front(), true));
          };
          put_secrets(c, bodies, t, [c, bodies, rows, over](result<nothing> kept) {
            kept ? put_connections(c, bodies, rows, over) : over(kept);
          });
        });
  });
}

} // namespace

void add_device_write_routes(router& r) {
  r.add("POST /api/v1/devices", dialect::mps, post);
  r.add("PATCH /api/v1/devices", dialect::mps, patch);
}

} // namespace outband::rest
