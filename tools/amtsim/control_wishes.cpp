#include "tools/amtsim/control_wishes.hpp"

#include "tools/amtsim/audit_state.hpp"
#include "tools/amtsim/event_log_state.hpp"
#include "tools/amtsim/hardware_state.hpp"
#include "tools/amtsim/screen_state.hpp"
#include "tools/amtsim/subscription_state.hpp"
#include "tools/amtsim/wish_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace outband::amtsim {

namespace {

using reader = wish_reader;

wish add_event(reader& r) {
  platform_event e;
  e.sensor_type = static_cast<std::uint8_t>(r.number("sensor", 37, 0, 255));
  e.offset = static_cast<std::uint8_t>(r.number("offset", 0, 0, 255));
  e.severity = static_cast<std::uint8_t>(r.number("severity", 1, 0, 255));
  e.entity = static_cast<std::uint8_t>(r.number("entity", 34, 0, 255));
  const auto data = r.numbers<std::uint8_t>("data", e.data.size(), 255);
  std::copy(data.begin(), data.end(), e.data.begin());
  return [e](device_model& d, sim_time now) {
    append_event(d, e, d.clock_s(now));
  };
}

wish add_audit(reader& r) {
  const auto app = static_cast<std::uint16_t>(r.number("app", 16, 0, 65535));
  const auto event = static_cast<std::uint16_t>(r.number("event", 0, 0, 65535));
  const auto user = r.text("user");
  const auto octets = r.numbers<std::uint8_t>("data", 255, 255);
  const std::string data(octets.begin(), octets.end());
  return [=](device_model& d, sim_time now) {
    const auto at = d.clock_s(now);
    append_audit(d.audit.change(), audit_record(app, event, user, at, data), at);
  };
}

wish raise(reader& r) {
  alert what{r.text("message"), r.text("argument"),
             static_cast<std::uint32_t>(r.number("severity", 2, 0, 7)), r.flag("platform")};
  if (what.id.empty())
    r.complain("'message' is missing");
  return [what](device_model& d, sim_time now) {
    raise_alert(d, what, d.clock_s(now));
  };
}

std::vector<screen> screens_of(reader& r) {
  std::vector<screen> out;
  if (!r.has("screens"))
    return out;
  const auto& list = r.all()["screens"];
  if (!list.is_array() || list.size() > 4) {
    r.complain("'screens' must be an array of at most 4");
    return out;
  }
  for (const auto& one : list) {
    std::string why;
    reader s(one, why);
    screen next{true, 0, 0, 0, 0};
    if (!one.is_object())
      why = "an entry of 'screens' is no object";
    next.width = static_cast<std::int32_t>(s.number("width", 1920, 1, 32767));
    next.height = static_cast<std::int32_t>(s.number("height", 1080, 1, 32767));
    next.left = static_cast<std::int32_t>(s.number("left", 0, -32768, 32767));
    next.top = static_cast<std::int32_t>(s.number("top", 0, -32768, 32767));
    if (!why.empty())
      r.complain(why);
    out.push_back(next);
  }
  return out;
}

wish set(reader& r) {
  std::vector<wish> all;
  if (r.has("os_power_saving"))
    all.emplace_back([s = static_cast<int>(r.number("os_power_saving", 2, 0, 3))](
                         device_model& d, sim_time) { d.os_power_saving = s; });
  if (r.has("control_mode"))
    all.emplace_back([m = static_cast<int>(r.number("control_mode", 2, 0, 2))](
                         device_model& d, sim_time) { d.control_mode = m; });
  if (r.has("clock_offset_s"))
    all.emplace_back([by = r.number("clock_offset_s", 0, -2000000000, 2000000000)](
                         device_model& d, sim_time) { d.adjust_clock(by); });
  if (r.has("memory"))
    all.emplace_back([n = r.numbers<std::uint64_t>("memory", 16, std::uint64_t{1} << 50)](
                         device_model& d, sim_time) { d.hardware.change().memory_octets = n; });
  if (r.has("disks"))
    all.emplace_back([n = r.numbers<std::uint64_t>("disks", 16, std::uint64_t{1} << 50)](
                         device_model& d, sim_time) { d.hardware.change().disk_kilobytes = n; });
  if (r.has("screens"))
    all.emplace_back([list = screens_of(r)](device_model& d, sim_time) {
      auto& to = d.screens.change().screens;
      to.fill(screen{});
      std::copy(list.begin(), list.end(), to.begin());
    });
  if (r.has("hardware")) {
    const auto& parts = r.all()["hardware"];
    if (!parts.is_object() || parts.size() > 64)
      r.complain("'hardware' must be an object of at most 64 members");
    else
      for (const auto& [name, value] : parts.items()) {
        if (!value.is_string() || value.get_ref<const std::string&>().size() > 256) {
          r.complain("'hardware." + name.substr(0, 64) + "' must be a text of at most 256 octets");
          break;
        }
        all.emplace_back([name = name, text = value.get<std::string>()](device_model& d, sim_time) {
          d.hardware.change().set[name] = text;
        });
      }
  }
  add_setup_wishes(r, all);
  return [all = std::move(all)](device_model& d, sim_time now) {
    for (const auto& one : all)
      one(d, now);
  };
}

} // namespace

wish read_wish(const std::string& op, const json& asked, std::string& why) {
  reader r(asked, why);
  auto out = op == "set"         ? set(r)
             : op == "add_event" ? add_event(r)
             : op == "alert"     ? raise(r)
                                 : add_audit(r);
  return why.empty() ? out : wish{};
}

} // namespace outband::amtsim
