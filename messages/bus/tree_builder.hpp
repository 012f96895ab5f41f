/// What the MessagePack and the JSON decoder have in common: events in, a bounded tree out.
/// Context: pure; used by msgpack.cpp and json.cpp only.
#pragma once

#include "messages/bus/value.hpp"
#include "messages/domain/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outband::bus {

/// Every member returns false when a limit is exceeded or the shape is wrong; the decoder stops
/// then and `why()` tells. Nothing is reserved on the word of an announced length.
class tree_builder {
public:
  explicit tree_builder(const tree_limits& limits) : limits_(limits) {}

  bool scalar(value v);
  bool text(std::string_view s);
  bool octets(std::string_view s);
  bool begin_array();
  bool begin_map();
  /// Known in advance (MessagePack); checked before the first element.
  bool announce_array(std::size_t n);
  bool announce_map(std::size_t n);
  bool key(std::string_view s);
  bool end();

  bool complete() const { return root_.has_value() && open_.empty(); }
  bool failed() const { return failure_.has_value(); }
  failure why() const { return *failure_; }
  value take() { return std::move(*root_); }
  bool refuse(problem p, std::string detail);

private:
  struct frame {
    value container;
    std::string key;
    bool is_map = false;
  };
  bool put(value v);
  bool open(bool is_map);

  tree_limits limits_;
  std::vector<frame> open_;
  std::optional<value> root_;
  std::optional<failure> failure_;
};

} // namespace outband::bus
