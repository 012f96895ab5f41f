/// Whether what a client says of a machine lets it be activated at all. The words are RPS's
/// (src/CommandValidation, ActivationManager), which people look up.
/// Context: pure.
#pragma once

#include "actors/ports/activation.hpp"
#include "actors/ports/secrets.hpp"
#include "messages/domain/result.hpp"

#include <optional>

namespace outband::activation {

/// Of the firmware's version and build; nullopt: it can be.
std::optional<failure> unfit_firmware(const machine_claim& m);

/// May this password of the store be shown to whoever holds the connection? What the client knows
/// already gives nothing away; a token for this very machine was made by somebody who may.
struct password_rule {
  bool token_names_machine = false;
  bool force = false;
};
/// The passwords to sign in with, the likeliest first, each once. A failure: the client may not use
/// what the store has, and has nothing better.
result<std::vector<secret_text>> candidates(const secret_versions& stored, const secret_text& given,
                                            const password_rule& rule, const std::string& who);

} // namespace outband::activation
