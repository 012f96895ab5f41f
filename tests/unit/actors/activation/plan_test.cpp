#include "actors/activation/plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace outband;
using namespace outband::activation;

namespace {

std::vector<situation> every_situation() {
  std::vector<situation> out;
  for (auto act :
       {provisioning_act::activate, provisioning_act::deactivate, provisioning_act::maintain})
    for (int mode = 0; mode <= 2; ++mode)
      for (auto wanted : {activation_kind::client_mode, activation_kind::admin_mode})
        for (int bits = 0; bits < 64; ++bits)
          for (auto task : {maintenance_task::sync_time, maintenance_task::change_password,
                            maintenance_task::sync_ip}) {
            situation s;
            s.act = act;
            s.mode = mode;
            s.wanted = wanted;
            s.tls_enforced = bits & 1;
            s.tls_tunnel = bits & 2;
            s.mebx = bits & 4;
            s.tls = bits & 8;
            s.cira = bits & 16;
            s.ieee8021x = bits & 32;
            s.task = task;
            out.push_back(s);
          }
  return out;
}

long at(const std::vector<step>& plan, step s) {
  const auto found = std::find(plan.begin(), plan.end(), s);
  return found == plan.end() ? -1 : found - plan.begin();
}

bool has(const std::vector<step>& plan, step s) {
  return at(plan, s) >= 0;
}

} // namespace

TEST_CASE("every plan ends with finish and has it once") {
  for (const auto& s : every_situation()) {
    const auto plan = plan_for(s);
    if (!plan)
      continue;
    CHECK(plan->back() == step::finish);
    CHECK(std::count(plan->begin(), plan->end(), step::finish) == 1);
  }
}

TEST_CASE("no plan tells a machine a password before the store has it") {
  for (const auto& s : every_situation()) {
    const auto plan = plan_for(s);
    if (!plan)
      continue;
    for (auto telling : {step::setup_client_mode, step::admin_setup, step::set_admin_password}) {
      if (!has(*plan, telling))
        continue;
      REQUIRE(has(*plan, step::reserve_passwords));
      CHECK(at(*plan, step::reserve_passwords) < at(*plan, telling));
    }
    if (has(*plan, step::configure_cira)) {
      REQUIRE(has(*plan, step::reserve_mps_password));
      CHECK(at(*plan, step::reserve_mps_password) < at(*plan, step::configure_cira));
    }
    if (has(*plan, step::set_mebx_password))
      CHECK(at(*plan, step::reserve_passwords) < at(*plan, step::set_mebx_password));
  }
}

TEST_CASE("no plan keeps a password that has not been proven after the machine was told") {
  for (const auto& s : every_situation()) {
    const auto plan = plan_for(s);
    if (!plan || !has(*plan, step::keep_passwords))
      continue;
    const auto kept = at(*plan, step::keep_passwords);
    long proven = -1;
    for (long i = 0; i < kept; ++i) {
      const auto what = (*plan)[static_cast<std::size_t>(i)];
      if (what == step::setup_client_mode || what == step::admin_setup ||
          what == step::set_admin_password)
        proven = -1;
      if (what == step::confirm_client_mode || what == step::confirm_admin_mode ||
          what == step::confirm_password)
        proven = i;
    }
    CHECK(proven >= 0);
    CHECK(at(*plan, step::sign_in_new) < kept);
  }
}

TEST_CASE("what may go unanswered is followed by a step that finds out what happened") {
  const std::set<step> finding = {
      step::confirm_client_mode, step::confirm_admin_mode, step::confirm_password,
      step::confirm_unprovisioned, step::open_tls, step::switch_port,
      // Applied or not shows in what comes next.
      step::reserve_mps_password, step::record_device, step::configure_network, step::finish};
  for (const auto& s : every_situation()) {
    const auto plan = plan_for(s);
    if (!plan)
      continue;
    for (std::size_t i = 0; i < plan->size(); ++i) {
      if (row_of((*plan)[i]).silence != on_silence::looks)
        continue;
      auto next = i + 1;
      while (next < plan->size() &&
             ((*plan)[next] == step::settle || (*plan)[next] == step::sign_in_new ||
              (*plan)[next] == step::commit_changes || (*plan)[next] == step::sync_time))
        ++next;
      REQUIRE(next < plan->size());
      CHECK_MESSAGE(finding.count((*plan)[next]) == 1, row_of((*plan)[i]).name, " is followed by ",
                    row_of((*plan)[next]).name);
    }
  }
}

TEST_CASE("the provisioning certificate is used only on the way to admin control mode") {
  for (const auto& s : every_situation()) {
    const auto plan = plan_for(s);
    if (!plan)
      continue;
    const bool uses = has(*plan, step::add_certificates);
    CHECK(uses == (has(*plan, step::admin_setup) || has(*plan, step::upgrade_to_admin)));
    if (uses) {
      CHECK(s.wanted == activation_kind::admin_mode);
      // A nonce is read for each signature.
      CHECK(at(*plan, step::read_host_setup) < at(*plan, step::add_certificates));
    }
  }
}

TEST_CASE("a machine that speaks TLS only is not talked to before there is a session") {
  for (auto s : every_situation()) {
    s.tls_enforced = true;
    const auto plan = plan_for(s);
    if (plan)
      CHECK(plan->front() == step::open_tls);
  }
}

TEST_CASE("there is no way from admin to client control mode") {
  situation s;
  s.mode = 2;
  s.wanted = activation_kind::client_mode;
  const auto plan = plan_for(s);
  REQUIRE(!plan);
  CHECK(plan.error().what == problem::transition_refused);
  CHECK(plan.error().detail == "already enabled in admin control mode.");
}

TEST_CASE("a machine that was never activated cannot be deactivated or maintained") {
  for (auto act : {provisioning_act::deactivate, provisioning_act::maintain}) {
    situation s;
    s.act = act;
    const auto plan = plan_for(s);
    REQUIRE(!plan);
    CHECK(plan.error().detail == "is in pre-provisioning mode.");
  }
}

TEST_CASE("a mode that does not exist is refused") {
  for (int mode : {-1, 3, 77}) {
    situation s;
    s.mode = mode;
    CHECK(!plan_for(s));
  }
}

TEST_CASE("a new machine's way to client control mode reads as the reference has it") {
  situation s;
  s.cira = true;
  const auto plan = plan_for(s);
  REQUIRE(plan);
  const std::vector<step> wanted = {step::sign_in_local,
                                    step::read_settings,
                                    step::read_host_setup,
                                    step::reserve_passwords,
                                    step::setup_client_mode,
                                    step::settle,
                                    step::sign_in_new,
                                    step::confirm_client_mode,
                                    step::keep_passwords,
                                    step::record_device,
                                    step::sync_time,
                                    step::clear_configuration,
                                    step::configure_network,
                                    step::configure_features,
                                    step::reserve_mps_password,
                                    step::configure_cira,
                                    step::finish};
  CHECK(*plan == wanted);
}

TEST_CASE("wired 802.1x is written once and after what an earlier configuration left is gone") {
  for (const auto& s : every_situation()) {
    const auto plan = plan_for(s);
    if (!plan)
      continue;
    CHECK(std::count(plan->begin(), plan->end(), step::configure_8021x) ==
          (s.ieee8021x && s.act == provisioning_act::activate ? 1 : 0));
    if (has(*plan, step::configure_8021x))
      CHECK(at(*plan, step::clear_configuration) < at(*plan, step::configure_8021x));
  }
}

TEST_CASE("after a success the next step follows") {
  for (int i = 0; i <= static_cast<int>(step::finish); ++i)
    CHECK(after(row_of(static_cast<step>(i)), nullptr, 1, {}).next == move::go_on);
}

TEST_CASE("silence repeats what only looks and goes on to the look after what changes") {
  const attempt_times times{3, std::chrono::milliseconds(1000)};
  const auto silent = fail(problem::device_timeout);
  const auto lost = fail(problem::outcome_unknown);
  auto v = after(row_of(step::read_settings), &silent, 1, times);
  CHECK(v.next == move::repeat);
  CHECK(v.pause.count() == 1000);
  v = after(row_of(step::read_settings), &silent, 2, times);
  CHECK(v.pause.count() == 2000);
  CHECK(after(row_of(step::read_settings), &silent, 3, times).next == move::end);
  for (const auto* why : {&silent, &lost}) {
    v = after(row_of(step::admin_setup), why, 1, times);
    CHECK(v.next == move::go_on);
    CHECK(!v.failed);
  }
}

TEST_CASE("a step that is never sent twice ends or is recorded when its answer is lost") {
  const auto lost = fail(problem::outcome_unknown);
  CHECK(after(row_of(step::add_certificates), &lost, 1, {}).next == move::end);
  const auto mebx = after(row_of(step::set_mebx_password), &lost, 1, {});
  CHECK(mebx.next == move::go_on);
  CHECK(mebx.failed);
}

TEST_CASE("a failure of the configuration is recorded and of the activation ends the run") {
  const auto refused = fail(problem::device_refused);
  const auto features = after(row_of(step::configure_features), &refused, 1, {});
  CHECK(features.next == move::go_on);
  CHECK(features.failed);
  CHECK(after(row_of(step::admin_setup), &refused, 1, {}).next == move::end);
}

TEST_CASE("when the client has left nothing goes on") {
  const auto gone = fail(problem::link_down);
  for (int i = 0; i <= static_cast<int>(step::finish); ++i)
    CHECK(after(row_of(static_cast<step>(i)), &gone, 1, {}).next == move::end);
}

TEST_CASE("a refused sign-in is tried again only where the firmware may be locked for a moment") {
  const auto refused = fail(problem::device_auth);
  CHECK(after(row_of(step::confirm_admin_mode), &refused, 1, {}).next == move::repeat);
  CHECK(after(row_of(step::confirm_admin_mode), &refused, 2, {}).next == move::end);
  CHECK(after(row_of(step::read_settings), &refused, 1, {}).next == move::end);
}
