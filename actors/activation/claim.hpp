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

/// The passwords to sign in with, the likeliest first, each once. A failure: the store has one, and
/// the client neither knows it nor has a token for this very machine, which somebody made who may.
/// Not even its own is tried then: firmware that the client only plays would take it, and what the
/// store has would be overwritten. rpc's --force lifts nothing of that.
result<std::vector<secret_text>> candidates(const secret_versions& stored, const secret_text& given,
                                            bool token_names_machine, const std::string& who);

} // namespace outband::activation
