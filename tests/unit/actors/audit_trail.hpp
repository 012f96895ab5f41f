/// An audit trail in memory, and pages of it as the real one gives them.
#pragma once

#include "actors/ports/store.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace outband::testing {

using audit_trail = std::map<std::pair<tenant_key, uuid>, audit_row>;

/// `as_seen` is applied before the filter.
template <class F>
audit_page audit_page_of(const audit_filter& f, F as_seen, const audit_trail& trail) {
  auto cursor = [](const audit_row& r) {
    return std::to_string(r.at) + "." + to_string(r.entry.id);
  };
  std::vector<audit_row> found;
  for (const auto& [key, stored] : trail) {
    auto r = as_seen(stored);
    const auto& e = r.entry;
    if (e.tenant == f.tenant && (!f.device || e.device == f.device) && (!f.by || e.by == *f.by) &&
        (!f.act || e.act == *f.act) && (!f.status || r.outcome.status == *f.status) &&
        r.at >= f.from && (f.to == 0 || r.at < f.to))
      found.push_back(std::move(r));
  }
  std::sort(found.begin(), found.end(), [](const audit_row& a, const audit_row& b) {
    return std::make_pair(b.at, b.entry.id) < std::make_pair(a.at, a.entry.id);
  });
  if (!f.after.empty()) {
    auto last = std::find_if(found.begin(), found.end(),
                             [&](const audit_row& r) { return cursor(r) == f.after; });
    found.erase(found.begin(), last == found.end() ? last : last + 1);
  }
  audit_page page;
  for (std::size_t i = f.skip; i < found.size() && page.rows.size() < f.top; ++i)
    page.rows.push_back(found[i]);
  if (f.skip + page.rows.size() < found.size() && !page.rows.empty())
    page.next = cursor(page.rows.back());
  return page;
}

} // namespace outband::testing
