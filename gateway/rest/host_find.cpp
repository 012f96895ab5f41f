#include "gateway/rest/host_find.hpp"

#include "messages/rest/host.hpp"

#include <mutex>
#include <unordered_map>

namespace outband::rest {

namespace {

constexpr std::size_t page_size = 1000, max_known = 200'000;

/// Resource ids are derived from GUIDs, so what was learned once stays true; a device that is gone
/// is found to be gone when its row is read.
struct known_ids {
  std::mutex mutex;
  std::unordered_map<std::string, device_id> ids; ///< "acme/host-1a2b3c4d"

  std::optional<device_id> find(const std::string& key) {
    std::lock_guard lock(mutex);
    auto it = ids.find(key);
    return it == ids.end() ? std::nullopt : std::optional(it->second);
  }
  void learn(const std::string& key, const device_id& id) {
    std::lock_guard lock(mutex);
    if (ids.size() >= max_known)
      ids.clear();
    ids[key] = id;
  }
};
known_ids& known() {
  static known_ids all;
  return all;
}

failure nobody() {
  return fail(problem::not_found, "There is no such host.");
}
failure several() {
  return fail(problem::already_exists, "Several machines have this name; use the GUID.");
}

/// Reads the tenant's devices page by page. All pages, so that a second machine with the same
/// resource id is noticed rather than shadowed.
void scan(const call_ptr& c, std::string wanted, std::size_t skip, std::optional<device_id> hit,
          answer<device_id> cb) {
  device_filter f;
  f.tenant = c->tenant;
  f.skip = skip;
  f.top = page_size;
  c->with().store->list_devices(f, [c, wanted = std::move(wanted), skip, hit,
                                    cb = std::move(cb)](result<device_page> p) mutable {
    if (!p)
      return cb(p.error());
    for (const auto& d : p->rows)
      if (host_id(d.ref.device) == wanted) {
        if (hit)
          return cb(several());
        hit = d.ref.device;
      }
    if (p->rows.size() == page_size)
      return scan(c, std::move(wanted), skip + page_size, hit, std::move(cb));
    if (!hit)
      return cb(nobody());
    known().learn(c->tenant + "/" + wanted, *hit);
    cb(*hit);
  });
}

void by_name(const call_ptr& c, const std::string& name, bool friendly, answer<device_id> cb) {
  device_filter f;
  f.tenant = c->tenant;
  (friendly ? f.friendly_name : f.hostname) = name;
  f.top = 2;
  c->with().store->list_devices(f, [c, name, friendly, cb](result<device_page> p) {
    if (!p)
      return cb(p.error());
    if (p->rows.size() > 1)
      return cb(several());
    if (p->rows.size() == 1)
      return cb(p->rows.front().ref.device);
    friendly ? by_name(c, name, false, cb) : cb(nobody());
  });
}

} // namespace

void find_host(const call_ptr& c, const std::string& text, answer<device_id> cb) {
  if (auto id = parse_uuid(text))
    return cb(*id);
  if (!is_host_id(text))
    return by_name(c, text, true, std::move(cb));
  if (auto id = known().find(c->tenant + "/" + text))
    return cb(*id);
  scan(c, text, 0, std::nullopt, std::move(cb));
}

} // namespace outband::rest
