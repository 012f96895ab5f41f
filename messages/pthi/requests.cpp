#include "messages/pthi/codec.hpp"
#include "messages/pthi/wire.hpp"

#include <algorithm>

namespace outband::pthi {

namespace {

constexpr std::size_t head_size = 12;
constexpr std::size_t local_account_reserved = 40;
constexpr std::size_t hash_field = 64;

struct body_writer {
  wire_writer& out;

  void operator()(const plain_request&) const {}
  void operator()(const unprovision_request& r) const { out.u32(r.mode); }
  void operator()(const hash_entry_request& r) const { out.u32(r.handle); }
  void operator()(const lan_settings_request& r) const { out.u32(r.index); }
  void operator()(const local_account_request&) const { out.fixed({}, local_account_reserved); }
  void operator()(const host_based_request& r) const {
    out.u8(static_cast<std::uint8_t>(r.algorithm));
    out.fixed(r.leaf_hash, hash_field);
    out.u8(r.host_vpn ? 1 : 0);
    std::string list;
    for (const auto& s : r.suffixes)
      if (list.size() + s.size() < max_suffix_list)
        list.append(s).append(1, '\0');
    out.u32(static_cast<std::uint32_t>(list.size()));
    out.fixed(list, max_suffix_list);
  }
};

failure malformed(std::string what, std::string field = "pthi") {
  return fail(problem::malformed, std::move(what), std::move(field));
}

result<request> read_host_based(wire_reader& in) {
  host_based_request r;
  r.algorithm = static_cast<hash_algorithm>(in.u8());
  const auto hash = in.octets(hash_field);
  r.host_vpn = in.u8() != 0;
  const std::size_t length = in.u32();
  const auto list = in.octets(max_suffix_list);
  if (!in.ok())
    return malformed("StartConfigurationHBased is too short");
  if (size_of(r.algorithm) == 0)
    return malformed("no such hash algorithm", "hashAlgorithm");
  if (length > max_suffix_list)
    return malformed("longer than its field", "suffixes");
  r.leaf_hash = std::string(hash.substr(0, size_of(r.algorithm)));
  for (auto rest = list.substr(0, length); !rest.empty();) {
    const auto end = std::min(rest.find('\0'), rest.size());
    if (end > 0)
      r.suffixes.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return request{std::move(r)};
}

result<request> read_body(std::uint32_t code, wire_reader& in) {
  switch (static_cast<command>(code)) {
  case command::get_provisioning_state:
  case command::get_code_versions:
  case command::enumerate_hash_handles:
  case command::get_pki_suffix:
  case command::get_remote_access_status:
  case command::get_uuid:
  case command::stop_configuration:
  case command::get_control_mode:
    return request{plain_request{static_cast<command>(code)}};
  case command::unprovision:
    return request{unprovision_request{in.u32()}};
  case command::get_hash_entry:
    return request{hash_entry_request{in.u32()}};
  case command::get_lan_settings:
    return request{lan_settings_request{in.u32()}};
  case command::get_local_account:
    in.octets(local_account_reserved);
    return request{local_account_request{}};
  case command::start_host_based:
    return read_host_based(in);
  }
  return fail(problem::unsupported, "command " + std::to_string(code), "command");
}

} // namespace

std::string_view to_string(command c) {
  switch (c) {
  case command::unprovision:
    return "Unprovision";
  case command::get_provisioning_state:
    return "GetProvisioningState";
  case command::get_code_versions:
    return "GetCodeVersions";
  case command::enumerate_hash_handles:
    return "EnumerateHashHandles";
  case command::get_hash_entry:
    return "GetCertHashEntry";
  case command::get_pki_suffix:
    return "GetPKIFQDNSuffix";
  case command::get_remote_access_status:
    return "GetRemoteAccessConnectionStatus";
  case command::get_lan_settings:
    return "GetLANInterfaceSettings";
  case command::get_uuid:
    return "GetUUID";
  case command::stop_configuration:
    return "StopConfiguration";
  case command::get_local_account:
    return "GetLocalSystemAccount";
  case command::get_control_mode:
    return "GetControlMode";
  case command::start_host_based:
    return "StartConfigurationHBased";
  }
  return "unknown";
}

std::size_t size_of(hash_algorithm a) {
  switch (a) {
  case hash_algorithm::md5:
    return 16;
  case hash_algorithm::sha1:
    return 20;
  case hash_algorithm::sha256:
    return 32;
  case hash_algorithm::sha384:
    return 48;
  case hash_algorithm::sha224:
    return 28;
  case hash_algorithm::sha512:
    return 64;
  }
  return 0;
}

command command_of(const request& r) {
  struct {
    command operator()(const plain_request& p) const { return p.what; }
    command operator()(const unprovision_request&) const { return command::unprovision; }
    command operator()(const hash_entry_request&) const { return command::get_hash_entry; }
    command operator()(const lan_settings_request&) const { return command::get_lan_settings; }
    command operator()(const local_account_request&) const { return command::get_local_account; }
    command operator()(const host_based_request&) const { return command::start_host_based; }
  } which;
  return std::visit(which, r);
}

std::string encode(const request& r) {
  std::string content;
  wire_writer inside(content);
  std::visit(body_writer{inside}, r);
  std::string out;
  wire_writer w(out);
  w.u8(1);
  w.u8(1);
  w.u16(0);
  w.u32(static_cast<std::uint32_t>(command_of(r)));
  w.u32(static_cast<std::uint32_t>(content.size()));
  w.octets(content);
  return out;
}

std::optional<std::uint32_t> peek_command(std::string_view octets) {
  wire_reader in(octets);
  in.u32();
  const auto code = in.u32();
  in.u32();
  if (!in.ok() || (code & response_bit) != 0)
    return std::nullopt;
  return code;
}

result<request> decode_request(std::string_view octets) {
  if (octets.size() > max_message)
    return fail(problem::too_large, "longer than AMT accepts", "pthi");
  wire_reader in(octets);
  const auto major = in.u8();
  in.u8(); // minor: newer ones only add
  in.u16();
  const auto code = in.u32();
  const std::size_t length = in.u32();
  if (!in.ok())
    return malformed("shorter than its head");
  if (major != 1)
    return malformed("version " + std::to_string(major), "version");
  if (length > in.left())
    return malformed("announces more octets than it has", "length");
  wire_reader content(octets.substr(head_size, length));
  auto read = read_body(code, content);
  if (read && !content.ok())
    return malformed(std::string(to_string(static_cast<command>(code))) + " is too short");
  return read;
}

} // namespace outband::pthi
