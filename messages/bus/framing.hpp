/// The envelope around a body, in both encodings. Context: pure; used by envelope.cpp only.
#pragma once

#include "messages/bus/describe.hpp"
#include "messages/bus/envelope.hpp"

namespace outband::bus {

/// `event_type` becomes part of a CloudEvent's type; empty for other kinds.
std::string frame(const envelope& env, document kind, std::string_view event_type, value::map body,
                  encoding e);

/// The tree of a payload of at most `limit` octets.
/// `long_texts`: a text may be as long as the payload: documents that carry an operation's JSON.
result<value> parse(std::string_view payload, encoding e, std::size_t limit,
                    bool long_texts = false);

/// All keys but the body, checked to be of the wanted kind.
void read_native(reader& r, envelope& env, document wanted);
/// The same from CloudEvents' attributes.
void read_attributes(reader& r, envelope& env, document wanted);

} // namespace outband::bus
