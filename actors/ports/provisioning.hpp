/// Profiles, domains and what they name; one-time tokens; what activations have come to.
/// Implemented by actors/store; a fake in tests.
///
/// Threads, failures and tenant scope as in store.hpp: called from any thread, never blocks,
/// completions exactly once on the store's thread. Names are compared without regard to case.
///
/// Secrets travel sealed: whoever writes seals them first (`secrets_port::seal_named`), so that an
/// object and its secrets are stored in one transaction and no table holds a password in clear.
#pragma once

#include "actors/ports/secrets.hpp"
#include "actors/ports/store.hpp"
#include "messages/domain/provisioning.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace outband {

/// Fields of one object by name ("amt_password"), each sealed for secret_label(). A write replaces
/// those that it names and leaves the others; an empty text removes one.
using sealed_fields = std::map<std::string, std::string>;

/// The kinds of objects, and which secrets each has: profile {amt_password, mebx_password},
/// cira_config {mps_password}, wireless_config {psk_passphrase}, ieee8021x_config {password},
/// domain {pfx, pfx_password}.
enum class object_kind : std::uint8_t {
  profile,
  cira_config,
  wireless_config,
  ieee8021x_config,
  proxy_config,
  domain
};
std::string_view to_string(object_kind k);
/// What a secret field of an object is sealed for: tenant apart, "profile/p1/amt_password" with the
/// name in lower case.
std::string secret_label(object_kind k, const std::string& name, std::string_view field);

struct page_wish {
  std::size_t skip = 0, top = 25; ///< ordered by name
};
template <class T> struct page_of {
  std::vector<T> rows;
  std::size_t total = 0; ///< of all pages
};
template <class T> struct stored {
  T what;
  sealed_fields secrets;
};

/// A profile with everything it names, as an activation needs it.
struct resolved_profile {
  stored<profile> base;
  std::optional<stored<cira_config>> cira;
  std::vector<std::pair<stored<wireless_config>, int>> wifi; ///< with its priority
  std::vector<std::pair<proxy_config, int>> proxies;
  std::map<std::string, stored<ieee8021x_config>> ieee8021x; ///< by lower-case name: wired and WiFi
};

/// All of these for each kind of object `T` (its identifying member is `name`).
/// - create: already_exists with the field that is taken ("profileName", "domainSuffix");
///   not_found with the field naming an object that does not exist ("ciraConfigName").
/// - update: `what.version` must be the row's, else revision_conflict (0 counts as wrong; proxies
///   have no version: last writer wins). not_found as above.
/// - remove: transition_refused with a detail naming who still refers to it.
template <class T> class object_rows {
public:
  virtual ~object_rows() = default;
  virtual void list(tenant_key tenant, page_wish page, answer<page_of<T>> cb) = 0;
  virtual void get(tenant_key tenant, std::string name, answer<stored<T>> cb) = 0;
  virtual void create(tenant_key tenant, T what, sealed_fields secrets, answer<T> cb) = 0;
  virtual void update(tenant_key tenant, T what, sealed_fields secrets, answer<T> cb) = 0;
  virtual void remove(tenant_key tenant, std::string name, answer<nothing> cb) = 0;
};

/// What an activation says of itself when it begins a step or ends; `publish` goes into the outbox
/// in the same transaction (topics of events are filled in by the caller).
struct activation_note {
  activation_row row;
  std::vector<bus::outgoing> publish;
};

class provisioning_port {
public:
  virtual ~provisioning_port() = default;
  virtual object_rows<profile>& profiles() = 0;
  virtual object_rows<cira_config>& cira_configs() = 0;
  virtual object_rows<wireless_config>& wireless_configs() = 0;
  virtual object_rows<ieee8021x_config>& ieee8021x_configs() = 0;
  virtual object_rows<proxy_config>& proxy_configs() = 0;
  virtual object_rows<domain>& domains() = 0;

  /// not_found: no such profile.
  virtual void resolve(tenant_key tenant, std::string profile_name,
                       answer<resolved_profile> cb) = 0;
  /// The first of `suffixes` (most specific first) that has a domain; not_found if none has.
  virtual void find_domain(tenant_key tenant, std::vector<std::string> suffixes,
                           answer<stored<domain>> cb) = 0;

  // Tokens. `hash` is the SHA-256 of the token's text, 64 hex digits.
  virtual void create_token(activation_token token, std::string hash, answer<nothing> cb) = 0;
  virtual void list_tokens(tenant_key tenant, page_wish page,
                           answer<page_of<activation_token>> cb) = 0;
  virtual void remove_token(tenant_key tenant, uuid id, answer<nothing> cb) = 0;
  /// Looks only. not_found: unknown. The caller judges expiry and use.
  virtual void find_token(std::string hash, answer<activation_token> cb) = 0;
  /// Uses it up, at most once whoever asks: cancelled if it is used, expired if it is too late (by
  /// the database's clock), forbidden if it is another machine's.
  virtual void use_token(std::string hash, device_id device, answer<activation_token> cb) = 0;

  // What activations have come to.
  /// Makes the row `running`. busy while another one (another id) is running whose node is alive
  /// and which has said something within `quiet`.
  virtual void begin_activation(activation_note note, std::chrono::milliseconds quiet,
                                answer<nothing> cb) = 0;
  /// stale_epoch: another activation of this machine has begun meanwhile; nothing was written.
  virtual void note_activation(activation_note note, answer<nothing> cb) = 0;
  virtual void get_activation(device_ref device, answer<activation_row> cb) = 0;
  virtual void list_activations(tenant_key tenant, page_wish page,
                                answer<page_of<activation_row>> cb) = 0;
  /// Of all tenants, domains that end before `until`, for the expiry events.
  virtual void expiring_domains(time_ms until,
                                answer<std::vector<std::pair<tenant_key, domain>>> cb) = 0;
  /// That somebody is told now: this certificate ends in at most so many days. true: nobody was
  /// told of this end yet, nor of less time left; whoever asks, once. 0 days: it has ended.
  virtual void notice_expiry(tenant_key tenant, std::string name, time_ms expires, int days,
                             answer<bool> cb) = 0;
};

} // namespace outband
