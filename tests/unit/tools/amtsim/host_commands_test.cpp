#include "tools/amtsim/host_commands.hpp"

#include "messages/pthi/codec.hpp"
#include "messages/pthi/watchdog.hpp"
#include "tests/unit/tools/amtsim/bench_machine.hpp"
#include "tools/amtsim/activation_state.hpp"

#include <doctest/doctest.h>

#include <utility>

namespace outband::amtsim {
namespace {

using pthi::answer_status;
using pthi::command;
using pthi::mei_client;

struct bench_host : test::bench_machine {
  using test::bench_machine::bench_machine;

  std::string send(mei_client client, std::string_view octets) {
    return answer_mei(client, octets, model, change());
  }
  pthi::response ask(const pthi::request& r) {
    const auto answer =
        pthi::decode_response(pthi::command_of(r), send(mei_client::amthi, pthi::encode(r)));
    REQUIRE(answer.ok());
    return *answer;
  }
  template <class T> T get(const pthi::request& r) {
    auto answer = ask(r);
    REQUIRE(answer.status == answer_status::success);
    REQUIRE(std::holds_alternative<T>(answer.content));
    return std::get<T>(std::move(answer.content));
  }
  template <class T> T get(command c) { return get<T>(pthi::request{pthi::plain_request{c}}); }

  change_machine change() {
    return [this](const std::function<void(device_model&, sim_time)>& what) {
      ++changes;
      what(model, now);
    };
  }
  int changes = 0;
};

} // namespace

TEST_CASE("a host learns who its machine is and what it runs") {
  bench_host host;
  CHECK(host.get<pthi::uuid_body>(command::get_uuid).id == test::who().guid);
  const auto versions = host.get<pthi::code_versions_body>(command::get_code_versions);
  CHECK(versions.find("AMT") == test::exact().kind.version);
  CHECK(versions.find("Build Number") == test::exact().kind.build);
  CHECK(versions.find("Sku") == test::exact().kind.sku);
  CHECK(host.get<pthi::number_body>(command::get_control_mode).value == 2);
  CHECK(host.get<pthi::number_body>(command::get_provisioning_state).value == 2);
  CHECK(host.changes == 0); // reading is not worth a state file
}

TEST_CASE("a host learns the local system account of a new machine") {
  bench_host host;
  leave_factory(host.model);
  CHECK(host.get<pthi::number_body>(command::get_control_mode).value == 0);
  const auto account =
      host.get<pthi::local_account_body>(pthi::request{pthi::local_account_request{}});
  CHECK(account.user == "$$OsAdmin");
  CHECK(account.password.size() >= 8);
}

TEST_CASE("each root hash has a handle and a handle that does not exist is refused") {
  bench_host host;
  const auto handles = host.get<pthi::hash_handles_body>(command::enumerate_hash_handles).handles;
  REQUIRE(handles.size() == trusted_hashes(host.model).size());
  for (std::size_t i = 0; i < handles.size(); ++i) {
    const auto entry =
        host.get<pthi::hash_entry_body>(pthi::request{pthi::hash_entry_request{handles[i]}});
    CHECK(entry.name == trusted_hashes(host.model)[i].name);
    CHECK(entry.hash == trusted_hashes(host.model)[i].hash);
  }
  CHECK(host.ask(pthi::hash_entry_request{4711}).status == answer_status::invalid_handle);
}

TEST_CASE("the wired port is told and a port that does not exist is refused") {
  bench_host host;
  const auto lan = host.get<pthi::lan_settings_body>(pthi::request{pthi::lan_settings_request{0}});
  CHECK(lan.link_up);
  host.model.activation.change().wired_link = false;
  CHECK_FALSE(
      host.get<pthi::lan_settings_body>(pthi::request{pthi::lan_settings_request{0}}).link_up);
  CHECK(host.ask(pthi::lan_settings_request{7}).status == answer_status::invalid_parameter);
}

TEST_CASE("the suffix of the MEBx is told as it was entered") {
  bench_host host;
  host.model.activation.change().pki_suffix = "acme.test.";
  CHECK(host.get<pthi::pki_suffix_body>(command::get_pki_suffix).suffix == "acme.test.");
}

TEST_CASE("a machine in client control mode is given up by its host and one in admin mode not") {
  bench_host host;
  CHECK(host.ask(pthi::unprovision_request{0}).status == answer_status::invalid_mode);
  CHECK(host.model.control_mode == 2);
  host.model.control_mode = 1;
  CHECK(host.ask(pthi::unprovision_request{1}).status == answer_status::invalid_parameter);
  CHECK(host.ask(pthi::unprovision_request{0}).status == answer_status::success);
  CHECK(host.model.control_mode == 0);
}

TEST_CASE("what is no command is answered with a refusal or not at all") {
  bench_host host;
  const auto unknown =
      host.send(mei_client::amthi, std::string("\x01\x01\0\0\x01\0\0\x01\0\0\0\0", 12));
  CHECK(unknown == pthi::encode_refusal(0x01000001, answer_status::not_permitted));
  auto broken = pthi::encode(pthi::hash_entry_request{1});
  broken.resize(14);
  CHECK(host.send(mei_client::amthi, broken) ==
        pthi::encode_refusal(static_cast<std::uint32_t>(command::get_hash_entry),
                             answer_status::invalid_length));
  CHECK(host.send(mei_client::amthi, "garbage").empty());
  CHECK(host.send(mei_client::watchdog, "garbage").empty());
}

TEST_CASE("the watchdog tells whether local ports insist on TLS") {
  bench_host host;
  const auto bits = [&] {
    return *pthi::decode_change_enabled(
        host.send(mei_client::watchdog, pthi::encode(pthi::ask_change_enabled{})));
  };
  CHECK_FALSE(bits().tls_enforced);
  CHECK(bits().amt_enabled);
  host.model.activation.change().tls_enforced = true;
  CHECK(bits().tls_enforced);
  const auto off = pthi::decode_operational_state_answer(
      host.send(mei_client::watchdog, pthi::encode(pthi::set_operational_state{false})));
  REQUIRE(off.ok());
  CHECK(*off == 0);
  CHECK_FALSE(bits().amt_enabled);
}

TEST_CASE("configuration by certificate is for machines that insist on TLS") {
  bench_host host;
  leave_factory(host.model);
  pthi::host_based_request asked;
  asked.leaf_hash = std::string(32, 'h');
  CHECK(host.ask(asked).status == answer_status::not_permitted);
  host.model.activation.change().tls_enforced = true;
  const auto started = host.get<pthi::host_based_body>(pthi::request{asked});
  CHECK(started.amt_hash.size() == 32);
  CHECK(host.get<pthi::number_body>(command::get_provisioning_state).value == 1);
  CHECK(host.ask(pthi::plain_request{command::stop_configuration}).status ==
        answer_status::success);
  CHECK(host.get<pthi::number_body>(command::get_provisioning_state).value == 0);
}

TEST_CASE("AMT that is not ready refuses commands and its watchdog goes on") {
  bench_host host;
  CHECK(answer_not_ready(mei_client::amthi, pthi::encode(pthi::hash_entry_request{0}), host.model,
                         host.change()) ==
        pthi::encode_refusal(static_cast<std::uint32_t>(command::get_hash_entry),
                             answer_status::not_ready));
  CHECK_FALSE(answer_not_ready(mei_client::watchdog, pthi::encode(pthi::ask_change_enabled{}),
                               host.model, host.change())
                  .empty());
}

} // namespace outband::amtsim
