/// The command line that `rpc` sends as the `method` of its first message. It may hold passwords:
/// neither it nor a part of it may appear in a log or an error.
///
/// Source: rps src/CommandParser.ts (minimist) and what rpc v2 and v3 send. Words are separated by
/// single blanks, there are no quotes: a name or password with a blank in it falls apart. Where
/// that would change what is done (another profile, a password cut short) we refuse; RPS goes on.
/// Context: pure, any thread.
#pragma once

#include "messages/domain/activation.hpp"
#include "messages/domain/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace outband::rps {

struct command {
  provisioning_act act = provisioning_act::activate;
  std::string profile;                 ///< --profile X
  std::optional<secret_text> password; ///< --password X; wins over the payload's
  maintenance_task task = maintenance_task::none;
  secret_text task_argument; ///< the new password of --changepassword; may be empty
};

/// `text` begins with one of activate, deactivate, maintenance.
result<command> parse_command(std::string_view text);
/// Whether the first word is one of these; else it is another method.
bool is_command(std::string_view method);

} // namespace outband::rps
