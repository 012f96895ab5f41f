// A firmware that lies in good form. Parts separated by 0x01: the name of an operation of the
// catalogue, its argument, and then each the content of one answer's Body, '!' being a refusal with
// the rest as its subcode. The run must end or wait, what it asks must be
// WS-MAN, what it tells must be JSON, and what it fails with must say why.
#include "messages/amt/catalogue.hpp"
#include "messages/amt/operation_run.hpp"
#include "messages/domain/amt.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace outband;

namespace {

std::string_view next_part(std::string_view& text, bool& more) {
  const auto end = text.find('\x01');
  const auto part = text.substr(0, end);
  more = end != std::string_view::npos;
  text.remove_prefix(more ? end + 1 : text.size());
  return part;
}

std::string envelope(const std::string& message_id, std::string_view body) {
  return "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
         "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
         "xmlns:c=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><a:Header><b:RelatesTo>" +
         message_id + "</b:RelatesTo><b:Action>x</b:Action></a:Header><a:Body>" +
         std::string(body) + "</a:Body></a:Envelope>";
}

std::string refusal(std::string_view subcode) {
  return "<a:Fault><a:Code><a:Value>a:Sender</a:Value><a:Subcode><a:Value>b:" +
         std::string(subcode) +
         "</a:Value></a:Subcode></a:Code><a:Reason><a:Text>Why.</a:Text></a:Reason></a:Fault>";
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  bool more = true;
  const auto* operation = amt::find_operation(next_part(text, more));
  if (operation == nullptr)
    return 0;
  std::string argument(next_part(text, more));
  if (argument.empty())
    argument = "{}";
  auto parsed = json::parse(argument);
  if (!parsed || !amt::mistakes(*operation, *parsed, 0).empty())
    return 0;
  amt::operation_run run{amt::perform{std::string(operation->name), argument, false}};
  while (auto soap = run.next_request()) {
    auto asked = wsman::parse_request(*soap);
    if (!asked)
      std::abort();
    if (!more)
      return 0;
    auto body = next_part(text, more);
    const bool refused = !body.empty() && body.front() == '!';
    run.feed(refused ? 400 : 200,
             envelope(asked->message_id, refused ? refusal(body.substr(1)) : std::string(body)));
  }
  auto told = run.outcome();
  if (!told) {
    if (told.error().detail.empty())
      std::abort();
  } else if (!json::parse(std::get<amt::document>(*told).json)) {
    std::abort();
  }
  return 0;
}
