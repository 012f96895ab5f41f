#include "gateway/rest/router.hpp"
#include "messages/domain/time.hpp"
#include "messages/rest/audit.hpp"

#include <algorithm>
#include <charconv>

namespace outband::rest {

namespace {

constexpr std::size_t export_page = 500;

/// Query parameters, each mistake noted.
class query {
public:
  explicit query(const call_ptr& c) : c_(c) {}

  std::optional<std::string> text(const char* name, std::size_t limit) {
    const auto* s = c_->req.target.parameter(name);
    if (!s || s->empty())
      return std::nullopt;
    if (s->size() > limit)
      wrong(name, "must be at most " + std::to_string(limit) + " octets");
    return *s;
  }
  std::size_t number(const char* name, std::size_t fallback, std::size_t least, std::size_t most) {
    auto s = text(name, 32);
    if (!s)
      return fallback;
    std::size_t n = 0;
    auto [end, ec] = std::from_chars(s->data(), s->data() + s->size(), n);
    if (ec != std::errc{} || end != s->data() + s->size() || n < least || n > most)
      wrong(name,
            "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return n;
  }
  time_ms time(const char* name) {
    auto s = text(name, 64);
    if (!s)
      return 0;
    auto t = parse_rfc3339(*s);
    if (!t)
      wrong(name, "must be a time as 2026-11-21T10:00:00Z");
    return t.value_or(0);
  }
  void wrong(const char* name, std::string why) {
    const auto* s = c_->req.target.parameter(name);
    errors.push_back({json::value(s ? s->substr(0, 256) : ""), name, "query", std::move(why)});
  }
  std::vector<field_error> errors;

private:
  const call_ptr& c_;
};

/// Answers itself what is wrong.
std::optional<audit_filter> filter_of(const call_ptr& c) {
  query q(c);
  audit_filter f;
  f.tenant = c->tenant;
  if (auto site = q.text("site", 8)) {
    if (*site != "true" && *site != "false")
      q.wrong("site", "must be true or false");
    if (*site == "true" && !c->who.site_admin) {
      c->refuse(fail(problem::forbidden, "This needs the role site-admin.", "site"));
      return std::nullopt;
    }
    if (*site == "true")
      f.tenant = std::string(site_tenant);
  }
  if (auto device = q.text("device", 64)) {
    f.device = parse_uuid(*device);
    if (!f.device)
      q.wrong("device", "must be a GUID");
  }
  if (auto by = q.text("by", 128))
    f.by = by->find('/') == std::string::npos ? "op/" + *by : *by;
  f.act = q.text("act", 64);
  if (auto status = q.text("status", 16)) {
    f.status = parse_audit_status(*status);
    if (!f.status)
      q.wrong("status", "must be asked, done, failed, rejected, expired or unknown");
  }
  f.from = q.time("from");
  f.to = q.time("to");
  f.top = q.number("$top", 25, 1, 1000);
  f.skip = q.number("$skip", 0, 0, 100'000'000);
  f.after = q.text("after", 64).value_or("");
  if (q.errors.empty())
    return f;
  c->refuse(q.errors);
  return std::nullopt;
}

void list(const call_ptr& c) {
  auto f = filter_of(c);
  if (!f)
    return;
  c->with().store->list_audit(std::move(*f), [c](result<audit_page> page) {
    if (!page)
      return c->refuse(page.error());
    json::array data;
    for (const auto& r : page->rows)
      data.push_back(audit_json(r));
    c->answer(200, json::object{{"data", std::move(data)},
                                {"next", page->next.empty() ? json::value() : page->next}});
  });
}

void one(const call_ptr& c) {
  auto id = parse_uuid(c->params.at(0));
  if (!id)
    return c->refuse(fail(problem::not_found, "There is no such act.", "id"));
  c->with().store->get_audit(c->tenant, *id, [c](result<audit_row> row) {
    row ? c->answer(200, audit_json(*row)) : c->refuse(row.error());
  });
}

std::string lines(const audit_page& page) {
  std::string out;
  for (const auto& r : page.rows)
    out += json::dump(audit_json(r)) + "\n";
  return out;
}

/// The rows page by page, each read when the client has taken the one before.
class exporter {
public:
  exporter(store_port& store, audit_filter f) : store_(store), filter_(std::move(f)) {}

  void next(const std::shared_ptr<exporter>& me, std::function<void(result<std::string>)> cb) {
    if (over_)
      return cb(std::string());
    store_.list_audit(filter_, [me, cb = std::move(cb)](result<audit_page> page) {
      if (!page)
        return cb(page.error());
      me->filter_.after = page->next;
      me->over_ = page->next.empty();
      cb(lines(*page));
    });
  }

private:
  store_port& store_;
  audit_filter filter_;
  bool over_ = false;
};

void export_all(const call_ptr& c) {
  auto f = filter_of(c);
  if (!f)
    return;
  f->top = export_page;
  f->skip = 0;
  auto from = std::make_shared<exporter>(*c->with().store, std::move(*f));
  // The first page is read before anything is said, lest a database that is away look like an end.
  from->next(from, [c, from](result<std::string> first) {
    if (!first)
      return c->refuse(first.error());
    web::response r{200, "application/x-ndjson; charset=utf-8", std::move(*first), {}};
    r.headers.emplace_back("Content-Disposition", "attachment; filename=\"audit.jsonl\"");
    r.headers.emplace_back("Cache-Control", "no-store");
    r.more = [from](std::function<void(result<std::string>)> cb) {
      from->next(from, std::move(cb));
    };
    c->answer(std::move(r));
  });
}

} // namespace

void add_audit_routes(router& r) {
  r.add("GET /api/v1/audit", dialect::mps, list);
  r.add("GET /api/v1/audit/export", dialect::mps, export_all);
  r.add("GET /api/v1/audit/{id}", dialect::mps, one);
}

} // namespace outband::rest
