// A firmware that lies in good form: what it says is a text of parts separated by 0x01, each the
// content of one answer's Body; '!' before it makes a refusal, with the rest as its subcode.
#pragma once

#include "messages/wsman/conversation.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

namespace outband::fuzz {

class lying_firmware {
public:
  explicit lying_firmware(std::string_view text) : text_(text) {}

  bool has_more() const { return more_; }
  std::string_view next() {
    const auto end = text_.find('\x01');
    const auto part = text_.substr(0, end);
    more_ = end != std::string_view::npos;
    text_.remove_prefix(more_ ? end + 1 : text_.size());
    return part;
  }
  /// Answers until the conversation is over or there is nothing more to say; gives whether it is
  /// over. What it asks must be WS-MAN.
  bool answer(wsman::conversation_base& c) {
    while (auto soap = c.next_request()) {
      auto asked = wsman::parse_request(*soap);
      if (!asked)
        std::abort();
      if (!more_)
        return false;
      auto body = next();
      const bool refused = !body.empty() && body.front() == '!';
      c.feed(refused ? 400 : 200,
             envelope(asked->message_id, refused ? refusal(body.substr(1)) : std::string(body)));
    }
    return true;
  }

private:
  static std::string envelope(const std::string& message_id, const std::string& body) {
    return "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
           "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
           "xmlns:c=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><a:Header><b:RelatesTo>" +
           message_id + "</b:RelatesTo><b:Action>x</b:Action></a:Header><a:Body>" + body +
           "</a:Body></a:Envelope>";
  }
  static std::string refusal(std::string_view subcode) {
    return "<a:Fault><a:Code><a:Value>a:Sender</a:Value><a:Subcode><a:Value>b:" +
           std::string(subcode) +
           "</a:Value></a:Subcode></a:Code><a:Reason><a:Text>Why.</a:Text></a:Reason></a:Fault>";
  }

  std::string_view text_;
  bool more_ = true;
};

} // namespace outband::fuzz
