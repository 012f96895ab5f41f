/// What a machine's firmware keeps over a restart, as texts for the state file.
/// Context: pure.
#pragma once

#include <map>
#include <string>

namespace outband::amtsim {

class device_model;

/// Name -> text (binary as base64), of one topic; only what differs from a fresh machine.
using kept_texts = std::map<std::string, std::string>;
/// Topic -> its texts; a topic that is as on a fresh machine is missing.
using flash = std::map<std::string, kept_texts>;

flash read_flash(const device_model& from);
/// Unknown topics and what does not fit are skipped: a file may be older or newer than we are.
void write_flash(const flash& what, device_model& into);

} // namespace outband::amtsim
