/// A topic's state as texts for the state file and back, from one description of its members:
///
///   template <class V, class T> void members(V& v, T& t) {
///     v("ssid", t.ssid);
///     v("priority", t.priority);
///   }
///   kept_writer w{texts};      members(w, std::as_const(state));
///   kept_reader r{texts};      members(r, state);
///
/// What is missing or does not fit keeps its default: a state file may be older than the simulator.
/// Context: pure. Limits: 64 items per list when reading.
#pragma once

#include "messages/wsman/node.hpp"
#include "tools/amtsim/classes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace outband::amtsim {

class kept_writer {
public:
  explicit kept_writer(kept_texts& to, std::string prefix = {})
      : to_(to), prefix_(std::move(prefix)) {}

  void operator()(const std::string& name, const std::string& v) { to_[prefix_ + name] = v; }
  void operator()(const std::string& name, std::uint32_t v) { (*this)(name, std::to_string(v)); }
  void operator()(const std::string& name, bool v) { (*this)(name, text(v)); }
  void operator()(const std::string& name, const std::optional<std::uint32_t>& v) {
    if (v)
      (*this)(name, *v);
  }
  void octets(const std::string& name, const std::string& v) { (*this)(name, base64(v)); }
  template <class F> void within(const std::string& part, F then) {
    kept_writer inner(to_, prefix_ + part);
    then(inner);
  }
  template <class L, class F> void list(const std::string& name, const L& items, F each) {
    (*this)(name, static_cast<std::uint32_t>(items.size()));
    std::size_t i = 0;
    for (const auto& item : items) {
      kept_writer inner(to_, prefix_ + name + "." + std::to_string(i++) + ".");
      each(inner, item);
    }
  }

private:
  kept_texts& to_;
  std::string prefix_;
};

class kept_reader {
public:
  explicit kept_reader(const kept_texts& from, std::string prefix = {})
      : from_(from), prefix_(std::move(prefix)) {}

  void operator()(const std::string& name, std::string& v) const {
    if (const auto* found = find(name))
      v = *found;
  }
  void operator()(const std::string& name, std::uint32_t& v) const {
    if (const auto* found = find(name))
      v = wsman::to_number(*found).value_or(v);
  }
  void operator()(const std::string& name, bool& v) const {
    if (const auto* found = find(name))
      v = wsman::to_bool(*found).value_or(v);
  }
  void operator()(const std::string& name, std::optional<std::uint32_t>& v) const {
    if (const auto* found = find(name))
      v = wsman::to_number(*found);
  }
  void octets(const std::string& name, std::string& v) const {
    if (const auto* found = find(name))
      v = from_base64(*found).value_or(v);
  }
  template <class F> void within(const std::string& part, F then) const {
    const kept_reader inner(from_, prefix_ + part);
    then(inner);
  }
  template <class L, class F> void list(const std::string& name, L& items, F each) const {
    const auto* count = find(name);
    if (count == nullptr)
      return;
    items.clear();
    const auto n = wsman::to_number(*count).value_or(0);
    for (std::uint32_t i = 0; i < n && i < 64; ++i) {
      const kept_reader inner(from_, prefix_ + name + "." + std::to_string(i) + ".");
      items.emplace_back();
      each(inner, items.back());
    }
  }

private:
  const std::string* find(const std::string& name) const {
    const auto found = from_.find(prefix_ + name);
    return found == from_.end() ? nullptr : &found->second;
  }
  const kept_texts& from_;
  std::string prefix_;
};

} // namespace outband::amtsim
