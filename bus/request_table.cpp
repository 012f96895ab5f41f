#include "bus/request_table.hpp"

#include "messages/bus/envelope.hpp"

namespace outband::bus {

static_assert(default_max_payload >= max_payload, "every document must fit");

namespace {

std::string octets_of(std::uint64_t n) {
  std::string out(8, '\0');
  for (auto i = out.size(); i-- > 0; n >>= 8)
    out[i] = static_cast<char>(n & 0xff);
  return out;
}

} // namespace

request_table::request_table(scheduler& loop, std::string response_topic, std::uint64_t salt)
    : loop_(loop), response_topic_(std::move(response_topic)), salt_(salt) {}

void request_table::start(message m, std::chrono::milliseconds deadline, on_response cb,
                          const publish_function& publish) {
  auto shared = std::make_shared<on_response>(std::move(cb));
  if (response_topic_.empty()) {
    loop_.post(
        [shared] { (*shared)(fail(problem::unsupported, "this endpoint has no response topic")); });
    return;
  }
  m.response_topic = response_topic_;
  if (!m.expiry)
    m.expiry = std::chrono::ceil<std::chrono::seconds>(deadline);
  auto weak = weak_from_this();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (m.correlation.empty())
      m.correlation = octets_of(salt_) + octets_of(++serial_);
    if (open_.count(m.correlation) != 0) {
      loop_.post([shared] {
        (*shared)(fail(problem::already_exists, "a request with this correlation is open"));
      });
      return;
    }
    auto timer = loop_.after(deadline, [weak, correlation = m.correlation] {
      if (auto self = weak.lock())
        self->finish(correlation, fail(problem::expired, "no answer before the deadline"));
    });
    open_.emplace(m.correlation, entry{shared, timer});
  }
  auto correlation = m.correlation;
  publish(std::move(m), [weak, correlation](status sent) {
    if (auto self = weak.lock(); self && !sent)
      self->finish(correlation, sent.error());
  });
}

void request_table::on_message(const message& m) {
  std::shared_ptr<on_response> cb;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = open_.find(m.correlation);
    if (it == open_.end())
      return; // late, a duplicate of the last, or somebody else's
    cb = it->second.cb;
  }
  if (!(*cb)(m))
    return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (auto it = open_.find(m.correlation); it != open_.end() && it->second.cb == cb) {
    loop_.cancel(it->second.deadline);
    open_.erase(it);
  }
}

void request_table::finish(const std::string& correlation, failure why) {
  std::shared_ptr<on_response> cb;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = open_.find(correlation);
    if (it == open_.end())
      return;
    cb = std::move(it->second.cb);
    loop_.cancel(it->second.deadline);
    open_.erase(it);
  }
  (*cb)(std::move(why));
}

void request_table::fail_all(const failure& why) {
  std::map<std::string, entry> open;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    open.swap(open_);
  }
  for (auto& [correlation, e] : open) {
    loop_.cancel(e.deadline);
    (*e.cb)(why);
  }
}

bool valid_filter(std::string_view filter) {
  if (filter.empty() || filter.size() > 65535)
    return false;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    const char c = filter[i];
    if (c == '\0')
      return false;
    if (c != '+' && c != '#')
      continue;
    const bool starts = i == 0 || filter[i - 1] == '/';
    const bool last = i + 1 == filter.size();
    if (!starts || (c == '#' ? !last : !(last || filter[i + 1] == '/')))
      return false;
  }
  return true;
}

status check_message(const message& m, std::size_t limit) {
  if (m.topic.empty() || m.topic.size() > 1024 ||
      m.topic.find_first_of(std::string_view("+#\0", 3)) != std::string::npos)
    return fail(problem::malformed, "'" + m.topic.substr(0, 100) + "' is not a topic", "topic");
  if (!m.payload)
    return fail(problem::malformed, "a message has a payload", "payload");
  if (m.payload->size() > limit)
    return fail(problem::too_large,
                std::to_string(m.payload->size()) + " octets, the limit is " +
                    std::to_string(limit),
                "payload");
  if (m.qos > 1)
    return fail(problem::malformed, "only QoS 0 and 1 are used", "qos");
  return success();
}

} // namespace outband::bus
