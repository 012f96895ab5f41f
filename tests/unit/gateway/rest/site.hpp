/// A whole REST interface over fake ports, with two tenants and people of every role.
///
///   site s;
///   auto r = s.send("GET", "/api/v1/devices", s.viewer);
#pragma once

#include "tests/unit/actors/memory_removals.hpp"
#include "tests/unit/gateway/rest/fake_ports.hpp"
#include "tests/unit/gateway/rest/fake_provisioning.hpp"

#include "actors/audit_log.hpp"
#include "gateway/auth/auth.hpp"
#include "gateway/rest/rest.hpp"
#include "messages/rest/json.hpp"

#include <memory>

namespace outband::testing {

struct reply {
  int status = 0;
  std::string type, text;
  json::value body; ///< null if the text is no JSON
  std::vector<std::pair<std::string, std::string>> headers;

  std::string header(const std::string& name) const;
  /// A member of the body as text, "" if it is not there or of another type.
  std::string at(const std::string& name) const;
  std::int64_t number(const std::string& name) const;
};

class site {
public:
  site();
  ~site();

  using header_list = std::vector<std::pair<std::string, std::string>>;
  reply send(const std::string& method, const std::string& target, const std::string& token = {},
             const std::string& body = {}, header_list headers = {});
  /// As send(), by somebody whose client certificate names `who`.
  reply send_as(const std::string& who, const std::string& method, const std::string& target,
                const std::string& body = {}, header_list headers = {});
  /// Answers later.
  void begin(const std::string& method, const std::string& target, const std::string& token,
             const std::string& body, std::function<void(reply)> then, header_list headers = {});
  /// As the handler gave it, with the parts of its body still to be read.
  web::response raw(const std::string& method, const std::string& target, const std::string& token);
  std::string sign_in(const std::string& name, const std::string& password = "correct horse");
  void account(const std::string& name, std::map<tenant_key, std::string> roles,
               bool site_admin = false);

  fake_clock clock;
  registry store;
  fake_secrets secrets;
  fake_provisioning provisioning{store.away};
  fake_control control{store};
  memory_removals removals{[this] {
    std::vector<device_ref> out;
    for (const auto& [id, d] : store.devices)
      out.push_back(d.record.ref);
    return out;
  }};
  audit_log audit{store, clock, {"n1", true, {}}};
  std::unique_ptr<auth::service> auth; ///< its worker uses all of the above
  rest::services services;
  status bus = success();
  /// Tokens: of tenant acme, of beta, and of the site.
  std::string viewer, operator_, admin, stranger, root;
  const device_ref machine{"acme", *parse_uuid("12345678-9abc-def0-1234-56789abcdef0")};
  const device_ref foreign{"beta", *parse_uuid("b0000000-0000-0000-0000-00000000000b")};
  const std::string guid = to_string(machine.device);

  void rebuild(); ///< after a change of `services`
  /// Another sign-in service with other options; tokens of before are void.
  void change_auth(const std::function<void(auth::options&)>& change);

private:
  web::request request_of(const std::string& method, const std::string& target,
                          const std::string& token, const std::string& body, header_list headers);
  web::handler api_;
  std::optional<std::string> certificate_name_; ///< of the requests being sent
};

} // namespace outband::testing
