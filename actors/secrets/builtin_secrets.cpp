#include "actors/secrets/builtin_secrets.hpp"

#include "messages/ticket/base64url.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace outband::secrets {

namespace {

constexpr std::size_t max_password = 4096; ///< octets

void put_octets(std::string& out, std::uint64_t value, int count) {
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xff));
}

void put_text(std::string& out, std::string_view text) {
  put_octets(out, text.size(), 4);
  out.append(text);
}

std::string place(const device_ref& ref, secret_name name) {
  return "the " + std::string(to_string(name)) + " of " + to_string(ref);
}

/// Bound to the device, and to nothing that a stored password is bound to.
std::string message_data(const device_ref& ref) {
  std::string out;
  put_text(out, ref.tenant);
  out.append(reinterpret_cast<const char*>(ref.device.bytes.data()), ref.device.bytes.size());
  put_text(out, "message");
  return out;
}

/// Bound to the place in the tenant that the label names.
std::string label_data(const tenant_key& tenant, std::string_view label) {
  std::string out;
  put_text(out, tenant);
  put_text(out, label);
  put_text(out, "named");
  return out;
}

result<std::string> sealed_text(const aes_key& key, std::string_view text,
                                const std::string& bound_to) {
  auto sealed = secrets::seal(key, text, bound_to);
  if (!sealed)
    return sealed.error();
  return ticket::base64url_encode(*sealed);
}

result<secret_text> opened_text(const aes_key& key, std::string_view sealed,
                                const std::string& bound_to) {
  auto octets = ticket::base64url_decode(sealed);
  if (!octets)
    return fail(problem::malformed, "a sealed text is base64url");
  auto text = unseal(key, *octets, bound_to);
  if (!text)
    return text.error();
  return secret_text(std::move(*text));
}

result<secret_text> open_row(const aes_key& key, const std::string& key_id, const device_ref& ref,
                             secret_name name, const sealed_row& row) {
  if (row.key_id != key_id)
    return fail(problem::internal, place(ref, name) + " was sealed with master key " + row.key_id +
                                       ", but this node has " + key_id +
                                       "; give it the key file that the database belongs to");
  auto text = unseal(key, row.sealed, associated_data(ref, name, row.version));
  if (!text)
    return fail(problem::internal, place(ref, name) + ": " + text.error().detail);
  return secret_text(std::move(*text));
}

} // namespace

std::string associated_data(const device_ref& ref, secret_name name, std::uint64_t version) {
  std::string out;
  put_text(out, ref.tenant);
  out.append(reinterpret_cast<const char*>(ref.device.bytes.data()), ref.device.bytes.size());
  put_text(out, to_string(name));
  put_octets(out, version, 8);
  return out;
}

builtin_secrets::builtin_secrets(aes_key key, secret_rows& rows)
    : key_(key), key_id_(key.id()), rows_(rows) {}

void builtin_secrets::get(device_ref ref, secret_name name, answer<secret_versions> cb) {
  rows_.read(ref, name,
             [key = key_, id = key_id_, ref, name,
              cb = std::move(cb)](result<std::vector<sealed_row>> rows) {
               if (!rows)
                 return cb(rows.error());
               secret_versions out;
               for (const auto& row : *rows) {
                 auto text = open_row(key, id, ref, name, row);
                 if (!text)
                   return cb(text.error());
                 (row.where == slot::active ? out.active : out.pending) = std::move(*text);
               }
               cb(std::move(out));
             });
}

void builtin_secrets::put(slot where, device_ref ref, secret_name name, const secret_text& value,
                          answer<nothing> cb) {
  if (value.reveal().size() > max_password)
    return cb(fail(problem::too_large, "at most 4096 octets"));
  sealed_row row;
  row.where = where;
  row.key_id = key_id_;
  // Random instead of counted: a counter would have to be read first, and two writers could then
  // seal under one number.
  unsigned char random[8];
  if (RAND_bytes(random, sizeof random) != 1)
    return cb(fail(problem::internal, "the system has no random numbers"));
  for (auto octet : random)
    row.version = row.version << 8 | octet;
  row.version &= 0x7fffffffffffffff; // a bigint in the table
  auto sealed = secrets::seal(key_, value.reveal(), associated_data(ref, name, row.version));
  if (!sealed)
    return cb(sealed.error());
  row.sealed = std::move(*sealed);
  rows_.write(std::move(ref), name, std::move(row), std::move(cb));
}

void builtin_secrets::put_active(device_ref ref, secret_name name, secret_text value,
                                 answer<nothing> cb) {
  put(slot::active, std::move(ref), name, value, std::move(cb));
}

void builtin_secrets::put_pending(device_ref ref, secret_name name, secret_text value,
                                  answer<nothing> cb) {
  put(slot::pending, std::move(ref), name, value, std::move(cb));
}

void builtin_secrets::promote(device_ref ref, secret_name name, answer<nothing> cb) {
  rows_.promote(std::move(ref), name, std::move(cb));
}

void builtin_secrets::discard_pending(device_ref ref, secret_name name, answer<nothing> cb) {
  rows_.discard_pending(std::move(ref), name, std::move(cb));
}

result<std::string> builtin_secrets::seal(const device_ref& ref, std::string_view text) {
  return sealed_text(key_, text, message_data(ref));
}

result<secret_text> builtin_secrets::open(const device_ref& ref, std::string_view sealed) {
  return opened_text(key_, sealed, message_data(ref));
}

result<std::string> builtin_secrets::seal_named(const tenant_key& tenant, std::string_view label,
                                                std::string_view text) {
  return sealed_text(key_, text, label_data(tenant, label));
}

result<secret_text> builtin_secrets::open_named(const tenant_key& tenant, std::string_view label,
                                                std::string_view sealed) {
  return opened_text(key_, sealed, label_data(tenant, label));
}

} // namespace outband::secrets
