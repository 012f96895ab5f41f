/// Costly pieces of work one at a time: between two of them everything else that is ready on the
/// same thread has its turn. When two thousand machines call at once, the key exchange of each
/// would otherwise stand in front of every REST request and every machine that is almost in.
///
/// Context: its io_context's thread. Private to gateway/cira.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <utility>

namespace outband::cira {

class turns {
public:
  explicit turns(boost::asio::io_context& context) : context_(context) {}

  /// `work` runs later, never inside this call.
  void take(std::function<void()> work) {
    all_->waiting.push_back(std::move(work));
    if (!all_->posted)
      next(context_, all_);
  }
  /// What has not begun never will.
  void clear() { all_->waiting.clear(); }

private:
  struct queue {
    std::deque<std::function<void()>> waiting;
    bool posted = false; ///< one of them is on its way
  };

  static void next(boost::asio::io_context& context, const std::shared_ptr<queue>& all) {
    all->posted = true;
    boost::asio::post(context, [&context, all] {
      all->posted = false;
      if (all->waiting.empty())
        return;
      const auto work = std::move(all->waiting.front());
      all->waiting.pop_front();
      work();
      if (!all->waiting.empty() && !all->posted)
        next(context, all);
    });
  }

  boost::asio::io_context& context_;
  std::shared_ptr<queue> all_ = std::make_shared<queue>();
};

} // namespace outband::cira
