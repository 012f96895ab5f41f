/// What decisions need from the database. Implemented by actors/store over libpq; a fake in tests.
///
/// Threads: called from any thread, never blocks; completions run on the store's own I/O thread,
/// exactly once, and must hand over (anon_send, asio::post). A failure of the database is
/// problem::store_unavailable and means: nothing was written, or, for `outcome_unknown`, that the
/// connection broke after the statement was sent. Every call is scoped by tenant; a device of
/// another tenant is problem::not_found, just as one that does not exist.
#pragma once

#include "bus/outbox.hpp"
#include "messages/domain/audit.hpp"
#include "messages/domain/direct.hpp"
#include "messages/domain/documents.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace outband {

template <class T> using answer = std::function<void(result<T>)>;

// -- registry ---------------------------------------------------------------------------------

struct tenant_row {
  tenant_key key;
  std::string display_name; ///< at most 128 octets
  std::string project_id;   ///< EMF's project UUID; empty if none
  time_ms created = 0;
};

struct account_row {
  std::string name;          ///< `[a-z0-9-]{1,64}`, unique on the site
  std::string password_hash; ///< "scrypt$..." (gateway/auth)
  bool site_admin = false;
  std::map<tenant_key, std::string> roles; ///< tenant -> "viewer" | "operator" | "admin"
  time_ms created = 0;
};

/// A machine's registration: MPS's device object, and the host names of EMF.
struct device_record {
  device_ref ref;
  std::string hostname;
  std::optional<std::string> friendly_name;
  std::optional<std::string> dns_suffix;
  std::vector<std::string> tags;
  std::string mps_username; ///< CIRA user name; its password is a secret
  std::string amt_username; ///< "admin" unless told otherwise
  std::string device_info;  ///< a JSON object as text, stored verbatim; empty if none
  time_ms created = 0;
  // Read only:
  std::optional<direct_connection> direct; ///< nullopt: it calls home; written by direct_rows
  bool connected = false;
  std::string instance; ///< of the terminator that has the tunnel
  time_ms last_connected = 0, last_disconnected = 0, last_seen = 0;
};

/// What the link table says, which is the truth about who has the tunnel; observations on the bus
/// only announce it.
struct link_fact {
  link_epoch epoch = 0;                ///< 0: never connected
  link_state state = link_state::down; ///< down, up or unknown (its terminator died)
  std::string instance;
  uuid incarnation;
  std::string peer;
  std::string why; ///< of a link that is down: the name of its link_end, perhaps empty
  time_ms since = 0;
};

/// What a client may change of a record; absent members stay.
struct device_change {
  device_ref ref;
  std::optional<std::string> hostname;
  std::optional<std::optional<std::string>> friendly_name, dns_suffix; ///< inner nullopt: to null
  std::optional<std::vector<std::string>> tags;
  std::optional<std::string> mps_username, amt_username, device_info;
};

struct device_filter {
  tenant_key tenant;
  std::optional<std::string> hostname, friendly_name; ///< exact
  std::vector<std::string> tags;
  bool all_tags = false; ///< AND instead of OR
  std::optional<bool> connected;
  std::size_t skip = 0, top = 25; ///< filters apply before paging; ordered by guid
};
struct device_page {
  std::vector<device_record> rows;
  std::size_t total = 0; ///< of the filtered set
};
struct device_stats {
  std::size_t total = 0, connected = 0;
};
struct upserted {
  device_record record;
  bool created = false; ///< false: merged into an existing one of the same tenant
};

/// What the terminator needs to admit a tunnel. The password is in the secret store.
struct cira_identity {
  device_ref ref;
  std::string mps_username;
  std::string amt_username;
};

// -- links ------------------------------------------------------------------------------------

struct epoch_request {
  device_ref ref;
  std::string instance;
  uuid incarnation;
  std::string peer;
};
struct epoch_grant {
  link_epoch epoch = 0;
  std::string previous_instance; ///< empty: none, or it was down already
  link_epoch previous_epoch = 0;
};

// -- devices ----------------------------------------------------------------------------------

/// One row of commands: what a person asked to happen once.
struct command_row {
  uuid id; ///< the request's id
  device_ref ref;
  std::string act;
  std::string argument_hash; ///< the same id with another argument is an error
  std::string argument;      ///< the request's body, encoded (messages/bus), to be replayed
  std::string by, channel;
  request_status status = request_status::accepted;
  bool dispatched = false; ///< marked before it is sent: never sent twice
  std::string outcome;     ///< the response, encoded, once final
  time_ms deadline = 0, created = 0;
  // Kept in the audit trail alone:
  std::string address{};       ///< of the client, if known
  std::string kept_argument{}; ///< JSON without secrets; empty: what the argument itself says
};

struct device_row {
  device_record record;
  link_fact link;
  desired_state desired;
  revision desired_rev = 0;
  current_state current;
  revision current_rev = 0;
  std::map<std::string, std::uint64_t> event_seq; ///< last number per event class
  std::vector<command_row> open_commands;         ///< accepted and not final, oldest first
};

/// Writes observed state: guarded by `expected_rev`, asynchronous commit.
struct current_write {
  device_ref ref;
  revision expected_rev = 0; ///< the row's; the new one is +1
  current_state next;
  std::map<std::string, std::uint64_t> event_seq;
  std::vector<bus::outgoing> publish; ///< already encoded, with the new revision in them
  std::vector<command_row> commands;  ///< to be updated (status, dispatched, outcome) by id
  bool durable = false;               ///< true: commit before answering (edge commands)
  /// Epoch of the lease this is written under; another holder: stale_controller, nothing is
  /// written. 0: no fence.
  std::uint64_t fence = 0;
};
struct current_written {
  bool conflict = false; ///< somebody else wrote: reload
};

/// Writes a wish: guarded by `expected_rev`, synchronous commit. Exactly one of the outcomes.
struct desired_write {
  device_ref ref;
  revision expected_rev = 0; ///< the row's desired revision; the new one is +1
  desired_state next;
  std::vector<bus::outgoing> publish;
  command_row command;     ///< recorded under its id with the outcome already final
  std::uint64_t fence = 0; ///< as in current_write
};
struct command_write {
  command_row command;
  std::vector<bus::outgoing> publish;
  /// For power.action towards a level: the wish that goes with it, in the same transaction.
  std::optional<desired_write> wish; ///< its `command` and `fence` members are ignored
  std::uint64_t fence = 0;           ///< as in current_write
};
struct write_outcome {
  enum class kind : std::uint8_t { written, conflict, duplicate } what = kind::written;
  command_row existing; ///< when duplicate
};

// -- audit ------------------------------------------------------------------------------------

// Commands and wishes (write_command, write_desired, save_current) keep their audit rows
// themselves, in the same statements. These are for everything else.

/// An act that is about to be carried out. After the answer `begun` it may be, once; whatever else
/// is answered, it must not be.
struct audit_begin {
  audit_entry entry;       ///< with an id that the client chose or that is new
  std::uint64_t fence = 0; ///< as in current_write
};
struct audit_begun {
  bool duplicate = false; ///< the id is known: nothing was written
  audit_row row;          ///< as it is stored now, ours or the other one
};
/// What came of it. `publish` is written if the act was still open, and nothing otherwise.
struct audit_end {
  tenant_key tenant;
  uuid id;
  audit_outcome outcome;
  std::vector<bus::outgoing> publish;
};
/// What is over when it is recorded: refusals, sign-ins, registrations.
struct audit_record {
  audit_entry entry;
  audit_outcome outcome;
  std::uint64_t count = 1; ///< so many alike
};

/// Newest first, by (at, id).
struct audit_filter {
  tenant_key tenant; ///< or site_tenant
  std::optional<device_id> device;
  std::optional<std::string> by, act; ///< exact
  std::optional<audit_status> status;
  time_ms from = 0, to = 0; ///< at >= from, at < to; 0: no bound
  std::string after;        ///< a page's `next`; empty: from the newest
  std::size_t skip = 0, top = 25;
};
struct audit_page {
  std::vector<audit_row> rows;
  std::string next; ///< cursor of the following page; empty: that was the last one
};

/// The desired side of a row, for who wants to change it.
struct desired_row {
  desired_state desired;
  revision desired_rev = 0;
};

class store_port {
public:
  virtual ~store_port() = default;

  // Registry.
  virtual void create_tenant(tenant_row row, answer<tenant_row> cb) = 0;
  virtual void list_tenants(answer<std::vector<tenant_row>> cb) = 0;
  /// With everything that is the tenant's: profiles and what they name, secrets, tokens, roles and,
  /// if `forced`, its devices. What it has retained is withdrawn. transition_refused: it still has
  /// devices (not forced), or one was being added at this moment.
  virtual void delete_tenant(tenant_key key, bool forced, std::vector<bus::outgoing> publish,
                             answer<nothing> cb) = 0;
  virtual void get_account(std::string name, answer<account_row> cb) = 0;
  virtual void put_account(account_row row, answer<nothing> cb) = 0;
  virtual void list_accounts(answer<std::vector<account_row>> cb) = 0;
  virtual void delete_account(std::string name, answer<nothing> cb) = 0;
  /// All or nothing. A GUID of another tenant: already_exists, `field` is its index "[3].guid".
  virtual void upsert_devices(std::vector<device_record> rows,
                              answer<std::vector<upserted>> cb) = 0;
  virtual void update_device(device_change change, answer<device_record> cb) = 0;
  virtual void get_device(device_ref ref, answer<device_record> cb) = 0;
  virtual void list_devices(device_filter filter, answer<device_page> cb) = 0;
  virtual void device_stats_of(tenant_key tenant, answer<device_stats> cb) = 0;
  virtual void device_tags_of(tenant_key tenant, answer<std::vector<std::string>> cb) = 0;
  /// Also removes its secrets, commands and link; `publish` carries the tombstones.
  virtual void delete_device(device_ref ref, std::vector<bus::outgoing> publish,
                             answer<nothing> cb) = 0;

  // Links.
  virtual void find_cira_identity(device_id guid, answer<cira_identity> cb) = 0;
  /// Newest authenticated tunnel wins. Concurrent calls are put into one multi-row statement.
  virtual void take_epoch(epoch_request req, answer<epoch_grant> cb) = 0;
  /// Only if `epoch` is still the link's; false: it was stale, nothing changed.
  virtual void link_down(device_ref ref, link_epoch epoch, link_end why, answer<bool> cb) = 0;
  /// In batches, every few minutes: when each tunnel last gave a sign of life.
  virtual void note_seen(std::vector<std::pair<device_ref, time_ms>> seen, answer<nothing> cb) = 0;

  // Devices.
  virtual void load_device(device_ref ref, answer<device_row> cb) = 0;
  /// The same for somebody who waits: does not queue behind what machines do.
  virtual void show_device(device_ref ref, answer<device_row> cb) = 0;
  virtual void save_current(current_write w, answer<current_written> cb) = 0;
  virtual void read_desired(device_ref ref, answer<desired_row> cb) = 0;
  virtual void write_desired(desired_write w, answer<write_outcome> cb) = 0;
  virtual void write_command(command_write w, answer<write_outcome> cb) = 0;
  virtual void get_command(tenant_key tenant, uuid id, answer<command_row> cb) = 0;
  /// Devices with an unsatisfied wish or an open command, for the controller's start.
  virtual void unsettled(std::string after, std::size_t limit,
                         answer<std::vector<device_ref>> cb) = 0;

  // Audit. An id is unique within its tenant, among commands and wishes too.
  virtual void begin_audit(audit_begin what, answer<audit_begun> cb) = 0;
  /// not_found: there is no such row. An act that has ended stays as it ended.
  virtual void finish_audit(audit_end what, answer<nothing> cb) = 0;
  /// All or nothing; already_exists if an id is not new.
  virtual void record_audit(std::vector<audit_record> what, std::vector<bus::outgoing> publish,
                            answer<nothing> cb) = 0;
  virtual void list_audit(audit_filter filter, answer<audit_page> cb) = 0;
  virtual void get_audit(tenant_key tenant, uuid id, answer<audit_row> cb) = 0;

  /// A round trip; the status says what is wrong.
  virtual void ping(answer<nothing> cb) = 0;
};

} // namespace outband
