/// One request on its way through the REST interface, and how it is answered. Internal.
/// Context: any thread, but one at a time.
#pragma once

#include "gateway/auth/identity.hpp"
#include "gateway/rest/rest.hpp"
#include "messages/rest/device_body.hpp"
#include "messages/rest/json.hpp"

#include <memory>

namespace outband::rest {

class metrics;
class tenant_directory;

/// Whose shape of errors the clients of a route expect.
enum class dialect : std::uint8_t {
  mps, ///< {"error","errorDescription"} and, ours, "code","message","next","retry"
  emf  ///< {"code":"InvalidArgument","message"}
};

/// What all routes share.
struct context {
  services with;
  std::unique_ptr<rest::metrics> counted;
  std::unique_ptr<rest::tenant_directory> tenants;
  time_ms started = 0;
  context();
  ~context();
};

struct call {
  web::request req;
  web::responder reply;
  std::shared_ptr<context> api;
  std::vector<std::string> params; ///< of the path, in order
  dialect speaks = dialect::mps;
  auth::identity who; ///< empty name: a route for everybody
  tenant_key tenant;
  role held = role::none; ///< in `tenant`
  std::string rule{};     ///< of the role table

  const services& with() const { return api->with; }
  void answer(int status, const json::value& body) const;
  void answer(web::response r) const { reply(std::move(r)); }
  void empty(int status) const { reply({status, {}, {}, {}}); }
  /// One that is forbidden to somebody known is recorded.
  void refuse(const failure& why) const;
  /// MPS's 400 with a list of fields.
  void refuse(const std::vector<field_error>& errors) const;

  /// An entry of the audit trail about this request; of `argument` only what may be kept.
  audit_entry entry(std::string act, std::optional<device_id> device = {},
                    const json::value& argument = {}) const;
  /// It is done.
  void record(std::string act, std::optional<device_id> device = {},
              const json::value& argument = {}) const;

  principal by() const {
    return {who.certificate ? principal::kind::external : principal::kind::person, tenant,
            who.name};
  }
  /// The body as JSON; answers 400 itself and returns nullopt if it is none.
  std::optional<json::value> body() const;
  /// The id for a request to the actors: the Idempotency-Key, or a fresh one. Answers 400 itself
  /// if the key is no UUID.
  std::optional<uuid> request_id() const;
};
using call_ptr = std::shared_ptr<call>;
using route = std::function<void(call_ptr)>;

web::response error_response(dialect d, const failure& why);

/// "2026-01-02T03:04:05.678Z"; null for 0.
json::value iso_time(time_ms t);

/// Runs `step(i, next)` for each i below `n`, at most `width` at once, then `done`; a failure stops
/// it. Steps may answer at once or later from any thread; neither makes the stack grow.
void for_each_bounded(std::size_t n, std::size_t width,
                      std::function<void(std::size_t, answer<nothing>)> step, answer<nothing> done);

} // namespace outband::rest
