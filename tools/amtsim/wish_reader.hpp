/// What a controller's "set" and the like carry, member by member (control_wishes.hpp).
/// Context: pure; for the .cpp files of this folder, because of the JSON.
#pragma once

#include "tools/amtsim/device_model.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace outband::amtsim {

using nlohmann::json;
using wish = std::function<void(device_model&, sim_time)>;

/// Reads members of one request; the first that is wrong leaves its complaint in `why`.
class wish_reader {
public:
  wish_reader(const json& from, std::string& why) : from_(from), why_(why) {}

  bool has(const char* name) const { return from_.contains(name); }
  std::int64_t number(const char* name, std::int64_t otherwise, std::int64_t lo, std::int64_t hi) {
    if (!has(name))
      return otherwise;
    if (!from_[name].is_number_integer() || from_[name] < lo || from_[name] > hi) {
      complain("'" + std::string(name) + "' must be from " + std::to_string(lo) + " to " +
               std::to_string(hi));
      return otherwise;
    }
    return from_[name].get<std::int64_t>();
  }
  std::string text(const char* name) {
    if (!has(name))
      return {};
    if (!from_[name].is_string() || from_[name].get_ref<const std::string&>().size() > 256) {
      complain("'" + std::string(name) + "' must be a text of at most 256 octets");
      return {};
    }
    return from_[name].get<std::string>();
  }
  bool flag(const char* name) {
    if (has(name) && !from_[name].is_boolean())
      complain("'" + std::string(name) + "' must be true or false");
    return has(name) && from_[name].is_boolean() && from_[name].get<bool>();
  }
  template <class T> std::vector<T> numbers(const char* name, std::size_t most, std::uint64_t max) {
    std::vector<T> out;
    if (!has(name))
      return out;
    const auto& list = from_[name];
    if (!list.is_array() || list.size() > most ||
        !std::all_of(list.begin(), list.end(), [&](const json& n) {
          return n.is_number_integer() && n >= 0 && n.get<std::uint64_t>() <= max;
        })) {
      complain("'" + std::string(name) + "' must be an array of at most " + std::to_string(most) +
               " numbers up to " + std::to_string(max));
      return out;
    }
    for (const auto& n : list)
      out.push_back(n.get<T>());
    return out;
  }
  void complain(const std::string& what) {
    if (why_.empty())
      why_ = what;
  }
  const json& all() const { return from_; }

private:
  const json& from_;
  std::string& why_;
};

/// The members of "set" that are about activation (setup_wishes.cpp).
void add_setup_wishes(wish_reader& r, std::vector<wish>& to);

} // namespace outband::amtsim
