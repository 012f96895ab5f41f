/// What is stored of a one-time token's text (activation_token): SHA-256, 64 hexadecimal digits.
/// Not salted: the text is 32 random octets. Context: pure, any thread.
#pragma once

#include <string>

namespace outband::provisioning {

std::string token_hash(const std::string& text);

} // namespace outband::provisioning
