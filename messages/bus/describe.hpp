/// One list of fields per struct, for reading and for writing.
///
/// `template <class A, class T> void describe(A& a, T& x)` names each field once; with a `writer`
/// (and a const T) it fills a tree, with a `reader` it fills the struct from a tree:
///
///   a.choice("target", x.target, need::required);
///   a.text("peer", x.peer, 64);
///
/// need::optional: not written when empty, zero or nil; absent leaves the struct's default.
/// The reader keeps the first failure and does nothing after it, so describe() needs no checks.
/// Context: pure. Included by bodies.cpp, envelope.cpp and stored.cpp only.
#pragma once

#include "messages/bus/value.hpp"
#include "messages/domain/result.hpp"

#include <array>
#include <bitset>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace outband::bus {

enum class need : std::uint8_t { required, optional };

inline constexpr std::uint64_t any_number = std::numeric_limits<std::uint64_t>::max();
/// CloudEvents' Integer is 32 bits wide; what exceeds it is text there.
inline constexpr std::uint64_t max_attribute = 0x7FFFFFFF;

class writer {
public:
  static constexpr bool reading = false;

  /// Integers above `text_above` are written as text.
  explicit writer(value::map& out, std::uint64_t text_above = any_number)
      : out_(out), text_above_(text_above) {}

  void text(std::string_view key, const std::string& x, std::size_t limit, need n = need::optional);
  /// JSON text, in the document as what it says. What is no JSON is not written.
  void json(std::string_view key, const std::string& x, std::size_t limit, need n = need::optional);
  void flag(std::string_view key, bool x, need n = need::optional);
  void id(std::string_view key, const uuid& x, need n = need::optional);
  void time(std::string_view key, time_ms x, need n = need::optional);
  template <class T>
  void integer(std::string_view key, const T& x, std::uint64_t, std::uint64_t,
               need n = need::optional) {
    put_integer(key, static_cast<std::uint64_t>(x), n);
  }
  void integers(std::string_view key, const std::vector<int>& x, std::size_t limit, int, int);
  void texts(std::string_view key, const std::vector<std::string>& x, std::size_t limit,
             std::size_t each);
  template <class E> void choice(std::string_view key, const E& x, need n = need::optional) {
    if (n == need::required || x != E{})
      put_name(key, to_string(x));
  }
  /// An enumeration whose values are a table of numbers; `known` returns an optional E.
  template <class E, class F>
  void number_of(std::string_view key, const E& x, F&&, std::uint64_t, std::uint64_t) {
    put_integer(key, static_cast<std::uint64_t>(x), need::required);
  }
  void problem_code(std::string_view key, problem p) { put_name(key, explain(p).code); }
  /// Follows from other fields: written for readers of the document, ignored when read.
  void derived(std::string_view key, value v) { put(key, std::move(v)); }

  template <class F> void object(std::string_view key, need n, F&& fn) {
    value::map inner;
    writer w(inner, text_above_);
    fn(w);
    if (n == need::required || !inner.empty())
      put(key, std::move(inner));
  }
  template <class T, class F>
  void list(std::string_view key, const std::vector<T>& x, std::size_t limit, need n, F&& fn) {
    value::array all;
    for (const auto& e : x) {
      if (all.size() == limit)
        break;
      value::map inner;
      writer w(inner, text_above_);
      fn(w, e);
      all.emplace_back(std::move(inner));
    }
    if (n == need::required || !all.empty())
      put(key, std::move(all));
  }
  template <class T, class F> void maybe(std::string_view, const std::optional<T>& x, F&& fn) {
    if (x)
      fn(*x);
  }
  template <class V, std::size_t N, class F>
  void one_of(std::string_view key, const V& x, const std::array<std::string_view, N>& names,
              F&& fn) {
    static_assert(std::variant_size_v<V> == N);
    put_name(key, names[x.index()]);
    std::visit(fn, x);
  }
  void check(bool, std::string_view, const char*) {}

private:
  void put(std::string_view key, value v);
  void put_integer(std::string_view key, std::uint64_t x, need n);
  void put_name(std::string_view key, std::string_view name);

  value::map& out_;
  std::uint64_t text_above_;
};

/// Shared by the readers of one document.
struct read_state {
  bool strict = false;    ///< refuse unknown fields
  bool from_json = false; ///< UUIDs, times and wide integers are text
  std::optional<failure> why{};
};

class reader {
public:
  static constexpr bool reading = true;

  reader(const value::map& in, read_state& s) : in_(in), state_(s) {}
  reader(const value::map& in, const reader& parent, std::string_view key, std::size_t index);

  void text(std::string_view key, std::string& x, std::size_t limit, need n = need::optional);
  void json(std::string_view key, std::string& x, std::size_t limit, need n = need::optional);
  void flag(std::string_view key, bool& x, need n = need::optional);
  void id(std::string_view key, uuid& x, need n = need::optional);
  void time(std::string_view key, time_ms& x, need n = need::optional);
  template <class T>
  void integer(std::string_view key, T& x, std::uint64_t low, std::uint64_t high,
               need n = need::optional) {
    if (auto got = take_integer(key, low, high, n))
      x = static_cast<T>(*got);
  }
  void integers(std::string_view key, std::vector<int>& x, std::size_t limit, int low, int high);
  /// None of them may be empty.
  void texts(std::string_view key, std::vector<std::string>& x, std::size_t limit,
             std::size_t each);
  template <class E> void choice(std::string_view key, E& x, need n = need::optional) {
    constexpr auto all = values_of(E{});
    std::array<std::string_view, all.size()> names;
    for (std::size_t i = 0; i < all.size(); ++i)
      names[i] = to_string(all[i]);
    if (auto i = take_name(key, names.data(), names.size(), n))
      x = all[*i];
  }
  template <class E, class F>
  void number_of(std::string_view key, E& x, F&& known, std::uint64_t low, std::uint64_t high) {
    if (auto got = take_integer(key, low, high, need::required))
      if (std::optional<E> e = known(static_cast<int>(*got)))
        x = *e;
  }
  /// A code this program does not know (a newer program's) is read as problem::internal.
  void problem_code(std::string_view key, problem& p);
  void derived(std::string_view key, const value&) { skip(key); }

  template <class F> void object(std::string_view key, need n, F&& fn) {
    if (const auto* m = take_map(key, n)) {
      reader inner(*m, *this, key, none);
      fn(inner);
      inner.finish();
    }
  }
  template <class T, class F>
  void list(std::string_view key, std::vector<T>& x, std::size_t limit, need n, F&& fn) {
    const auto* all = take_list(key, limit, n);
    if (all == nullptr)
      return;
    x.clear();
    for (std::size_t i = 0; i < all->size() && !failed(); ++i) {
      const auto* m = element_map(key, *all, i);
      if (m == nullptr)
        return;
      reader inner(*m, *this, key, i);
      x.emplace_back();
      fn(inner, x.back());
      inner.finish();
    }
  }
  template <class T, class F> void maybe(std::string_view key, std::optional<T>& x, F&& fn) {
    if (!has(key))
      return;
    // Not emplace(): clang 14 denies that a nested struct with initialisers can be constructed.
    x = T{};
    fn(*x);
  }
  template <class V, std::size_t N, class F>
  void one_of(std::string_view key, V& x, const std::array<std::string_view, N>& names, F&& fn) {
    static_assert(std::variant_size_v<V> == N);
    if (auto i = take_name(key, names.data(), N, need::required)) {
      emplace<V>(x, *i, std::make_index_sequence<N>{});
      std::visit(fn, x);
    }
  }
  /// A condition on a field just read.
  void check(bool good, std::string_view key, const char* what);

  bool has(std::string_view key) const { return find(in_, key) != nullptr; }
  /// Strict: refuses what nobody asked for.
  void finish();
  bool failed() const { return state_.why.has_value(); }
  void refuse(problem p, std::string_view key, std::string detail);
  read_state& state() { return state_; }

private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  template <class V, std::size_t... I>
  static void emplace(V& x, std::size_t at, std::index_sequence<I...>) {
    ((I == at ? void(x = V(std::in_place_index<I>, std::variant_alternative_t<I, V>{})) : void()),
     ...);
  }
  /// nullptr: absent although optional, or failed.
  const value* take(std::string_view key, need n);
  std::optional<std::uint64_t> take_integer(std::string_view key, std::uint64_t low,
                                            std::uint64_t high, need n);
  std::optional<std::size_t> take_name(std::string_view key, const std::string_view* names,
                                       std::size_t count, need n);
  const value::map* take_map(std::string_view key, need n);
  const value::array* take_list(std::string_view key, std::size_t limit, need n);
  const value::map* element_map(std::string_view key, const value::array& all, std::size_t i);
  void skip(std::string_view key);
  void wrong_type(std::string_view key, const char* wanted, const value& got);
  std::string path(std::string_view key) const;

  const value::map& in_;
  read_state& state_;
  const reader* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = none;
  std::bitset<256> seen_; ///< by position; tree_limits::map bounds it
};

} // namespace outband::bus
