/// Each document's body as a tree and back. The field lists are in bodies.cpp.
/// Context: pure; used by envelope.cpp and stored.cpp.
#pragma once

#include "messages/bus/describe.hpp"
#include "messages/bus/platform.hpp"
#include "messages/domain/documents.hpp"

#include <vector>

namespace outband::bus {

/// What a client says; the rest of a `request` comes from the topic.
struct request_words {
  request_body body;
  std::optional<time_ms> deadline;
};

void write_body(writer& to, const desired_state& x);
void write_body(writer& to, const current_state& x);
void write_body(writer& to, const presence& x);
void write_body(writer& to, const event& x);
void write_body(writer& to, const fact& x);
void write_body(writer& to, const request_words& x);
void write_body(writer& to, const request_body& x);
void write_body(writer& to, const response& x);
void write_body(writer& to, const std::vector<observation>& x);
void write_body(writer& to, const work_body& x);
void write_body(writer& to, const amt_answer& x);
void write_body(writer& to, const wake& x);
void write_body(writer& to, const node_presence& x);
void write_body(writer& to, const bus_instances& x);
void write_body(writer& to, const controller_presence& x);
void write_body(writer& to, const canary& x);

/// Failures stay in the reader.
void read_body(reader& from, desired_state& x);
void read_body(reader& from, current_state& x);
void read_body(reader& from, presence& x);
void read_body(reader& from, event& x);
void read_body(reader& from, fact& x);
void read_body(reader& from, request_words& x);
void read_body(reader& from, request_body& x);
void read_body(reader& from, response& x);
void read_body(reader& from, std::vector<observation>& x);
void read_body(reader& from, work_body& x);
void read_body(reader& from, amt_answer& x);
void read_body(reader& from, wake& x);
void read_body(reader& from, node_presence& x);
void read_body(reader& from, bus_instances& x);
void read_body(reader& from, controller_presence& x);
void read_body(reader& from, canary& x);

} // namespace outband::bus
