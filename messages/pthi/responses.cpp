#include "messages/pthi/codec.hpp"
#include "messages/pthi/wire.hpp"

#include <algorithm>

namespace outband::pthi {

namespace {

constexpr std::size_t head_size = 12;
constexpr std::size_t hash_field = 64;
constexpr std::size_t account_field = max_account_text + 1;

std::string_view cut(std::string_view s, std::size_t most) {
  return s.substr(0, most);
}

struct body_writer {
  wire_writer& out;

  void operator()(const no_body&) const {}
  void operator()(const number_body& b) const { out.u32(b.value); }
  void operator()(const code_versions_body& b) const {
    out.fixed(cut(b.bios, max_bios_text - 1), max_bios_text);
    const auto count = std::min(b.versions.size(), max_versions);
    out.u32(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
      text(b.versions[i].description);
      text(b.versions[i].version);
    }
  }
  void operator()(const hash_handles_body& b) const {
    const auto count = std::min(b.handles.size(), max_hash_handles);
    out.u32(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i)
      out.u32(b.handles[i]);
  }
  void operator()(const hash_entry_body& b) const {
    out.u32(b.is_default ? 1 : 0);
    out.u32(b.is_active ? 1 : 0);
    out.fixed(b.hash, hash_field);
    out.u8(static_cast<std::uint8_t>(b.algorithm));
    out.ansi(cut(b.name, max_ansi_string));
  }
  void operator()(const pki_suffix_body& b) const { out.ansi(cut(b.suffix, max_ansi_string)); }
  void operator()(const remote_access_body& b) const {
    out.u32(b.network);
    out.u32(b.remote);
    out.u32(b.trigger);
    out.ansi(cut(b.mps_host, max_ansi_string));
  }
  void operator()(const lan_settings_body& b) const {
    out.u32(b.enabled ? 1 : 0);
    out.u32(b.ipv4);
    out.u32(b.dhcp ? 1 : 0);
    out.u8(b.dhcp_active ? 1 : 2);
    out.u8(b.link_up ? 1 : 0);
    for (const auto octet : b.mac)
      out.u8(octet);
  }
  void operator()(const uuid_body& b) const {
    for (const auto octet : swap_smbios(b.id).bytes)
      out.u8(octet);
  }
  void operator()(const local_account_body& b) const {
    out.fixed(cut(b.user, max_account_text), account_field);
    out.fixed(cut(b.password, max_account_text), account_field);
  }
  void operator()(const host_based_body& b) const {
    out.u8(static_cast<std::uint8_t>(b.algorithm));
    out.fixed(b.amt_hash, hash_field);
  }

  /// AMTUnicodeString: its length, then always 20 octets.
  void text(std::string_view s) const {
    s = cut(s, max_version_text);
    out.u16(static_cast<std::uint16_t>(s.size()));
    out.fixed(s, max_version_text);
  }
};

failure malformed(std::string what, std::string field = "pthi") {
  return fail(problem::malformed, std::move(what), std::move(field));
}

std::string read_version_text(wire_reader& in) {
  const std::size_t length = in.u16();
  const auto field = in.octets(max_version_text);
  if (length > max_version_text)
    in.fail();
  auto text = std::string(field.substr(0, std::min(length, field.size())));
  text.erase(std::remove(text.begin(), text.end(), '\0'), text.end()); // as rpc does
  return text;
}

body read_versions(wire_reader& in) {
  code_versions_body b;
  b.bios = in.text(max_bios_text);
  const auto count = in.u32();
  if (count > max_versions)
    in.fail();
  for (std::uint32_t i = 0; in.ok() && i < count; ++i) {
    code_version v;
    v.description = read_version_text(in);
    v.version = read_version_text(in);
    b.versions.push_back(std::move(v));
  }
  return b;
}

body read_handles(wire_reader& in) {
  hash_handles_body b;
  const auto count = in.u32();
  if (count > max_hash_handles)
    in.fail();
  for (std::uint32_t i = 0; in.ok() && i < count; ++i)
    b.handles.push_back(in.u32());
  return b;
}

/// A hash in its field of 64 octets; an algorithm that does not exist fails the reader.
std::string hash_of(wire_reader& in, std::string_view field, hash_algorithm a) {
  if (size_of(a) == 0)
    in.fail();
  return std::string(field.substr(0, size_of(a)));
}

body read_entry(wire_reader& in) {
  hash_entry_body b;
  b.is_default = in.u32() != 0;
  b.is_active = in.u32() != 0;
  const auto field = in.octets(hash_field);
  b.algorithm = static_cast<hash_algorithm>(in.u8());
  b.hash = hash_of(in, field, b.algorithm);
  b.name = in.ansi(max_ansi_string);
  return b;
}

body read_remote_access(wire_reader& in) {
  remote_access_body b;
  b.network = in.u32();
  b.remote = in.u32();
  b.trigger = in.u32();
  b.mps_host = in.ansi(max_ansi_string);
  return b;
}

body read_lan(wire_reader& in) {
  lan_settings_body b;
  b.enabled = in.u32() != 0;
  b.ipv4 = in.u32();
  b.dhcp = in.u32() != 0;
  b.dhcp_active = in.u8() == 1;
  b.link_up = in.u8() == 1;
  for (auto& octet : b.mac)
    octet = in.u8();
  return b;
}

body read_uuid(wire_reader& in) {
  uuid wire;
  for (auto& octet : wire.bytes)
    octet = in.u8();
  return uuid_body{swap_smbios(wire)};
}

body read_account(wire_reader& in) {
  local_account_body b;
  b.user = in.text(account_field);
  b.password = in.text(account_field);
  if (b.user.size() > max_account_text || b.password.size() > max_account_text)
    in.fail(); // no zero octet at the end
  return b;
}

body read_host_based(wire_reader& in) {
  host_based_body b;
  b.algorithm = static_cast<hash_algorithm>(in.u8());
  b.amt_hash = hash_of(in, in.octets(hash_field), b.algorithm);
  return b;
}

body read_body(command what, wire_reader& in) {
  switch (what) {
  case command::unprovision:
  case command::get_provisioning_state:
  case command::get_control_mode:
    return number_body{in.u32()};
  case command::get_code_versions:
    return read_versions(in);
  case command::enumerate_hash_handles:
    return read_handles(in);
  case command::get_hash_entry:
    return read_entry(in);
  case command::get_pki_suffix:
    return pki_suffix_body{std::string(in.ansi(max_ansi_string))};
  case command::get_remote_access_status:
    return read_remote_access(in);
  case command::get_lan_settings:
    return read_lan(in);
  case command::get_uuid:
    return read_uuid(in);
  case command::stop_configuration:
    return no_body{};
  case command::get_local_account:
    return read_account(in);
  case command::start_host_based:
    return read_host_based(in);
  }
  in.fail();
  return no_body{};
}

std::string encode_answer(std::uint32_t code, answer_status status, std::string_view content) {
  std::string out;
  wire_writer w(out);
  w.u8(1);
  w.u8(1);
  w.u16(0);
  w.u32(code | response_bit);
  w.u32(static_cast<std::uint32_t>(content.size() + sizeof(std::uint32_t)));
  w.u32(static_cast<std::uint32_t>(status));
  w.octets(content);
  return out;
}

} // namespace

std::string to_string(answer_status s) {
  switch (s) {
  case answer_status::success:
    return "success";
  case answer_status::internal_error:
    return "internal error";
  case answer_status::not_ready:
    return "not ready";
  case answer_status::invalid_mode:
    return "not in this control mode";
  case answer_status::invalid_length:
    return "invalid length";
  case answer_status::not_permitted:
    return "not permitted";
  case answer_status::invalid_parameter:
    return "invalid parameter";
  case answer_status::invalid_handle:
    return "invalid handle";
  case answer_status::not_found:
    return "not found";
  }
  return "status " + std::to_string(static_cast<std::uint32_t>(s));
}

std::string code_versions_body::find(std::string_view description) const {
  for (const auto& v : versions)
    if (v.description == description)
      return v.version;
  return {};
}

std::string encode(const response& r) {
  std::string content;
  wire_writer w(content);
  if (r.status == answer_status::success)
    std::visit(body_writer{w}, r.content);
  return encode_answer(static_cast<std::uint32_t>(r.what), r.status, content);
}

std::string encode_refusal(std::uint32_t code, answer_status status) {
  return encode_answer(code, status, {});
}

result<response> decode_response(command asked, std::string_view octets) {
  if (octets.size() > max_message)
    return fail(problem::too_large, "longer than AMT sends", "pthi");
  wire_reader in(octets);
  const auto major = in.u8();
  in.u8();
  in.u16();
  const auto code = in.u32();
  const std::size_t length = in.u32();
  if (!in.ok() || length > in.left())
    return malformed("shorter than it says", "length");
  if (major != 1)
    return malformed("version " + std::to_string(major), "version");
  if (code != (static_cast<std::uint32_t>(asked) | response_bit))
    return malformed("is not the answer to " + std::string(to_string(asked)), "command");
  wire_reader content(octets.substr(head_size, length));
  response r{asked, static_cast<answer_status>(content.u32()), no_body{}};
  if (!content.ok())
    return malformed("has no status", "status");
  if (r.status != answer_status::success)
    return r;
  r.content = read_body(asked, content);
  if (!content.ok())
    return malformed("the answer to " + std::string(to_string(asked)) + " is broken");
  return r;
}

} // namespace outband::pthi
