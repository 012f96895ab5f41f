// The server's own description: OpenAPI, AsyncAPI, a page.
#include "gateway/rest/documents.hpp"
#include "gateway/rest/router.hpp"

namespace outband::rest {

namespace {

struct texts {
  std::optional<failure> why; ///< a defect of documents/*.json
  std::string openapi, asyncapi, page;
};

/// Made when first asked for: a process has one version.
const texts& all(const std::string& version) {
  static const texts made = [&] {
    texts t;
    auto routes = make_openapi(version);
    auto bus = make_asyncapi(version);
    if (!routes || !bus) {
      t.why = routes ? bus.error() : routes.error();
      return t;
    }
    t.openapi = json::dump(*routes);
    t.asyncapi = json::dump(*bus);
    t.page = documents_page(*routes, *bus);
    return t;
  }();
  return made;
}

void tell(const call_ptr& c, std::string texts::*which, const char* type) {
  const auto& t = all(c->with().version);
  if (t.why)
    return c->refuse(fail(problem::internal, t.why->detail));
  c->answer(web::response{200,
                          type,
                          t.*which,
                          {{"Cache-Control", "no-cache"},
                           {"Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
                            "form-action 'none'; frame-ancestors 'none'"}}});
}

} // namespace

void add_document_routes(router& r) {
  constexpr auto json_type = "application/json; charset=utf-8";
  r.add("GET /api/openapi.json", dialect::mps,
        [=](const call_ptr& c) { tell(c, &texts::openapi, json_type); });
  r.add("GET /api/asyncapi.json", dialect::mps,
        [=](const call_ptr& c) { tell(c, &texts::asyncapi, json_type); });
  r.add("GET /api/docs", dialect::mps,
        [](const call_ptr& c) { tell(c, &texts::page, "text/html; charset=utf-8"); });
}

} // namespace outband::rest
