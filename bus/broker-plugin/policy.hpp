/// What the broker plugin decides: who may connect and what each may publish, subscribe and get.
///
/// People and systems are who their ticket says, machines what their certificate says; the role
/// table (messages/domain/roles) does the rest. Nobody else gets anything. A person's will is
/// refused: Mosquitto publishes it after the person has gone, and all they may publish is requests.
/// Context: the broker's only thread; the clock is handed in as seconds since 1970 UTC. Knows
/// nothing of Mosquitto, so that it is tested without one.
#pragma once

#include "messages/domain/roles.hpp"
#include "messages/ticket/claims.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace outband::broker {

/// A client as the broker describes it. Views are valid during the call.
struct client_view {
  const void* key = nullptr; ///< its identity while it lives; may be reused afterwards
  std::string_view id;
  std::string_view username; ///< empty: none
  /// Common name of a verified client certificate; nullopt: it showed none.
  std::optional<std::string> certificate_name{};
};

struct verdict {
  bool allowed = false;
  std::string why; ///< of a refusal, for the log
};

enum class access : std::uint8_t { publish, receive, subscribe };

class policy {
public:
  policy(ticket::verifying_keys keys, std::string issuer);

  void set_keys(ticket::verifying_keys keys) { keys_ = std::move(keys); }
  /// One jti or user name per line; '#' starts a comment. Applies to connected clients as well.
  void set_revoked(std::string_view text);

  /// `password` is the ticket. A client with a certificate needs none: its name must be a
  /// machine's and equal to the certificate's.
  verdict authenticate(const client_view& c, std::string_view password, std::int64_t now_s);
  verdict check(const client_view& c, access what, std::string_view topic, std::int64_t now_s);
  /// `keep`: its session goes on without it (the broker queues), so its claims stay until they end.
  void disconnected(const void* key, bool keep);

  /// Client ids of connected people whose ticket has ended or was revoked, and of machines whose
  /// client id is not theirs. Each is named once.
  std::vector<std::string> to_kick(std::int64_t now_s);
  std::size_t known() const { return people_.size(); }

private:
  struct person {
    std::string client_id, username, jti;
    std::int64_t expires_s = 0;
    bool connected = true;
    std::vector<std::string> publish, subscribe; ///< filters
  };
  verdict authenticate_machine(const client_view& c) const;
  std::optional<std::string> why_ended(const person& p, std::int64_t now_s) const;
  bool taken_by_another(std::string_view client_id, std::string_view username) const;

  ticket::verifying_keys keys_;
  ticket::expectations expected_;
  std::map<const void*, person> people_;
  std::set<std::string, std::less<>> revoked_;
  std::set<std::string, std::less<>> strangers_; ///< client ids to kick
};

/// "op-{name}-..." for people; systems start with their name, but not like a person or a machine.
bool client_id_allowed(const bus_identity& who, std::string_view client_id);
/// "inst-{name}..." for nodes, and the one that all of them share as controllers; "{guid}..." for
/// agents; `username` as in the certificate.
bool machine_client_id_allowed(std::string_view username, std::string_view client_id);
/// "-/inst/n1" or "acme/dev/<guid>".
bool is_machine_name(std::string_view username);

} // namespace outband::broker
