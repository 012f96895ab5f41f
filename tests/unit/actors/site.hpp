/// One machine of tenant acme on the stage, with credentials, all roles started, and a firmware.
#pragma once

#include "tests/unit/actors/firmware.hpp"
#include "tests/unit/actors/stage.hpp"

#include <doctest/doctest.h>

namespace outband::testing {

using namespace std::chrono_literals;

inline const device_ref machine{"acme", *parse_uuid("12345678-9abc-def0-1234-56789abcdef0")};

struct site : stage {
  site() {
    store.add(machine);
    secrets.kept[{to_string(machine), secret_name::mps_password}].active = secret_text("P@ssw0rd");
    secrets.kept[{to_string(machine), secret_name::amt_password}].active = secret_text("Amt1!");
    controller_role.start(1);
    control_role.start();
    terminator_role.start();
    run();
  }

  result<admission> admit(const std::string& user, const std::string& password,
                          device_id guid = machine.device) {
    std::optional<result<admission>> out;
    terminator_role.admit({guid, user, secret_text(password), "192.0.2.7:4711", 4},
                          [&](result<admission> r) { out = std::move(r); });
    run();
    REQUIRE(out);
    return *out;
  }
  link_epoch comes() {
    auto a = admit("admin", "P@ssw0rd");
    REQUIRE(a);
    link = std::make_shared<fake_link>();
    terminator_role.up(*a, "192.0.2.7:4711", 4, link);
    run();
    return a->epoch;
  }
  /// Lets the firmware answer until nothing more is asked, time standing still.
  void firmware_works() {
    for (int i = 0; i < 100; ++i) {
      run();
      if (!link || link->waiting.empty())
        return;
      auto p = std::move(link->waiting.front());
      link->waiting.pop_front();
      p.cb(firmware.answer(p.envelope));
    }
    FAIL("the firmware is asked without end");
  }
  void pass(std::chrono::milliseconds dt) {
    while (dt.count() > 0) {
      auto part = std::min<std::chrono::milliseconds>(dt, 100ms);
      dt -= part;
      firmware.pass(part);
      advance(part);
      firmware_works();
    }
  }
  std::vector<response> submit(request_body body, role held = role::operator_, uuid id = {}) {
    auto out = std::make_shared<std::vector<response>>();
    request r;
    r.id = id.is_nil() ? clock.new_id() : id;
    r.target = machine;
    r.body = std::move(body);
    r.by = {principal::kind::person, "acme", "alice"};
    r.channel = "rest";
    control_role.submit(std::move(r), held, [out](response a) { out->push_back(std::move(a)); });
    firmware_works();
    answers = out;
    return *out;
  }
  current_state current() { return store.of(machine).row.current; }

  std::shared_ptr<fake_link> link;
  fake_firmware firmware;
  std::shared_ptr<std::vector<response>> answers;
};

inline ask_desired want(power_target t, power_policy p = power_policy::ordered) {
  ask_desired a;
  a.patch.target = t;
  a.patch.policy = p;
  return a;
}

} // namespace outband::testing
