// One-time tokens of the activation WebSocket, and what activations have come to.
#include "gateway/rest/admin_kind.hpp"
#include "gateway/rest/admin_parts.hpp"
#include "messages/provisioning/token_hash.hpp"
#include "messages/ticket/base64url.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace outband::rest {

namespace {

result<std::string> random_text() {
  std::string octets(32, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()),
                 static_cast<int>(octets.size())) != 1)
    return fail(problem::internal, "No random token could be made.");
  auto text = ticket::base64url_encode(octets);
  OPENSSL_cleanse(octets.data(), octets.size());
  return text;
}

/// What rpc is started with: the host by which the client has reached us.
std::string url_of(const call_ptr& c, const std::string& text) {
  const auto* host = c->req.header("Host");
  return std::string(c->req.secure ? "wss://" : "ws://") + (host ? *host : std::string()) +
         "/activate/" + text;
}

void store_token(const call_ptr& c, const activation_token& token) {
  auto text = random_text();
  if (!text)
    return c->refuse(text.error());
  c->with().provisioning->create_token(token, provisioning::token_hash(*text),
                                       [c, token, text = *text](result<nothing> done) {
                                         if (!done)
                                           return c->refuse(done.error());
                                         json::object kept{{"id", to_string(token.id)},
                                                           {"operation", to_string(token.act)},
                                                           {"expires", iso_time(token.expires)}};
                                         if (token.profile)
                                           kept.push_back({"profile", *token.profile});
                                         c->record("token.add", token.device, std::move(kept));
                                         auto body = token_json(token);
                                         body.members()->push_back({"token", text});
                                         body.members()->push_back({"url", url_of(c, text)});
                                         auto r = web::json_response(201, json::dump(body));
                                         r.headers.emplace_back("Cache-Control", "no-store");
                                         c->answer(std::move(r));
                                       });
}

void create_token(const call_ptr& c) {
  if (!provisions(c))
    return;
  auto body = c->body();
  if (!body)
    return;
  auto parsed = parse_token_body(*body);
  if (auto* errors = std::get_if<std::vector<field_error>>(&parsed))
    return c->refuse(*errors);
  const auto& wanted = std::get<token_body>(parsed);
  activation_token token;
  token.id = c->with().clock->new_id();
  token.tenant = c->tenant;
  token.act = wanted.act;
  token.profile = wanted.profile;
  token.device = wanted.device;
  token.by = to_string(c->by());
  token.created = c->with().clock->now();
  token.expires = token.created + wanted.expires_in * 1000;
  if (!token.profile)
    return store_token(c, token);
  // One for a profile that does not exist could only fail at the machine.
  c->with().provisioning->profiles().get(
      c->tenant, *token.profile, [c, token](result<stored<profile>> p) mutable {
        if (!p && p.error().what == problem::not_found)
          return rps_not_found(c, object_kind::profile, *token.profile);
        if (!p)
          return c->refuse(p.error());
        token.profile = p->what.name;
        store_token(c, token);
      });
}

void list_tokens(const call_ptr& c) {
  auto page = provisions(c) ? page_asked(c) : std::nullopt;
  if (!page)
    return;
  c->with().provisioning->list_tokens(
      c->tenant, page->wish, [c, count = page->count](result<page_of<activation_token>> all) {
        if (!all)
          return c->refuse(all.error());
        json::array rows;
        for (const auto& t : all->rows)
          rows.push_back(token_json(t));
        answer_page(c, count, std::move(rows), all->total);
      });
}

void delete_token(const call_ptr& c) {
  if (!provisions(c))
    return;
  auto id = parse_uuid(c->params.at(0));
  if (!id)
    return c->refuse(fail(problem::not_found, "There is no such token.", "id"));
  c->with().provisioning->remove_token(c->tenant, *id, [c, id](result<nothing> done) {
    if (!done && done.error().what == problem::not_found)
      return c->refuse(fail(problem::not_found, "There is no such token.", "id"));
    if (!done)
      return c->refuse(done.error());
    c->record("token.delete", {}, json::object{{"id", to_string(*id)}});
    c->empty(204);
  });
}

void list_activations(const call_ptr& c) {
  auto page = provisions(c) ? page_asked(c) : std::nullopt;
  if (!page)
    return;
  c->with().provisioning->list_activations(
      c->tenant, page->wish, [c, count = page->count](result<page_of<activation_row>> all) {
        if (!all)
          return c->refuse(all.error());
        json::array rows;
        for (const auto& a : all->rows)
          rows.push_back(activation_json(a));
        answer_page(c, count, std::move(rows), all->total);
      });
}

void get_activation(const call_ptr& c) {
  if (!provisions(c))
    return;
  auto guid = parse_uuid(c->params.at(0));
  if (!guid)
    return c->refuse(fail(problem::malformed, "must be a GUID", "guid"));
  c->with().provisioning->get_activation({c->tenant, *guid}, [c](result<activation_row> row) {
    if (!row && row.error().what == problem::not_found)
      return c->refuse(
          fail(problem::not_found, "There has been no activation of this machine.", "guid"));
    if (!row)
      return c->refuse(row.error());
    c->answer(200, activation_json(*row));
  });
}

} // namespace

void add_admin_token_routes(router& r) {
  r.add("POST /api/v1/admin/activation-tokens", dialect::mps, create_token);
  r.add("GET /api/v1/admin/activation-tokens", dialect::mps, list_tokens);
  r.add("DELETE /api/v1/admin/activation-tokens/{id}", dialect::mps, delete_token);
  r.add("GET /api/v1/admin/activations", dialect::mps, list_activations);
  r.add("GET /api/v1/admin/activations/{guid}", dialect::mps, get_activation);
}

} // namespace outband::rest
