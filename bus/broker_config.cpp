#include "bus/broker_config.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace outband::bus {

namespace {

/// Mosquitto reads a line up to its end and trims it; there is no quoting.
status check_value(const std::string& value, const char* field, bool required) {
  if (value.empty())
    return required ? status(fail(problem::malformed, "is missing", field)) : success();
  const bool bad = std::any_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (bad || value.front() == ' ' || value.back() == ' ')
    return fail(problem::malformed, "must not have control characters or spaces at either end",
                field);
  return success();
}

status check(const broker_options& o) {
  struct entry {
    const std::string& value;
    const char* field;
    bool required;
  };
  for (const auto& e :
       {entry{o.data_dir, "data_dir", true}, entry{o.ca_file, "ca_file", true},
        entry{o.cert_file, "cert_file", true}, entry{o.key_file, "key_file", true},
        entry{o.plugin_file, "plugin_file", true},
        entry{o.ticket_key_file, "ticket_key_file", true},
        entry{o.revocation_file, "revocation_file", false},
        entry{o.ticket_issuer, "ticket_issuer", true}, entry{o.run_as, "run_as", false}})
    if (auto ok = check_value(e.value, e.field, e.required); !ok)
      return ok;
  for (const auto& a : o.bind_addresses) {
    if (auto ok = check_value(a, "bind_addresses", false); !ok)
      return ok;
    if (a.find(' ') != std::string::npos)
      return fail(problem::malformed, "'" + a + "' is not an address", "bind_addresses");
  }
  for (const auto& l : o.log_to)
    if (auto ok = check_value(l, "log_to", true); !ok)
      return ok;
  if (o.bind_addresses.empty())
    return fail(problem::malformed, "is missing", "bind_addresses");
  if (o.machine_port == 0)
    return fail(problem::malformed, "is missing", "machine_port");
  std::set<std::uint16_t> ports;
  for (auto p : {o.machine_port, o.people_port, o.plain_port})
    if (p != 0 && !ports.insert(p).second)
      return fail(problem::malformed, "port " + std::to_string(p) + " is used twice",
                  "people_port");
  // 0 means "unlimited" to Mosquitto, and 2.0.16 to 2.0.21 then stop delivering.
  if (o.max_inflight == 0 || o.max_inflight > 65535)
    return fail(problem::malformed, "must be 1 to 65535", "max_inflight");
  if (o.max_queued == 0)
    return fail(problem::malformed, "must not be 0", "max_queued");
  if (o.max_payload == 0)
    return fail(problem::malformed, "must not be 0", "max_payload");
  if (o.sys_interval_s == 0)
    return fail(problem::malformed, "must not be 0: nobody would see what is dropped",
                "sys_interval_s");
  return success();
}

void write_tls(std::ostream& out, const broker_options& o) {
  out << "certfile " << o.cert_file << "\n"
      << "keyfile " << o.key_file << "\n"
      << "tls_version tlsv1.2\n"; // the least; 1.3 is negotiated
}

std::string listener(std::uint16_t port, const std::string& address) {
  return "listener " + std::to_string(port) + (address.empty() ? "" : " " + address) + "\n";
}

} // namespace

result<std::string> broker_config(const broker_options& o) {
  if (auto ok = check(o); !ok)
    return ok.error();
  std::ostringstream out;
  out << "# Written by Outband; changes here are lost.\n"
         "allow_anonymous false\n";
  if (!o.run_as.empty())
    out << "user " << o.run_as << "\n";

  out << "\n# Who may connect, publish and subscribe.\n"
      << "plugin " << o.plugin_file << "\n"
      << "plugin_opt_public_key_file " << o.ticket_key_file << "\n"
      << "plugin_opt_issuer " << o.ticket_issuer << "\n";
  if (!o.revocation_file.empty())
    out << "plugin_opt_revocation_file " << o.revocation_file << "\n";

  out << "\n# Above these Mosquitto drops without a word.\n"
      << "max_inflight_messages " << o.max_inflight << "\n"
      << "max_queued_messages " << o.max_queued << "\n"
      << "max_queued_bytes " << o.max_queued_bytes << "\n"
      << "message_size_limit " << o.max_payload
      << "\n"
      // Topic and properties come on top; clients are told this one.
      << "max_packet_size " << o.max_payload + 8192 << "\n"
      << "max_keepalive 120\n"
         "set_tcp_nodelay true\n"
      << "sys_interval " << o.sys_interval_s << "\n";

  std::string folder = o.data_dir;
  if (folder.back() != '/')
    folder += '/'; // Mosquitto joins the file name without one
  out << "\npersistence true\n"
      << "persistence_location " << folder << "\n"
      << "autosave_interval " << o.autosave_s << "\n"
      << "persistent_client_expiration 2d\n\n";

  for (const auto& l : o.log_to)
    out << "log_dest " << l << "\n";
  out << "log_type error\nlog_type warning\nlog_type notice\nlog_type information\n"
      << "connection_messages " << (o.log_connections ? "true" : "false") << "\n";

  for (const auto& a : o.bind_addresses) {
    out << "\n# Machines: the common name of the certificate is the user name.\n"
        << listener(o.machine_port, a) << "cafile " << o.ca_file << "\n";
    write_tls(out, o);
    out << "require_certificate true\n"
           "use_identity_as_username true\n";
    if (o.people_port != 0) {
      out << "\n# People and systems: the password is a ticket.\n" << listener(o.people_port, a);
      write_tls(out, o);
    }
  }
  if (o.plain_port != 0)
    out << "\n# Without TLS, this host only: the password is a ticket.\n"
        << listener(o.plain_port, "127.0.0.1");
  return out.str();
}

} // namespace outband::bus
