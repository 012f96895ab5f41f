/// The C side of the plugin (Mosquitto's plugin interface version 5, from 2.0 on).
///
/// Options: plugin_opt_public_key_file (PEM, one or more keys), plugin_opt_revocation_file
/// (optional, may not exist yet), plugin_opt_issuer. Both files are looked at again when their
/// modification time has changed, at most once a second and only inside the broker's events.
/// No exception leaves a callback: one that would is logged and refuses.
#include "bus/broker-plugin/policy.hpp"

#include <cctype>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <memory>
#include <openssl/x509.h>
#include <sstream>
#include <sys/stat.h>

extern "C" {
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
}

namespace {

using namespace outband;

/// A file whose content is taken anew when it has changed.
class watched_file {
public:
  explicit watched_file(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  /// The content if it changed since the last call; empty text when the file is gone.
  std::optional<std::string> poll() {
    if (path_.empty())
      return std::nullopt;
    struct stat now {};
    const bool there = ::stat(path_.c_str(), &now) == 0;
    const stamp seen{there, now.st_mtim.tv_sec, now.st_mtim.tv_nsec, now.st_size, now.st_ino};
    if (last_ == seen)
      return std::nullopt;
    last_ = seen;
    std::ifstream in(path_, std::ios::binary);
    std::ostringstream text;
    if (in)
      text << in.rdbuf();
    return text.str();
  }

private:
  using stamp = std::tuple<bool, std::int64_t, std::int64_t, std::int64_t, std::uint64_t>;
  std::string path_;
  std::optional<stamp> last_;
};

struct plugin {
  mosquitto_plugin_id_t* id = nullptr;
  watched_file keys{""}, revoked{""};
  std::unique_ptr<broker::policy> rules;
  std::int64_t looked_at_s = 0, ticked_at_s = 0;
};

/// What a client chose goes into a log line without control characters and not for ever long.
std::string printable(const char* text) {
  std::string out;
  for (const char* p = text ? text : ""; *p && out.size() < 200; ++p)
    out += static_cast<unsigned char>(*p) < 0x20 || *p == 0x7f ? '?' : *p;
  return out;
}

std::string name_of(struct mosquitto* client) {
  return "user='" + printable(mosquitto_client_username(client)) + "' client='" +
         printable(mosquitto_client_id(client)) +
         "' from=" + printable(mosquitto_client_address(client));
}

std::optional<std::string> certificate_name(struct mosquitto* client) {
  std::unique_ptr<X509, void (*)(X509*)> cert(
      static_cast<X509*>(mosquitto_client_certificate(client)), X509_free);
  if (!cert)
    return std::nullopt;
  auto* subject = X509_get_subject_name(cert.get());
  int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  // None or more than one: a name that no machine has.
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
    return std::string();
  auto* data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)),
                     static_cast<std::size_t>(ASN1_STRING_length(data)));
}

broker::client_view view_of(struct mosquitto* client) {
  broker::client_view v;
  v.key = client;
  if (const char* id = mosquitto_client_id(client))
    v.id = id;
  if (const char* user = mosquitto_client_username(client))
    v.username = user;
  return v;
}

std::int64_t now_s() {
  return static_cast<std::int64_t>(std::time(nullptr));
}

void look_at_files(plugin& self) {
  if (auto pem = self.keys.poll()) {
    if (auto keys = ticket::verifying_keys::from_pem(*pem))
      self.rules->set_keys(std::move(*keys));
    else // half written, perhaps: the old keys stay
      mosquitto_log_printf(MOSQ_LOG_ERR, "outband: %s: %s; the former keys stay in use",
                           self.keys.path().c_str(), to_string(keys.error()).c_str());
  }
  if (auto text = self.revoked.poll())
    self.rules->set_revoked(*text);
}

/// At most once a second.
void look_around(plugin& self) {
  const auto now = now_s();
  if (self.looked_at_s == now)
    return;
  self.looked_at_s = now;
  look_at_files(self);
}

template <class F> int guarded(const char* what, F&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& e) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "outband: %s: %s", what, e.what());
  } catch (...) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "outband: %s: unknown exception", what);
  }
  return MOSQ_ERR_UNKNOWN;
}

int on_basic_auth(int, void* event, void* data) {
  return guarded("authentication", [&]() -> int {
    auto& self = *static_cast<plugin*>(data);
    auto* e = static_cast<mosquitto_evt_basic_auth*>(event);
    look_around(self);
    auto client = view_of(e->client);
    client.username = e->username ? e->username : "";
    client.certificate_name = certificate_name(e->client);
    auto v = self.rules->authenticate(client, e->password ? e->password : "", now_s());
    if (v.allowed)
      return MOSQ_ERR_SUCCESS;
    mosquitto_log_printf(MOSQ_LOG_NOTICE, "outband: refused connection %s: %s",
                         name_of(e->client).c_str(), printable(v.why.c_str()).c_str());
    return MOSQ_ERR_AUTH;
  });
}

int on_acl(int, void* event, void* data) {
  return guarded("access check", [&]() -> int {
    auto& self = *static_cast<plugin*>(data);
    auto* e = static_cast<mosquitto_evt_acl_check*>(event);
    look_around(self);
    auto what = broker::access::receive;
    const char* word = "delivery";
    switch (e->access) {
    case MOSQ_ACL_READ:
      break;
    case MOSQ_ACL_WRITE:
      what = broker::access::publish;
      word = "publication";
      break;
    case MOSQ_ACL_SUBSCRIBE:
      what = broker::access::subscribe;
      word = "subscription";
      break;
    case MOSQ_ACL_UNSUBSCRIBE:
      return MOSQ_ERR_SUCCESS;
    default:
      return MOSQ_ERR_ACL_DENIED;
    }
    auto v = self.rules->check(view_of(e->client), what, e->topic ? e->topic : "", now_s());
    if (v.allowed)
      return MOSQ_ERR_SUCCESS;
    mosquitto_log_printf(MOSQ_LOG_NOTICE, "outband: refused %s %s topic='%s': %s", word,
                         name_of(e->client).c_str(), printable(e->topic).c_str(),
                         printable(v.why.c_str()).c_str());
    return MOSQ_ERR_ACL_DENIED;
  });
}

int on_disconnect(int, void* event, void* data) {
  return guarded("disconnect", [&]() -> int {
    auto* e = static_cast<mosquitto_evt_disconnect*>(event);
    static_cast<plugin*>(data)->rules->disconnected(e->client,
                                                    !mosquitto_client_clean_session(e->client));
    return MOSQ_ERR_SUCCESS;
  });
}

/// Several times a second, in the broker's loop; the only place where clients are thrown out, for
/// there no packet of theirs is being handled.
int on_tick(int, void*, void* data) {
  return guarded("tick", [&]() -> int {
    auto& self = *static_cast<plugin*>(data);
    const auto now = now_s();
    if (self.ticked_at_s == now)
      return MOSQ_ERR_SUCCESS;
    self.ticked_at_s = now;
    look_around(self);
    for (const auto& id : self.rules->to_kick(now)) {
      mosquitto_log_printf(MOSQ_LOG_NOTICE,
                           "outband: ended client='%s': ticket ended, revoked or not its client id",
                           printable(id.c_str()).c_str());
      mosquitto_kick_client_by_clientid(id.c_str(), true);
    }
    return MOSQ_ERR_SUCCESS;
  });
}

int on_reload(int, void*, void* data) {
  return guarded("reload", [&]() -> int {
    look_at_files(*static_cast<plugin*>(data));
    return MOSQ_ERR_SUCCESS;
  });
}

} // namespace

extern "C" {

int mosquitto_plugin_version(int count, const int* versions) {
  for (int i = 0; i < count; ++i)
    if (versions[i] == MOSQ_PLUGIN_VERSION)
      return MOSQ_PLUGIN_VERSION;
  return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier, void** userdata,
                          struct mosquitto_opt* options, int option_count) {
  return guarded("start", [&]() -> int {
    auto self = std::make_unique<plugin>();
    self->id = identifier;
    std::string issuer(ticket::default_issuer);
    for (int i = 0; i < option_count; ++i) {
      const std::string key = options[i].key ? options[i].key : "";
      const std::string value = options[i].value ? options[i].value : "";
      if (key == "public_key_file")
        self->keys = watched_file(value);
      else if (key == "revocation_file")
        self->revoked = watched_file(value);
      else if (key == "issuer")
        issuer = value;
      else
        mosquitto_log_printf(MOSQ_LOG_WARNING, "outband: unknown option '%s'", key.c_str());
    }
    auto keys = ticket::verifying_keys::from_pem(self->keys.poll().value_or(""));
    if (!keys) {
      mosquitto_log_printf(MOSQ_LOG_ERR, "outband: plugin_opt_public_key_file '%s': %s",
                           self->keys.path().c_str(), to_string(keys.error()).c_str());
      return MOSQ_ERR_INVAL;
    }
    self->rules = std::make_unique<broker::policy>(std::move(*keys), issuer);
    look_at_files(*self);
    struct hook {
      int event;
      MOSQ_FUNC_generic_callback call;
    };
    for (const auto& h :
         {hook{MOSQ_EVT_BASIC_AUTH, on_basic_auth}, hook{MOSQ_EVT_ACL_CHECK, on_acl},
          hook{MOSQ_EVT_DISCONNECT, on_disconnect}, hook{MOSQ_EVT_TICK, on_tick},
          hook{MOSQ_EVT_RELOAD, on_reload}})
      if (int rc = mosquitto_callback_register(identifier, h.event, h.call, nullptr, self.get());
          rc != MOSQ_ERR_SUCCESS)
        return rc;
    mosquitto_log_printf(MOSQ_LOG_INFO, "outband: access plugin ready");
    *userdata = self.release();
    return MOSQ_ERR_SUCCESS;
  });
}

int mosquitto_plugin_cleanup(void* userdata, struct mosquitto_opt*, int) {
  return guarded("stop", [&]() -> int {
    std::unique_ptr<plugin> self(static_cast<plugin*>(userdata));
    if (!self)
      return MOSQ_ERR_SUCCESS;
    mosquitto_callback_unregister(self->id, MOSQ_EVT_BASIC_AUTH, on_basic_auth, nullptr);
    mosquitto_callback_unregister(self->id, MOSQ_EVT_ACL_CHECK, on_acl, nullptr);
    mosquitto_callback_unregister(self->id, MOSQ_EVT_DISCONNECT, on_disconnect, nullptr);
    mosquitto_callback_unregister(self->id, MOSQ_EVT_TICK, on_tick, nullptr);
    mosquitto_callback_unregister(self->id, MOSQ_EVT_RELOAD, on_reload, nullptr);
    return MOSQ_ERR_SUCCESS;
  });
}

} // extern "C"
