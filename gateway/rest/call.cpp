#include "gateway/rest/call.hpp"

#include "gateway/http/respond.hpp"
#include "gateway/rest/metrics.hpp"
#include "gateway/rest/tenant_directory.hpp"
#include "messages/domain/time.hpp"
#include "messages/http/message.hpp"
#include "messages/rest/audit.hpp"
#include "messages/rest/host.hpp"

#include <mutex>

namespace outband::rest {

context::context() = default;
context::~context() = default;

namespace {

/// MPS's `error` text for a status (src/utils/constants.ts).
std::string error_text(int status) {
  switch (status) {
  case 400:
    return "Incorrect URI or Bad Request";
  case 401:
    return "Unauthorized";
  case 404:
    return "NOT FOUND";
  case 408:
    return "Timeout Error";
  default:
    return std::string(http::reason_phrase(status));
  }
}

} // namespace

web::response error_response(dialect d, const failure& why) {
  const auto words = explain(why.what);
  std::string text = why.detail.empty() ? std::string(words.what) : why.detail;
  json::object body;
  if (d == dialect::emf) {
    body = {{"code", grpc_code(why.what)},
            {"message", why.field.empty() ? text : why.field + ": " + text},
            {"problem", words.code}};
  } else {
    body = {{"error", error_text(words.status)},
            {"errorDescription", text},
            {"message", text},
            {"code", words.code}};
    if (why.what == problem::unauthenticated && text == "token expired")
      body.push_back({"exp", text}); // the Sample Web UI signs out on exactly this
  }
  if (!why.field.empty())
    body.push_back({"field", why.field});
  body.push_back({"next", words.next});
  body.push_back({"retry", words.retry});
  auto r = web::json_response(words.status, json::dump(std::move(body)));
  if (words.status == 401)
    r.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (words.retry && (words.status == 429 || words.status == 503))
    r.headers.emplace_back("Retry-After", "5");
  return r;
}

void call::answer(int status, const json::value& body) const {
  reply(web::json_response(status, json::dump(body)));
}

audit_entry call::entry(std::string act, std::optional<device_id> device,
                        const json::value& argument) const {
  audit_entry e;
  e.tenant = tenant.empty() ? std::string(site_tenant) : tenant;
  e.argument = audit_argument(act, argument);
  e.act = std::move(act);
  e.device = device;
  if (!who.name.empty())
    e.by = to_string(by());
  e.channel = "rest";
  e.address = req.peer;
  return e;
}

void call::record(std::string act, std::optional<device_id> device,
                  const json::value& argument) const {
  with().audit->record({entry(std::move(act), device, argument)}, {});
}

void call::refuse(const failure& why) const {
  if (why.what == problem::forbidden && !who.name.empty()) {
    std::optional<device_id> device;
    if (rule.find("{guid}") != std::string::npos && !params.empty())
      device = parse_uuid(params.back());
    with().audit->record_limited(to_string(by()),
                                 entry("request", device, json::object{{"route", rule}}),
                                 outcome_of(audit_status::rejected, why));
  }
  reply(error_response(speaks, why));
}

void call::refuse(const std::vector<field_error>& errors) const {
  reply(web::json_response(400, errors_body(errors)));
}

std::optional<json::value> call::body() const {
  json::limits within;
  within.octets = req.body.size() + 1; // the server has checked the size
  within.values = 500'000;             // 10,000 devices with all they may have
  auto parsed = json::parse(req.body, within);
  if (parsed)
    return std::move(*parsed);
  refuse(parsed.error());
  return std::nullopt;
}

std::optional<uuid> call::request_id() const {
  const auto* key = req.header("Idempotency-Key");
  if (!key)
    return with().clock->new_id();
  auto id = parse_uuid(*key);
  if (id && !id->is_nil())
    return id;
  refuse(fail(problem::malformed, "must be a UUID", "Idempotency-Key"));
  return std::nullopt;
}

json::value iso_time(time_ms t) {
  return t > 0 ? json::value(to_rfc3339(t)) : json::value();
}

namespace {

struct round {
  std::mutex mutex;
  std::size_t next = 0, open = 0, n = 0;
  std::function<void(std::size_t, answer<nothing>)> step;
  answer<nothing> done;
  std::optional<failure> error;
  bool over = false;
  bool looping = false; ///< somebody is in proceed(); completions within it must not recurse
};

void proceed(const std::shared_ptr<round>& r, std::size_t width) {
  std::unique_lock lock(r->mutex);
  if (r->looping || r->over)
    return; // whoever loops sees what has changed, for it holds the lock when it looks
  r->looping = true;
  while (!r->error && r->next < r->n && r->open < width) {
    const auto item = r->next++;
    ++r->open;
    lock.unlock();
    r->step(item, [r, width](result<nothing> one) {
      {
        std::lock_guard held(r->mutex);
        --r->open;
        if (!one && !r->error)
          r->error = one.error();
      }
      proceed(r, width);
    });
    lock.lock();
  }
  r->looping = false;
  if (r->open > 0)
    return;
  r->over = true;
  auto done = std::move(r->done);
  auto error = r->error;
  r->step = nullptr;
  lock.unlock();
  error ? done(*error) : done(nothing{});
}

} // namespace

void for_each_bounded(std::size_t n, std::size_t width,
                      std::function<void(std::size_t, answer<nothing>)> step,
                      answer<nothing> done) {
  auto r = std::make_shared<round>();
  r->n = n;
  r->step = std::move(step);
  r->done = std::move(done);
  proceed(r, width);
}

} // namespace outband::rest
