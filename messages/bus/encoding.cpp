#include "messages/bus/encoding.hpp"
#include "messages/bus/value.hpp"
#include "messages/domain/text.hpp"

#include <string>

namespace outband::bus {

encoding encoding_of(root r) {
  return r == root::native ? encoding::msgpack : encoding::cloudevents;
}

std::string_view content_type_of(encoding e) {
  return e == encoding::msgpack ? msgpack_content_type : cloudevents_content_type;
}

std::string_view content_type_of(root r) {
  return content_type_of(encoding_of(r));
}

namespace {

/// "Application/JSON; charset=utf-8" -> "application/json"
std::string media_type(std::string_view text) {
  text = text.substr(0, text.find(';'));
  std::string out;
  for (char c : text)
    if (c != ' ' && c != '\t')
      out.push_back(ascii_lower(c));
  return out;
}

} // namespace

status check_content_type(root r, std::string_view received) {
  if (received.empty())
    return success();
  const auto got = media_type(received);
  if (got == media_type(content_type_of(r)))
    return success();
  if (r == root::json && got == "application/json")
    return success();
  return fail(problem::malformed,
              "'" + clean_text(received, 80) + "' does not belong below " +
                  std::string(to_string(r)) + ", where " + std::string(content_type_of(r)) +
                  " is spoken",
              "content type");
}

} // namespace outband::bus
