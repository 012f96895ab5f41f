/// An outbox source in memory: rows and retained documents as a database would have them.
#pragma once

#include "bus/outbox.hpp"
#include "bus/scheduler.hpp"

#include <map>
#include <random>

namespace outband::bus {

/// Answers as tasks of the loop, never inside a call.
class fake_outbox final : public outbox_source {
public:
  fake_outbox(scheduler& loop, std::function<std::int64_t()> now_ms)
      : loop_(loop), now_ms_(std::move(now_ms)) {}

  /// One transaction: the document is stored and its row is in the outbox.
  void commit(const std::string& topic, const std::string& payload, bool retain = true) {
    outgoing o;
    o.topic = topic;
    o.payload = payload;
    o.content_type = "text/plain";
    o.retain = retain;
    if (retain && payload.empty())
      documents.erase(topic);
    else if (retain)
      documents[topic] = {o, now_ms_()};
    rows[++last_id] = o;
    if (wake)
      wake();
  }

  void fetch(std::size_t limit, std::function<void(result<std::vector<outbox_row>>)> cb) override {
    ++calls;
    loop_.post([this, limit, cb = std::move(cb)] {
      if (fails())
        return cb(fail(problem::store_unavailable, "scripted"));
      std::vector<outbox_row> out;
      for (const auto& [id, o] : rows)
        if (out.size() < limit)
          out.push_back({id, o});
      cb(std::move(out));
    });
  }
  void remove(std::vector<std::uint64_t> ids, std::function<void(status)> cb) override {
    ++calls;
    loop_.post([this, ids = std::move(ids), cb = std::move(cb)] {
      if (fails())
        return cb(fail(problem::store_unavailable, "scripted"));
      for (auto id : ids)
        rows.erase(id);
      if (on_removed)
        on_removed();
      cb(success());
    });
  }
  void on_added(std::function<void()> w) override { wake = std::move(w); }
  void retained(std::int64_t since_ms, std::string after, std::size_t limit,
                std::function<void(result<std::vector<outgoing>>)> cb) override {
    ++calls;
    ++pages;
    loop_.post([this, since_ms, after = std::move(after), limit, cb = std::move(cb)] {
      if (fails())
        return cb(fail(problem::store_unavailable, "scripted"));
      std::vector<outgoing> out;
      for (const auto& [topic, d] : documents)
        if (out.size() < limit && topic > after && d.second >= since_ms)
          out.push_back(d.first);
      cb(std::move(out));
    });
  }

  std::map<std::uint64_t, outgoing> rows;
  std::map<std::string, std::pair<outgoing, std::int64_t>> documents; ///< and when they changed
  std::uint64_t last_id = 0;
  int calls = 0, pages = 0;
  double failure_probability = 0;
  std::mt19937_64 random{1};
  std::function<void()> wake, on_removed;

private:
  bool fails() {
    return failure_probability > 0 &&
           std::uniform_real_distribution<double>(0, 1)(random) < failure_probability;
  }
  scheduler& loop_;
  std::function<std::int64_t()> now_ms_;
};

} // namespace outband::bus
