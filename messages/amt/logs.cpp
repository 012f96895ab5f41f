#include "messages/amt/logs.hpp"

#include "messages/amt/status.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

namespace outband::amt {

namespace {

constexpr std::uint32_t max_read_records = 390; ///< of AMT_MessageLog.GetRecords
constexpr int max_batches = 12;
constexpr std::size_t max_events = 4000;
constexpr std::uint32_t max_audit_total = 1'000'000;
constexpr std::size_t max_audit_batch = 500;
constexpr std::size_t max_news = 500;
constexpr std::size_t max_record_text = 4096;

constexpr std::uint32_t no_record = 3; ///< AMT_MessageLog: there are none
constexpr std::uint32_t invalid_pointer = 2;
constexpr std::uint32_t invalid_index = 35; ///< PT_STATUS

failure odd(std::string detail) {
  return fail(problem::device_protocol, std::move(detail));
}

/// "12:ABMAAA==": a number and the last record known.
struct place {
  std::uint32_t number = 0;
  std::string record;
};

std::string write(const place& p) {
  return std::to_string(p.number) + ":" + p.record;
}

result<place> read_place(const std::string& cursor) {
  place p;
  if (cursor.empty())
    return p;
  const auto* end = cursor.data() + cursor.size();
  auto [at, error] = std::from_chars(cursor.data(), end, p.number);
  if (error != std::errc{} || at == end || *at != ':' || cursor.size() > max_record_text)
    return fail(problem::malformed, "must be a cursor that an earlier answer gave", "cursor");
  p.record.assign(at + 1, end);
  return p;
}

// -- audit --------------------------------------------------------------------------------------

struct audit_batch {
  std::uint32_t total = 0;
  std::vector<audit_record> records; ///< oldest first
};

/// Records from the 1-based `start` on.
result<audit_batch> read_audit(wsman::talk& t, std::uint32_t start) {
  auto told = t.invoke("AMT_AuditLog", "ReadRecords",
                       wsman::property("StartIndex", std::to_string(start)), wsman::effect::none);
  if (!told)
    return told.error();
  audit_batch out;
  if (told->value == invalid_index) // of an empty log
    return out;
  if (told->value != 0)
    return status_failure("AMT_AuditLog.ReadRecords", told->value);
  auto total = wsman::number_in(*told->out, "TotalRecordCount", max_audit_total);
  if (!total)
    return total.error();
  out.total = *total;
  for (const auto& c : told->out->children) {
    if (c.name != "EventRecords")
      continue;
    const auto text = c.value();
    if (out.records.size() == max_audit_batch || text.size() > max_record_text)
      return odd("AMT_AuditLog.ReadRecords told more than 500 records or one of over 4096 octets");
    auto record = read_audit_record(text);
    if (!record) { // one odd record does not hide the others
      record = audit_record{};
      record->raw = text;
      record->readable = false;
    }
    out.records.push_back(std::move(*record));
  }
  return out;
}

/// Records `from` to `to`, 1-based, both included; fewer if the log has become shorter.
result<std::vector<audit_record>> read_audit_range(wsman::talk& t, std::uint32_t from,
                                                   std::uint32_t to) {
  std::vector<audit_record> out;
  while (from <= to) {
    auto batch = read_audit(t, from);
    if (!batch)
      return batch.error();
    if (batch->records.empty())
      break;
    const auto wanted = std::min<std::size_t>(batch->records.size(), to - from + 1);
    std::move(batch->records.begin(), batch->records.begin() + static_cast<std::ptrdiff_t>(wanted),
              std::back_inserter(out));
    from += static_cast<std::uint32_t>(wanted);
  }
  return out;
}

} // namespace

result<audit_page> get_audit_page(wsman::talk& t, std::uint32_t start) {
  start = std::max<std::uint32_t>(start, 1);
  auto oldest = read_audit(t, 1); // also tells how many there are and how many come at once
  if (!oldest)
    return oldest.error();
  audit_page out;
  out.total = oldest->total;
  const auto at_once = static_cast<std::uint32_t>(oldest->records.size());
  if (at_once == 0 || start > out.total)
    return out;
  const auto to = out.total - start + 1;
  const auto from = to > at_once ? to - at_once + 1 : 1;
  if (to <= at_once) {
    out.records = std::move(oldest->records);
    out.records.resize(to);
  } else {
    auto range = read_audit_range(t, from, to);
    if (!range)
      return range.error();
    out.records = std::move(*range);
  }
  std::reverse(out.records.begin(), out.records.end());
  return out;
}

result<new_audit_records> audit_after(wsman::talk& t, const std::string& cursor) {
  auto known = read_place(cursor);
  if (!known)
    return known.error();
  // The last known record first: if it still is where it was, the rest is simply what follows.
  const auto first_index = std::max<std::uint32_t>(known->number, 1);
  auto batch = read_audit(t, first_index);
  if (!batch)
    return batch.error();
  if (batch->total == 0 && first_index > 1) { // INVALID_INDEX: shorter than it was
    batch = read_audit(t, 1);
    if (!batch)
      return batch.error();
  }
  new_audit_records out;
  const auto total = batch->total;
  if (total == 0) {
    out.cursor = write({});
    out.gap = known->number > 0;
    return out;
  }
  const bool in_place = known->number > 0 && known->number <= total && !batch->records.empty() &&
                        batch->records.front().raw == known->record;
  if (cursor.empty()) { // only to know the newest
    auto last = read_audit_range(t, total, total);
    if (!last)
      return last.error();
    out.cursor = write({total, last->empty() ? std::string{} : last->back().raw});
    return out;
  }
  // Backwards from the newest, until the known record is met.
  const auto at_once =
      std::max<std::uint32_t>(static_cast<std::uint32_t>(batch->records.size()), 1);
  const auto oldest = in_place ? known->number + 1 : 1;
  const bool looking = known->number > 0 && !in_place;
  bool met = in_place || known->number == 0;
  for (auto to = total; to >= oldest && out.records.size() < max_news;) {
    const auto from = to - oldest >= at_once ? to - at_once + 1 : oldest;
    auto range = read_audit_range(t, from, to);
    if (!range)
      return range.error();
    auto first_new = range->begin();
    if (looking) {
      auto at = std::find_if(range->rbegin(), range->rend(),
                             [&](const auto& r) { return r.raw == known->record; });
      if (at != range->rend()) {
        first_new = at.base();
        met = true;
      }
    }
    out.records.insert(out.records.begin(), std::make_move_iterator(first_new),
                       std::make_move_iterator(range->end()));
    if (looking && met)
      break;
    to = from - 1;
  }
  const auto expected = total - oldest + 1;
  out.gap = !met || (!looking && out.records.size() < expected);
  out.cursor =
      out.records.empty() ? write({total, known->record}) : write({total, out.records.back().raw});
  return out;
}

// -- events -------------------------------------------------------------------------------------

result<event_log> get_event_log(wsman::talk& t) {
  auto first = t.invoke("AMT_MessageLog", "PositionToFirstRecord", {}, wsman::effect::none);
  if (!first)
    return first.error();
  event_log out;
  if (first->value == invalid_pointer) // "no record exists"
    return out;
  if (first->value != 0)
    return status_failure("AMT_MessageLog.PositionToFirstRecord", first->value);
  auto at = wsman::number_in(*first->out, "IterationIdentifier");
  if (!at)
    return at.error();
  for (int batch = 0; batch < max_batches; ++batch) {
    auto told = t.invoke("AMT_MessageLog", "GetRecords",
                         wsman::property("IterationIdentifier", std::to_string(*at)) +
                             wsman::property("MaxReadRecords", std::to_string(max_read_records)),
                         wsman::effect::none);
    if (!told)
      return told.error();
    if (told->value == no_record || (told->value == invalid_pointer && batch > 0))
      break;
    if (told->value != 0)
      return status_failure("AMT_MessageLog.GetRecords", told->value);
    const auto before = out.records.size();
    for (const auto& c : told->out->children) {
      if (c.name != "RecordArray" || c.value().empty())
        continue;
      if (out.records.size() == max_events || c.value().size() > max_record_text)
        return odd(
            "AMT_MessageLog.GetRecords told more than 4000 records or one of over 4096 octets");
      auto record = read_event_record(c.value());
      if (!record)
        return record.error();
      out.records.push_back(std::move(*record));
    }
    auto done = wsman::bool_or(*told->out, "NoMoreRecords", true);
    if (!done)
      return done.error();
    auto next = wsman::number_or(*told->out, "IterationIdentifier", *at);
    if (!next)
      return next.error();
    if (*done || *next == *at || out.records.size() == before)
      break;
    at = next;
  }
  // The firmware begins with the newest; one that does not is turned round.
  if (!out.records.empty() && out.records.front().time < out.records.back().time &&
      out.records.front().time != 0)
    std::reverse(out.records.begin(), out.records.end());
  return out;
}

result<new_events> events_after(const event_log& log, const std::string& cursor) {
  auto known = read_place(cursor);
  if (!known)
    return known.error();
  // `number`: how many records equal to the newest one there were; two alike are two events.
  auto alike = [&](const std::string& raw) {
    return static_cast<std::uint32_t>(std::count_if(log.records.begin(), log.records.end(),
                                                    [&](const auto& r) { return r.raw == raw; }));
  };
  new_events out;
  const auto newest = log.records.empty() ? std::string{} : log.records.front().raw;
  out.cursor = write({newest.empty() ? 0 : alike(newest), newest});
  if (cursor.empty())
    return out;
  auto at = std::find_if(log.records.begin(), log.records.end(),
                         [&](const auto& r) { return r.raw == known->record; });
  if (at != log.records.end()) {
    const auto now = alike(known->record);
    at += now > known->number ? now - known->number : 0;
  } else {
    out.gap = !known->record.empty();
  }
  out.records.assign(log.records.begin(), at);
  std::reverse(out.records.begin(), out.records.end());
  return out;
}

} // namespace outband::amt
