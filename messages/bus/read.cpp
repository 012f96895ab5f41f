#include "messages/bus/describe.hpp"

#include "messages/bus/json_text.hpp"
#include "messages/domain/time.hpp"

#include <charconv>

namespace outband::bus {

reader::reader(const value::map& in, const reader& parent, std::string_view key, std::size_t index)
    : in_(in), state_(parent.state_), parent_(&parent), key_(key), index_(index) {}

std::string reader::path(std::string_view key) const {
  std::string out;
  if (parent_ != nullptr) {
    out = parent_->path(key_);
    if (index_ != none)
      out += "[" + std::to_string(index_) + "]";
    if (!key.empty())
      out += ".";
  }
  // An unknown field's name comes from outside.
  return out + clean_text(key, 64);
}

void reader::refuse(problem p, std::string_view key, std::string detail) {
  if (!state_.why)
    state_.why = fail(p, std::move(detail), path(key));
}

void reader::wrong_type(std::string_view key, const char* wanted, const value& got) {
  refuse(problem::malformed, key,
         "must be " + std::string(wanted) + ", not " + std::string(type_name(got)));
}

void reader::check(bool good, std::string_view key, const char* what) {
  if (!good)
    refuse(problem::malformed, key, what);
}

void reader::skip(std::string_view key) {
  for (std::size_t i = 0; i < in_.size() && i < seen_.size(); ++i)
    if (in_[i].key == key)
      seen_.set(i);
}

const value* reader::take(std::string_view key, need n) {
  if (failed())
    return nullptr;
  skip(key);
  const auto* v = find(in_, key);
  if (v == nullptr && n == need::required)
    refuse(problem::malformed, key, "is missing");
  return v;
}

void reader::json(std::string_view key, std::string& x, std::size_t limit, need n) {
  const auto* v = take(key, n);
  if (v == nullptr)
    return;
  auto text = json_of_tree(*v);
  if (!text)
    return refuse(problem::malformed, key, text.error().detail);
  if (text->size() > limit)
    return refuse(problem::too_large, key,
                  std::to_string(text->size()) + " octets of JSON; at most " +
                      std::to_string(limit) + " are read");
  x = std::move(*text);
}

void reader::finish() {
  if (!state_.strict || failed())
    return;
  for (std::size_t i = 0; i < in_.size(); ++i)
    if (i >= seen_.size() || !seen_.test(i)) {
      refuse(problem::malformed, in_[i].key, "is not a known field here");
      return;
    }
}

void reader::text(std::string_view key, std::string& x, std::size_t limit, need n) {
  const auto* v = take(key, n);
  if (v == nullptr)
    return;
  const auto* s = v->get<std::string>();
  if (s == nullptr)
    return wrong_type(key, "text", *v);
  if (s->size() > limit)
    return refuse(problem::too_large, key,
                  "is " + std::to_string(s->size()) + " octets long; at most " +
                      std::to_string(limit) + " are allowed");
  if (s->empty() && n == need::required)
    return refuse(problem::malformed, key, "must not be empty");
  x = *s;
}

void reader::flag(std::string_view key, bool& x, need n) {
  const auto* v = take(key, n);
  if (v == nullptr)
    return;
  const auto* b = v->get<bool>();
  if (b == nullptr)
    return wrong_type(key, "true or false", *v);
  x = *b;
}

void reader::id(std::string_view key, uuid& x, need n) {
  const auto* v = take(key, n);
  if (v == nullptr)
    return;
  if (state_.from_json) {
    const auto* s = v->get<std::string>();
    if (s == nullptr)
      return wrong_type(key, "a UUID as text", *v);
    const auto id = parse_uuid(*s);
    if (!id)
      return refuse(problem::malformed, key,
                    "'" + clean_text(*s, 40) + "' is not a UUID in 8-4-4-4-12 form");
    x = *id;
  } else {
    const auto* o = v->get<octet_string>();
    if (o == nullptr || o->bytes.size() != x.bytes.size())
      return wrong_type(key, "a UUID of 16 octets", *v);
    for (std::size_t i = 0; i < x.bytes.size(); ++i)
      x.bytes[i] = static_cast<std::uint8_t>(o->bytes[i]);
  }
  if (x.is_nil() && n == need::required)
    refuse(problem::malformed, key, "must not be the nil UUID");
}

void reader::time(std::string_view key, time_ms& x, need n) {
  const auto* v = take(key, n);
  if (v == nullptr)
    return;
  if (const auto* s = v->get<std::string>(); s != nullptr && state_.from_json) {
    const auto t = parse_rfc3339(*s);
    if (!t)
      return refuse(problem::malformed, key,
                    "'" + clean_text(*s, 40) + "' is not a time like 2026-11-21T10:00:00Z");
    x = *t;
    return;
  }
  const auto* u = v->get<std::uint64_t>();
  if (u == nullptr)
    return wrong_type(
        key, state_.from_json ? "a time like 2026-11-21T10:00:00Z" : "milliseconds UTC", *v);
  if (*u > static_cast<std::uint64_t>(max_time_ms))
    return refuse(problem::malformed, key, "lies beyond the year 9999");
  x = static_cast<time_ms>(*u);
}

std::optional<std::uint64_t> reader::take_integer(std::string_view key, std::uint64_t low,
                                                  std::uint64_t high, need n) {
  const auto* v = take(key, n);
  if (v == nullptr)
    return std::nullopt;
  std::optional<std::uint64_t> got;
  if (const auto* u = v->get<std::uint64_t>())
    got = *u;
  else if (const auto* s = v->get<std::string>(); s != nullptr && state_.from_json) {
    // Only what JSON or CloudEvents could not carry as a number.
    std::uint64_t wide = 0;
    const auto end = s->data() + s->size();
    const auto r = std::from_chars(s->data(), end, wide);
    if (r.ec == std::errc{} && r.ptr == end && wide > max_attribute && s->front() != '0')
      got = wide;
  }
  const bool negative = v->get<std::int64_t>() != nullptr;
  if (!got && !negative) {
    wrong_type(key, "an integer", *v);
    return std::nullopt;
  }
  if (negative || *got < low || *got > high) {
    auto range = low == high
                     ? "must be " + std::to_string(low)
                     : "must be between " + std::to_string(low) + " and " + std::to_string(high);
    if (negative)
      range += ", not negative";
    else
      range += ", not " + std::to_string(*got);
    refuse(problem::malformed, key, std::move(range));
    return std::nullopt;
  }
  return got;
}

void reader::integers(std::string_view key, std::vector<int>& x, std::size_t limit, int low,
                      int high) {
  const auto* all = take_list(key, limit, need::optional);
  if (all == nullptr)
    return;
  x.clear();
  for (std::size_t i = 0; i < all->size(); ++i) {
    const auto* u = (*all)[i].get<std::uint64_t>();
    if (u == nullptr || *u < static_cast<std::uint64_t>(low) ||
        *u > static_cast<std::uint64_t>(high))
      return refuse(problem::malformed, std::string(key) + "[" + std::to_string(i) + "]",
                    "must be an integer between " + std::to_string(low) + " and " +
                        std::to_string(high));
    x.push_back(static_cast<int>(*u));
  }
}

void reader::texts(std::string_view key, std::vector<std::string>& x, std::size_t limit,
                   std::size_t each) {
  const auto* all = take_list(key, limit, need::optional);
  if (all == nullptr)
    return;
  x.clear();
  for (std::size_t i = 0; i < all->size(); ++i) {
    const auto* s = (*all)[i].get<std::string>();
    if (s == nullptr || s->empty() || s->size() > each)
      return refuse(problem::malformed, std::string(key) + "[" + std::to_string(i) + "]",
                    "must be text of 1 to " + std::to_string(each) + " octets");
    x.push_back(*s);
  }
}

std::optional<std::size_t> reader::take_name(std::string_view key, const std::string_view* names,
                                             std::size_t count, need n) {
  const auto* v = take(key, n);
  if (v == nullptr)
    return std::nullopt;
  const auto* s = v->get<std::string>();
  if (s == nullptr) {
    wrong_type(key, "text", *v);
    return std::nullopt;
  }
  std::string known;
  for (std::size_t i = 0; i < count; ++i) {
    if (*s == names[i])
      return i;
    known += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  refuse(problem::malformed, key, "'" + clean_text(*s, 40) + "' is not one of " + known);
  return std::nullopt;
}

void reader::problem_code(std::string_view key, problem& p) {
  std::string code;
  text(key, code, 64, need::required);
  p = problem_from_code(code).value_or(problem::internal);
}

const value::map* reader::take_map(std::string_view key, need n) {
  const auto* v = take(key, n);
  if (v == nullptr)
    return nullptr;
  const auto* m = v->get<value::map>();
  if (m == nullptr)
    wrong_type(key, "a map", *v);
  return m;
}

const value::array* reader::take_list(std::string_view key, std::size_t limit, need n) {
  const auto* v = take(key, n);
  if (v == nullptr)
    return nullptr;
  const auto* a = v->get<value::array>();
  if (a == nullptr) {
    wrong_type(key, "a list", *v);
    return nullptr;
  }
  if (a->size() > limit) {
    refuse(problem::too_large, key,
           "has " + std::to_string(a->size()) + " elements; at most " + std::to_string(limit) +
               " are allowed");
    return nullptr;
  }
  return a;
}

const value::map* reader::element_map(std::string_view key, const value::array& all,
                                      std::size_t i) {
  const auto* m = all[i].get<value::map>();
  if (m == nullptr)
    wrong_type(std::string(key) + "[" + std::to_string(i) + "]", "a map", all[i]);
  return m;
}

} // namespace outband::bus
