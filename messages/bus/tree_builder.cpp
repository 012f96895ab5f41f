#include "messages/bus/tree_builder.hpp"

namespace outband::bus {

bool tree_builder::refuse(problem p, std::string detail) {
  if (!failure_)
    failure_ = fail(p, std::move(detail));
  return false;
}

bool tree_builder::put(value v) {
  if (failure_)
    return false;
  if (open_.empty()) {
    if (root_)
      return refuse(problem::malformed, "more than one document");
    root_ = std::move(v);
    return true;
  }
  auto& top = open_.back();
  if (top.is_map) {
    auto& m = *top.container.get<value::map>();
    m.push_back({std::move(top.key), std::move(v)});
    return true;
  }
  auto& a = *top.container.get<value::array>();
  if (a.size() >= limits_.array)
    return announce_array(a.size() + 1);
  a.push_back(std::move(v));
  return true;
}

bool tree_builder::scalar(value v) {
  return put(std::move(v));
}

bool tree_builder::text(std::string_view s) {
  if (s.size() > limits_.text)
    return refuse(problem::too_large, "text of " + std::to_string(s.size()) + " octets; at most " +
                                          std::to_string(limits_.text) + " are read");
  if (!valid_text(s))
    return refuse(problem::malformed, "text that is not UTF-8 or holds a NUL");
  return put(std::string(s));
}

bool tree_builder::octets(std::string_view s) {
  if (s.size() > limits_.octets)
    return refuse(problem::too_large, std::to_string(s.size()) + " binary octets; at most " +
                                          std::to_string(limits_.octets) + " are read");
  return put(octet_string{std::string(s)});
}

bool tree_builder::announce_array(std::size_t n) {
  if (n > limits_.array)
    return refuse(problem::too_large, "a list of " + std::to_string(n) + " elements; at most " +
                                          std::to_string(limits_.array) + " are read");
  return true;
}

bool tree_builder::announce_map(std::size_t n) {
  if (n > limits_.map)
    return refuse(problem::too_large, "a map of " + std::to_string(n) + " members; at most " +
                                          std::to_string(limits_.map) + " are read");
  return true;
}

bool tree_builder::open(bool is_map) {
  if (failure_)
    return false;
  if (open_.size() >= static_cast<std::size_t>(limits_.depth))
    return refuse(problem::too_large,
                  "nested deeper than " + std::to_string(limits_.depth) + " levels");
  frame f;
  f.is_map = is_map;
  if (is_map)
    f.container = value(value::map{});
  else
    f.container = value(value::array{});
  open_.push_back(std::move(f));
  return true;
}

bool tree_builder::begin_array() {
  return open(false);
}

bool tree_builder::begin_map() {
  return open(true);
}

bool tree_builder::key(std::string_view s) {
  if (failure_)
    return false;
  if (open_.empty() || !open_.back().is_map)
    return refuse(problem::malformed, "a key outside a map");
  auto& top = open_.back();
  auto& m = *top.container.get<value::map>();
  if (s.size() > limits_.text)
    return refuse(problem::too_large, "a key of " + std::to_string(s.size()) + " octets");
  if (!valid_text(s))
    return refuse(problem::malformed, "a key that is not UTF-8 or holds a NUL");
  if (m.size() >= limits_.map)
    return announce_map(m.size() + 1);
  if (find(m, s) != nullptr)
    return refuse(problem::malformed, "the key '" + clean_text(s, 64) + "' appears twice");
  top.key = s;
  return true;
}

bool tree_builder::end() {
  if (failure_)
    return false;
  if (open_.empty())
    return refuse(problem::malformed, "an end without a beginning");
  value done = std::move(open_.back().container);
  open_.pop_back();
  return put(std::move(done));
}

} // namespace outband::bus
