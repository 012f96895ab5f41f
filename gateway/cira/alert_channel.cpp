#include "gateway/cira/alert_channel.hpp"

#include "gateway/net/timers.hpp"
#include "messages/amt/alert.hpp"
#include "messages/http/writer.hpp"

#include <utility>

namespace outband::cira {

namespace {

constexpr http::limits limits{4 << 10, 32, amt::max_alert};
/// Answers that the machine does not take: then it asks in vain.
constexpr std::size_t max_unsent = 4 << 10;

} // namespace

alert_channel::alert_channel(amt::carrier& on, std::uint32_t number, taker take)
    : carrier_(on), number_(number), take_(std::move(take)), parser_(limits) {
  carrier_.timers().arm(deadline_, patience);
}

void alert_channel::channel_data(std::string_view octets) {
  if (over_)
    return;
  carrier_.consumed(number_, octets.size());
  if (closing_) // nothing more is heard
    return;
  parser_.feed(octets);
  for (;;) {
    auto item = parser_.next();
    if (std::holds_alternative<http::starved>(item))
      break;
    if (const auto* why = std::get_if<failure>(&item)) {
      answer(why->what == problem::too_large ? 413 : 400, false);
      break;
    }
    const auto& asked = std::get<http::request>(item);
    if (asked.method != "POST") {
      answer(405, false);
      break;
    }
    auto told = amt::read_alert(asked.body);
    const int status_code = !told ? 400 : take_(std::move(*told)) ? 200 : 503;
    answer(status_code, asked.keep_alive && status_code == 200);
    if (closing_)
      break;
    carrier_.timers().arm(deadline_, patience);
  }
  write();
}

void alert_channel::answer(int status_code, bool keep_alive) {
  http::response r;
  r.status = status_code;
  r.reason = http::reason_phrase(status_code);
  r.keep_alive = keep_alive;
  // Its fields are ours: this cannot fail.
  if (!http::write_sized(r, out_) || out_.size() > max_unsent || !keep_alive)
    closing_ = true;
}

void alert_channel::write() {
  if (over_)
    return;
  if (!out_.empty())
    out_.erase(0, carrier_.write(number_, out_));
  if (closing_ && out_.empty())
    close();
}

void alert_channel::close() {
  if (over_)
    return;
  end();
  carrier_.close(number_);
}

void alert_channel::end() {
  over_ = true;
  deadline_.cancel();
  std::string{}.swap(out_);
  parser_ = http::request_parser(limits);
}

} // namespace outband::cira
