#include "gateway/auth/auth.hpp"
#include "gateway/rest/metrics.hpp"
#include "gateway/rest/page.hpp"
#include "gateway/rest/prefixes.hpp"
#include "gateway/rest/router.hpp"
#include "gateway/rest/tenant_directory.hpp"
#include "messages/domain/text.hpp"

namespace outband::rest {

namespace {

bool is(const std::string& segment, std::string_view word) {
  return same_text(segment, word);
}

/// Counts and times an answer, whoever gives it.
web::responder observed(const std::shared_ptr<context>& api, const web::responder& reply,
                        std::string_view rule) {
  auto open = std::make_shared<metrics::pending>(*api->counted, rule);
  return web::responder([api, reply, open = std::move(open)](web::response r) {
    open->answered(r.status);
    reply(std::move(r));
  });
}

std::string_view bearer(const web::request& req) {
  const auto* h = req.header("Authorization");
  if (!h || h->size() < 8 || !same_text(std::string_view(*h).substr(0, 7), "Bearer "))
    return {};
  auto token = std::string_view(*h).substr(7);
  while (!token.empty() && token.front() == ' ')
    token.remove_prefix(1);
  return token;
}

/// How the caller names its tenant: the path's project, else a header, else (MPS's GET and DELETE
/// of devices) the query, else the token's default.
struct asked_tenant {
  std::string text;
  const char* field = "";
  bool names = false; ///< display names count too
};
result<std::optional<asked_tenant>> tenant_asked(const web::request& req,
                                                 const std::optional<std::string>& project,
                                                 const router::entry& e) {
  std::optional<asked_tenant> out;
  auto take = [&](const std::string* text, const char* field, bool names) {
    if (!text || text->empty() || (out && out->text == *text))
      return true;
    if (out)
      return false;
    out = asked_tenant{*text, field, names};
    return true;
  };
  const bool devices = e.segments.size() >= 3 && e.segments[2] == "devices" &&
                       (e.method == web::verb::get || e.method == web::verb::delete_);
  if (project && !take(&*project, "project", true))
    return out;
  // With a project in the path, headers repeat it in another form at most; the path counts.
  if (!project && (!take(req.header("x-tenant-id"), "x-tenant-id", false) ||
                   !take(req.header("ActiveProjectID"), "ActiveProjectID", false) ||
                   (devices && !take(req.target.parameter("tenantId"), "tenantId", false))))
    return fail(problem::malformed, "two different tenants are named", "x-tenant-id");
  return out;
}

class api_handler {
public:
  api_handler(std::shared_ptr<context> api, router routes, page files)
      : api_(std::move(api)), routes_(std::make_shared<const router>(std::move(routes))),
        page_(std::make_shared<const page>(std::move(files))) {}

  void operator()(web::request req, web::responder reply) const {
    auto path = place_of(req.target.segments);
    auto hit = routes_->find(req.method, path.segments);
    reply = observed(api_, reply, hit.found ? std::string_view(hit.found->rule) : "none");
    if (!hit.found && !path.absent.empty())
      return not_here(req, path.absent, reply);
    if (!hit.found)
      return elsewhere(req, hit.allow, path.segments, reply);
    auto c = std::make_shared<call>(call{std::move(req),
                                         std::move(reply),
                                         api_,
                                         std::move(hit.params),
                                         hit.found->speaks,
                                         {},
                                         {},
                                         role::none,
                                         hit.found->rule});
    if (path.project && !c->params.empty() && is(hit.found->segments[0], "v1"))
      c->params.erase(c->params.begin()); // {project} is the tenant, not the route's own
    if (hit.found->needed == role::none)
      return serve(*hit.found, c);
    authenticate(*hit.found, c, path.project);
  }

private:
  /// What a peer serves there and we do not: 501, whoever asks, in JSON (EMF's managers read the
  /// content type of RPS's errors). A preflight passes, so that a page in a browser sees it.
  static void not_here(const web::request& req, std::string_view what,
                       const web::responder& reply) {
    if (req.method == web::verb::options)
      return reply({204, {}, {}, {}});
    const std::string text(what);
    reply(web::json_response(
        501, json::dump(json::object{{"error", "Not Implemented"},
                                     {"errorDescription", text},
                                     {"message", text},
                                     {"code", "not-implemented"},
                                     {"next", "Use the peers' own service for this."},
                                     {"retry", false}})));
  }

  void elsewhere(const web::request& req, const std::string& allow,
                 const std::vector<std::string>& segments, const web::responder& reply) const {
    if (!allow.empty()) {
      web::response r{204, {}, {}, {}};
      if (req.method != web::verb::options) {
        r = error_response(dialect::mps,
                           fail(problem::malformed, "This path serves " + allow + " only."));
        r.status = 405;
      }
      r.headers.emplace_back("Allow", allow);
      return reply(std::move(r));
    }
    if (req.method == web::verb::get)
      if (auto file = page_->find(segments))
        return reply(std::move(*file));
    reply(error_response(dialect::mps, fail(problem::not_found, "There is no such path.")));
  }

  void authenticate(const router::entry& e, const call_ptr& c,
                    const std::optional<std::string>& project) const {
    auto who = identify(c);
    if (!who)
      return c->refuse(who.error());
    c->who = std::move(*who);
    auto asked = tenant_asked(c->req, project, e);
    if (!asked)
      return c->refuse(asked.error());
    if (!*asked) {
      if (c->who.certificate && c->who.default_tenant.empty())
        return c->refuse(
            fail(problem::malformed, "ActiveProjectID header not found", "ActiveProjectID"));
      c->tenant = c->who.default_tenant;
      return authorize(e, c);
    }
    const auto field = std::string((*asked)->field);
    // Lives as long as the router: the entry is in a vector that never changes.
    auto routes = routes_;
    api_->tenants->find(c->who, (*asked)->text, (*asked)->names,
                        [this_copy = *this, &e, c, field, routes](result<tenant_key> key) {
                          if (!key && key.error().what == problem::not_found)
                            // The same words whether it does not exist or is not the caller's.
                            return c->refuse(
                                fail(field == "project" ? problem::not_found : problem::forbidden,
                                     "There is no such tenant for this account.", field));
                          if (!key)
                            return c->refuse(key.error());
                          c->tenant = *key;
                          this_copy.authorize(e, c);
                        });
  }

  /// By certificate where the listener has asked for one, else by token.
  static result<auth::identity> identify(const call_ptr& c) {
    if (c->req.certificate_name && c->with().certificates)
      return certified(*c->req.certificate_name, *c->with().certificates);
    auto token = bearer(c->req);
    if (token.empty())
      return fail(problem::unauthenticated,
                  "An Authorization header with a Bearer token is needed.");
    return c->with().auth->verify(token);
  }

  /// "dm-manager.orch-infra" acts as ext/dm-manager-orch-infra.
  static result<auth::identity> certified(const std::string& name, const certificate_rule& rule) {
    auth::identity who;
    for (char ch : lower(name).substr(0, 64))
      who.name += (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ? ch : '-';
    if (!valid_level(who.name))
      return fail(problem::unauthenticated,
                  "The client certificate names nobody: it needs a common name or a DNS name.");
    who.certificate = true;
    who.everywhere = rule.held;
    who.default_tenant = rule.tenant;
    return who;
  }

  void authorize(const router::entry& e, const call_ptr& c) const {
    c->held = auth::held_in(c->who, c->tenant);
    if (c->tenant.empty() && !c->who.site_admin)
      return c->refuse(fail(problem::forbidden, "This account belongs to no tenant."));
    if (c->held < e.needed)
      return c->refuse(fail(problem::forbidden,
                            "This needs the role " + std::string(to_string(e.needed)) + "."));
    serve(e, c);
  }

  /// Exceptions end here: a defect of ours answers 500 and never reaches the I/O thread.
  static void serve(const router::entry& e, const call_ptr& c) {
    try {
      e.serve(c);
    } catch (const std::exception&) {
      c->refuse(fail(problem::internal));
    }
  }

  std::shared_ptr<context> api_;
  std::shared_ptr<const router> routes_;
  std::shared_ptr<const page> page_;
};

} // namespace

result<web::handler> make_api(services s) {
  if (!s.store || !s.secrets || !s.control || !s.clock || !s.auth || !s.audit)
    return fail(problem::internal, "a port of the REST interface is missing");
  auto routes = make_router();
  if (!routes.missing().empty())
    return fail(problem::internal, "no row in the role table for " + routes.missing().front());
  auto files = page::load(s.page_dir, s.ui_origin);
  if (!files)
    return files.error();
  auto api = std::make_shared<context>();
  api->with = std::move(s);
  api->started = api->with.clock->now();
  api->counted = std::make_unique<metrics>();
  api->tenants = std::make_unique<tenant_directory>(*api->with.store, *api->with.clock);
  return web::handler(api_handler(std::move(api), std::move(routes), std::move(*files)));
}

} // namespace outband::rest
