#include "tests/support/rpc_facts.hpp"

#include "messages/domain/text.hpp"
#include "messages/pthi/watchdog.hpp"
#include "tests/support/mei_client.hpp"

#include <utility>

namespace outband::test {

namespace {

template <class T> result<T> ask(mei_client& mei, const pthi::request& r) {
  auto answer = mei.ask(r);
  if (!answer)
    return answer.error();
  return std::get<T>(std::move(answer->content));
}

std::string trimmed(std::string s) {
  const auto blank = " \t\r\n";
  const auto from = s.find_first_not_of(blank);
  if (from == std::string::npos)
    return {};
  s = s.substr(from, s.find_last_not_of(blank) - from + 1);
  if (!s.empty() && s.back() == '.')
    s.pop_back();
  return s;
}

status read_hashes(mei_client& mei, rpc_facts& out) {
  const auto handles =
      ask<pthi::hash_handles_body>(mei, pthi::plain_request{pthi::command::enumerate_hash_handles});
  if (!handles)
    return handles.error();
  for (const auto handle : handles->handles) {
    const auto entry = ask<pthi::hash_entry_body>(mei, pthi::hash_entry_request{handle});
    if (!entry)
      return entry.error();
    out.hashes.push_back(
        to_hex(reinterpret_cast<const unsigned char*>(entry->hash.data()), entry->hash.size()));
  }
  return success();
}

status read_watchdog(const std::string& path, rpc_facts& out) {
  mei_client mei;
  if (auto up = mei.connect(path, pthi::mei_client::watchdog); !up)
    return up;
  const auto octets = mei.call(pthi::encode(pthi::watchdog_request{pthi::ask_change_enabled{}}));
  if (!octets)
    return octets.error();
  const auto bits = pthi::decode_change_enabled(*octets);
  if (!bits)
    return bits.error();
  out.tls_enforced = bits->tls_enforced;
  return success();
}

} // namespace

result<rpc_facts> read_facts(const std::string& path) {
  using pthi::command;
  using pthi::plain_request;
  rpc_facts out;
  if (auto done = read_watchdog(path, out); !done)
    return done.error();
  mei_client mei;
  if (auto up = mei.connect(path, pthi::mei_client::amthi); !up)
    return up.error();
  const auto lan = ask<pthi::lan_settings_body>(mei, pthi::lan_settings_request{0});
  if (!lan)
    return lan.error();
  out.link_up = lan->link_up;
  const auto versions =
      ask<pthi::code_versions_body>(mei, plain_request{command::get_code_versions});
  if (!versions)
    return versions.error();
  out.version = versions->find("AMT");
  out.build = versions->find("Build Number");
  out.sku = versions->find("Sku");
  const auto id = ask<pthi::uuid_body>(mei, plain_request{command::get_uuid});
  if (!id)
    return id.error();
  out.uuid = to_string(id->id);
  const auto mode = ask<pthi::number_body>(mei, plain_request{command::get_control_mode});
  if (!mode)
    return mode.error();
  out.control_mode = static_cast<int>(mode->value);
  auto account = ask<pthi::local_account_body>(mei, pthi::local_account_request{});
  if (!account)
    return account.error();
  out.local_user = std::move(account->user);
  out.local_password = std::move(account->password);
  if (auto done = read_hashes(mei, out); !done)
    return done.error();
  auto suffix = ask<pthi::pki_suffix_body>(mei, plain_request{command::get_pki_suffix});
  if (!suffix)
    return suffix.error();
  out.pki_suffix = trimmed(std::move(suffix->suffix));
  return out;
}

} // namespace outband::test
