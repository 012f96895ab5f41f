#include "messages/wsman/operations.hpp"

#include "messages/wsman/envelope.hpp"
#include "messages/wsman/readings.hpp"
#include "messages/wsman/steps.hpp"

#include <utility>
#include <vector>

namespace outband::wsman {

namespace {

constexpr int max_pulls = 10;
constexpr std::size_t max_items = 256;
constexpr std::size_t max_context = 128;

endpoint managed_system() {
  return {class_uri("CIM_ComputerSystem"),
          {{"CreationClassName", "CIM_ComputerSystem"}, {"Name", "ManagedSystem"}}};
}

} // namespace

struct operation_run::state {
  state(amt_operation o, std::uint32_t id) : op(std::move(o)), steps(plan(op)), message_id(id) {}

  amt_operation op;
  std::vector<step> steps;
  std::size_t at = 0; ///< into `steps`; the step under way
  std::uint32_t message_id;
  bool handed_out = false;
  std::optional<result<amt_outcome>> out;

  // Of the enumeration under way.
  std::string context;
  int pulls = 0;
  node items;

  amt::power_reading reading;
  power_capabilities capabilities;
  amt::versions versions;
  std::string boot_settings; ///< XML to Put
  bool boot_settings_were_clear = true;

  step now() const { return steps[at]; }

  /// "CIM_SoftwareIdentity Pull: ..."
  void give_up(failure f) {
    f.detail = std::string(class_of(now())) + " " + std::string(verb_of(now())) + ": " + f.detail;
    out = std::move(f);
  }
  void advance(std::size_t by = 1) {
    at += by;
    ++message_id;
    handed_out = false;
  }

  std::string write() const {
    const auto s = now();
    const auto uri = class_uri(class_of(s));
    request_header header{{}, uri, message_id};
    switch (s) {
    case step::get_os_power:
    case step::get_boot_capabilities:
    case step::get_setup:
    case step::get_boot_settings:
      header.action = action::get;
      return write_request(header, {});
    case step::enumerate_association:
    case step::enumerate_software:
      header.action = action::enumerate;
      return write_request(header, enumerate_body());
    case step::pull_association:
    case step::pull_software:
      header.action = action::pull;
      return write_request(header, pull_body(context));
    case step::put_boot_settings:
      header.action = action::put;
      return write_request(header, class_body(class_of(s), uri, boot_settings));
    case step::request_full_power:
      return write_method(header, "OSPowerSavingState", 2);
    case step::request_change:
      return write_method(header, "PowerState",
                          static_cast<int>(std::get<amt::request_power>(op).action));
    }
    return {};
  }

  std::string write_method(request_header& header, std::string_view parameter, int value) const {
    const std::string method(verb_of(now()));
    header.action = header.resource_uri + "/" + method;
    return write_request(header,
                         class_body(method + "_INPUT", header.resource_uri,
                                    property(parameter, std::to_string(value)) +
                                        endpoint_parameter("ManagedElement", managed_system())));
  }

  /// May the run go on although the firmware refused this step?
  bool tolerated(const fault& f) const {
    switch (now()) {
    case step::get_os_power:       // not on every generation
    case step::request_full_power: // MPS logs it and powers on all the same
      return true;
    case step::get_boot_settings: // no boot options, nothing to clear
    case step::get_boot_capabilities:
      return f.subcode == "DestinationUnreachable";
    case step::put_boot_settings:
      return boot_settings_were_clear;
    case step::enumerate_association:
    case step::pull_association: // a list that is good to have
      return std::holds_alternative<amt::read_capabilities>(op);
    default:
      return false;
    }
  }

  void take_refusal(const fault& f) {
    if (!tolerated(f)) {
      std::string text = "the firmware refused";
      if (!f.subcode.empty())
        text += " with " + f.subcode.substr(0, 80);
      if (!f.reason.empty())
        text += ": " + f.reason.substr(0, 200);
      return give_up(fail(problem::device_refused, std::move(text)));
    }
    switch (now()) {
    case step::get_os_power:
      return advance(skips_full_power() ? 2 : 1);
    case step::get_boot_settings: // and no Put either
      return advance(2);
    case step::enumerate_association: // and no Pull
      return finish_after(2);
    case step::pull_association:
      return finish_after(1);
    default:
      return advance();
    }
  }

  /// Only a machine whose OS saves power is asked to come to full power first.
  bool skips_full_power() const {
    return at + 1 < steps.size() && steps[at + 1] == step::request_full_power &&
           reading.os_power_saving != 3;
  }

  void finish_after(std::size_t by) {
    advance(by);
    if (at >= steps.size())
      finish();
  }

  void finish() {
    if (std::holds_alternative<amt::read_power>(op))
      out = amt_outcome{reading};
    else if (std::holds_alternative<amt::read_capabilities>(op))
      out = amt_outcome{capabilities};
    else
      out = amt_outcome{versions};
  }

  void take(const response& answer) {
    switch (now()) {
    case step::get_os_power:
      reading.os_power_saving = read_os_power_saving(answer.body);
      return advance(skips_full_power() ? 2 : 1);
    case step::enumerate_association:
    case step::enumerate_software:
      return take_context(answer.body);
    case step::pull_association:
    case step::pull_software:
      return take_items(answer.body);
    case step::get_boot_capabilities: {
      auto told = read_boot_capabilities(answer.body);
      if (!told)
        return give_up(told.error());
      told->amt_major = capabilities.amt_major;
      capabilities = std::move(*told);
      return advance();
    }
    case step::get_setup: {
      auto mode = read_provisioning_mode(answer.body);
      if (!mode)
        return give_up(mode.error());
      versions.provisioning_mode = *mode;
      return finish();
    }
    case step::get_boot_settings: {
      auto cleared = clear_boot_settings(answer.body);
      if (!cleared)
        return give_up(cleared.error());
      boot_settings = std::move(cleared->xml);
      boot_settings_were_clear = cleared->was_clear_already;
      return advance();
    }
    case step::put_boot_settings:
    case step::request_full_power: // its ReturnValue changes nothing of what follows
      return advance();
    case step::request_change: {
      auto value = read_return_value(answer.body, class_of(now()), verb_of(now()));
      if (!value)
        return give_up(value.error());
      out = amt_outcome{amt::power_ack{*value}};
      return;
    }
    }
  }

  void take_context(const node& body) {
    const auto* told = body.find({"EnumerateResponse", "EnumerationContext"});
    if (told == nullptr || told->value().empty() || told->value().size() > max_context)
      return give_up(fail(problem::device_protocol,
                          "the answer holds no EnumerationContext of at most 128 octets"));
    context = told->value();
    items = {};
    pulls = 0;
    advance();
  }

  void take_items(const node& body) {
    const auto* told = body.child("PullResponse");
    if (told == nullptr)
      return give_up(fail(problem::device_protocol, "the answer holds no PullResponse"));
    if (const auto* batch = told->child("Items")) {
      if (items.children.size() + batch->children.size() > max_items)
        return give_up(fail(problem::device_protocol, "the firmware listed more than 256 items"));
      items.children.insert(items.children.end(), batch->children.begin(), batch->children.end());
    }
    const auto more = told->child_text("EnumerationContext");
    if (more.empty() || told->child("EndOfSequence") != nullptr)
      return take_whole_list();
    if (++pulls == max_pulls || more.size() > max_context)
      return give_up(fail(problem::device_protocol, "the list does not end after 10 Pulls"));
    context = more;
    advance(0);
  }

  void take_whole_list() {
    if (now() == step::pull_software) {
      auto told = read_software(items);
      if (!told)
        return give_up(told.error());
      auto major = major_version(told->amt);
      if (!major)
        return give_up(major.error());
      versions = std::move(*told);
      capabilities.amt_major = *major;
      return advance();
    }
    if (std::holds_alternative<amt::read_capabilities>(op)) {
      auto states = read_available_states(items);
      if (!states)
        return give_up(states.error());
      capabilities.available_now = std::move(*states);
    } else {
      auto power = read_power_state(items);
      if (!power)
        return give_up(power.error());
      reading.state = *power;
    }
    finish_after(1);
  }

  void feed(int http_status, std::string_view body) {
    if (http_status == 401)
      return give_up(fail(problem::device_auth, "the firmware refused the user name or password"));
    if (http_status != 200 && http_status != 400 && http_status != 500)
      return give_up(
          fail(problem::device_protocol, "unexpected HTTP status " + std::to_string(http_status)));
    if (http_status != 200 && body.empty()) // some firmware says no more than that
      return take_refusal({{}, {}, "HTTP " + std::to_string(http_status) + " without explanation"});
    auto answer = parse_response(body);
    if (!answer) {
      auto why = answer.error();
      why.what = problem::device_protocol;
      return give_up(std::move(why));
    }
    if (answer->relates_to != std::to_string(message_id))
      return give_up(fail(problem::device_protocol, "the answer relates to message '" +
                                                        answer->relates_to.substr(0, 40) +
                                                        "', not to " + std::to_string(message_id)));
    if (answer->refused)
      return take_refusal(*answer->refused);
    if (http_status != 200)
      return give_up(fail(problem::device_protocol,
                          "HTTP " + std::to_string(http_status) + " without a SOAP fault"));
    take(*answer);
  }
};

operation_run::operation_run(amt_operation op, std::uint32_t first_message_id)
    : state_(std::make_unique<state>(std::move(op), first_message_id)) {}
operation_run::operation_run(operation_run&&) noexcept = default;
operation_run& operation_run::operator=(operation_run&&) noexcept = default;
operation_run::~operation_run() = default;

std::optional<std::string> operation_run::next_request() {
  if (finished())
    return std::nullopt;
  state_->handed_out = true;
  return state_->write();
}

void operation_run::feed(int http_status, std::string_view body) {
  if (!finished())
    state_->feed(http_status, body);
}

bool operation_run::finished() const {
  return state_->out.has_value();
}

bool operation_run::change_sent() const {
  if (finished() || !state_->handed_out)
    return false;
  return state_->now() == step::request_change || state_->now() == step::request_full_power;
}

result<amt_outcome> operation_run::outcome() const {
  if (state_->out)
    return *state_->out;
  return fail(problem::internal, "the conversation with the firmware has not ended");
}

} // namespace outband::wsman
