#include "gateway/rest/tenant_directory.hpp"

#include "messages/domain/text.hpp"

namespace outband::rest {

std::optional<tenant_key> tenant_directory::known(const auth::identity& who,
                                                  const std::string& text, bool names) const {
  std::optional<tenant_key> found;
  int by_name = 0;
  for (const auto& t : rows_) {
    if (auth::held_in(who, t.key) == role::none)
      continue;
    if (t.key == text || (!t.project_id.empty() && same_text(t.project_id, text)))
      return t.key;
    if (names && t.display_name == text) {
      found = t.key;
      ++by_name;
    }
  }
  return by_name == 1 ? found : std::nullopt; // display names need not be unique
}

void tenant_directory::find(const auth::identity& who, std::string text, bool names,
                            answer<tenant_key> cb) {
  if (who.tenants.count(text))
    return cb(text); // the token says so itself
  {
    std::unique_lock lock(mutex_);
    const auto age = clock_.now() - loaded_;
    const bool fresh = loaded_ != 0 && age >= 0 && age < 60'000;
    auto hit = known(who, text, names);
    if (fresh && hit) {
      lock.unlock();
      return cb(*hit);
    }
    if (fresh && age < 1'000) {
      lock.unlock();
      return cb(fail(problem::not_found));
    }
  }
  store_.list_tenants([this, who, text = std::move(text), names,
                       cb = std::move(cb)](result<std::vector<tenant_row>> rows) {
    if (!rows)
      return cb(rows.error());
    std::optional<tenant_key> hit;
    {
      std::lock_guard lock(mutex_);
      rows_ = std::move(*rows);
      loaded_ = clock_.now();
      hit = known(who, text, names);
    }
    hit ? cb(*hit) : cb(fail(problem::not_found));
  });
}

void tenant_directory::forget() {
  std::lock_guard lock(mutex_);
  loaded_ = 0;
}

} // namespace outband::rest
