/// What the outbox publisher has in memory, in publishing order, and what became of each.
/// Internal to bus/; no clock, no threads: outbox_publisher calls it from its one scheduler.
///
/// Items have serial numbers that only grow. A failure of one sets a mark; when nothing is in
/// flight any more, everything from the mark on waits again ("go back n"), so that what reaches the
/// broker last is always the newest. Of retained rows that wait for one topic only the newest is
/// sent: whoever reads it drops the older ones anyway.
#pragma once

#include "bus/endpoint.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace outband::bus {

class outbox_queue {
public:
  enum class kind : std::uint8_t { row, document, canary };
  struct item {
    kind what = kind::row;
    std::uint64_t id = 0; ///< of a row; the generation of a canary
    message body;
    unsigned refusals = 0;
    bool superseded = false; ///< set when it is popped without having been sent
  };
  using serial = std::uint64_t;

  /// The serial number that it got.
  serial append(item i);
  /// The serial number that the next one will get.
  serial end() const { return base_ + entries_.size(); }
  /// The first that is not finished; everything before it is.
  serial begin() const { return base_; }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  std::size_t in_flight() const { return in_flight_; }
  std::size_t unacknowledged() const { return unacknowledged_; }
  std::uint64_t superseded() const { return superseded_; } ///< since the start
  bool failing() const { return failed_.has_value(); }

  /// The next to send, now in flight; nullptr when there is none or a failure is being waited out.
  const item* take(serial& which);
  void acknowledged(serial which);
  /// Not taken: it and all after it are sent again.
  void failed(serial which);
  /// Counts a refusal; true when that was the last and the item is given up.
  bool refused(serial which, unsigned limit);
  /// When something failed and nothing is in flight: goes back; how many will be sent again.
  std::size_t go_back();
  /// Removes and returns what is finished at the front, one by one.
  std::optional<item> pop_finished();

private:
  enum class progress : std::uint8_t { waiting, in_flight, acknowledged, given_up, superseded };
  static bool skipped(progress p) { return p == progress::given_up || p == progress::superseded; }
  struct entry {
    item what;
    progress state = progress::waiting;
  };
  entry& at(serial which) { return entries_[static_cast<std::size_t>(which - base_)]; }

  std::deque<entry> entries_;
  serial base_ = 1;
  serial next_ = 1;
  std::size_t in_flight_ = 0;
  std::size_t unacknowledged_ = 0;
  std::uint64_t superseded_ = 0;
  /// Topic to the newest retained row that waits or waited; looked up again before it is believed.
  std::unordered_map<std::string, serial> newest_;
  std::optional<serial> failed_; ///< the first that failed
};

} // namespace outband::bus
