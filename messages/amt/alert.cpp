#include "messages/amt/alert.hpp"

#include "messages/rest/json.hpp"
#include "messages/wsman/envelope.hpp"

#include <array>
#include <utility>

namespace outband::amt {

namespace {

constexpr std::size_t max_text = 256;
constexpr std::size_t max_arguments = 4;
constexpr std::string_view event_action = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event";

struct known_message {
  std::string_view id;
  std::string_view argument; ///< empty: whatever it is
  std::string_view text;
};
/// Those that say something about the machine; MeshCommander's list has the same numbers.
constexpr known_message known[] = {
    {"PLAT0188", {}, "The firmware reports the progress of a boot."},
    {"PLAT0248", {}, "The power button was pressed."},
    {"PLAT0272", {}, "The machine was switched on."},
    {"PLAT0284", {}, "A restart of the machine has begun."},
    {"iAMT0050", "48", "A serial-over-LAN session has started."},
    {"iAMT0050", "49", "A serial-over-LAN session has ended."},
    {"iAMT0050", "50", "A storage redirection session has started."},
    {"iAMT0050", "51", "A storage redirection session has ended."},
    {"iAMT0052", "1", "A KVM session has started."},
    {"iAMT0052", "2", "A KVM session has ended."},
    {"iAMT0059", "0", "KVM was switched off."},
    {"iAMT0059", "1", "KVM was switched on."},
    {"iAMT0064", "1", "The user gave consent."},
    {"iAMT0064", "2", "The user's consent has ended."},
    {"iAMT0067", "0", "The operating system was asked to shut down."},
    {"iAMT0067", "1", "The operating system was asked to restart."},
    {"iAMT0067", "2", "The operating system was asked to hibernate."},
};

constexpr std::array<std::string_view, 8> severities{"unknown", "other", "information", "warning",
                                                     "minor",   "major", "critical",    "fatal"};

/// What becomes JSON of it is at most twice as long: no control characters, which need six octets.
std::string cut(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto step = json::utf8_sequence(text);
    if (step == 0 || out.size() + step > max_text)
      break;
    if (static_cast<unsigned char>(text.front()) < ' ')
      out += ' ';
    else
      out += text.substr(0, step);
    text.remove_prefix(step);
  }
  return out;
}

std::string sentence(const std::string& own, const std::string& id, const std::string& argument) {
  for (const auto& k : known)
    if (k.id == id && (k.argument.empty() || k.argument == argument))
      return std::string(k.text);
  if (!own.empty())
    return own;
  if (id.empty())
    return "The firmware sent an alert.";
  return "The firmware sent the alert " + id + (argument.empty() ? "" : " (" + argument + ")") +
         ".";
}

} // namespace

result<std::string> read_alert(std::string_view soap) {
  const auto odd = [](const char* why) {
    return fail(problem::malformed, why);
  };
  if (soap.size() > max_alert)
    return fail(problem::too_large, "an event is at most 65536 octets");
  const auto document = wsman::parse_xml(soap);
  if (!document)
    return document.error();
  if (document->name != "Envelope" || document->ns != wsman::ns::soap)
    return odd("not a SOAP 1.2 envelope");
  const auto* action = document->find({"Header", "Action"});
  if (action == nullptr || action->value() != event_action)
    return odd("the envelope's action is not that of an event");
  const auto* body = document->child("Body");
  if (body == nullptr || body->children.size() != 1)
    return odd("an event's body is one instance");
  const auto& instance = body->children.front();
  const auto uri = wsman::class_uri(instance.name);
  if (uri.empty() || instance.ns != uri || instance.name.size() > 64)
    return odd("the event is of no class of CIM, AMT or IPS");

  const auto id = cut(instance.child_text("MessageID"));
  json::array arguments;
  for (const auto& c : instance.children)
    if (c.name == "MessageArguments" && arguments.size() < max_arguments)
      arguments.emplace_back(cut(c.value()));
  const auto first = arguments.empty() ? std::string() : *arguments.front().text();
  const auto level = wsman::to_number(instance.child_text("PerceivedSeverity")).value_or(0);

  json::object out{{"text", sentence(cut(instance.child_text("Message")), id, first)},
                   {"class", instance.name},
                   {"severity", severities.at(level < severities.size() ? level : 0)}};
  const auto add = [&out](const char* name, std::string value) {
    if (!value.empty())
      out.push_back({name, std::move(value)});
  };
  add("message", id);
  if (!arguments.empty())
    out.push_back({"arguments", std::move(arguments)});
  if (const auto* at = instance.find({"IndicationTime", "Datetime"}))
    add("time", cut(at->value()));
  add("filter", cut(instance.child_text("IndicationFilterName")));
  add("id", cut(instance.child_text("IndicationIdentifier")));
  add("owner", cut(instance.child_text("OwningEntity")));
  add("system", cut(instance.child_text("SystemName")));
  return json::dump(out);
}

} // namespace outband::amt
