#include "messages/provisioning/profile_export.hpp"

#include "messages/amt/base64.hpp"
#include "messages/provisioning/openssl_raii.hpp"

#include <openssl/err.h>

#include <array>

namespace outband::provisioning {

namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t key_size = 32;
constexpr std::size_t random_key_octets = 24; ///< 32 characters of base64
constexpr std::size_t max_profile = 512 * 1024;

using cipher_context = ossl::owned<EVP_CIPHER_CTX>;

unsigned char* octets_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

} // namespace

result<sealed_profile> seal_profile(std::string_view yaml, std::string_view random) {
  if (random.size() != sealing_octets)
    return fail(problem::internal, "a profile is sealed with 36 random octets");
  if (yaml.size() > max_profile)
    return fail(problem::too_large, "a profile has at most 512 KiB");
  sealed_profile out;
  out.key = amt::base64_encode(random.substr(0, random_key_octets));
  const std::string nonce(random.substr(random_key_octets));
  const cipher_context context(EVP_CIPHER_CTX_new());
  std::string body(yaml.size(), '\0');
  std::string tag(tag_size, '\0');
  int size = 0;
  int rest = 0;
  if (out.key.size() != key_size || nonce.size() != nonce_size || !context ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, ossl::octets(out.key),
                         ossl::octets(nonce)) != 1 ||
      EVP_EncryptUpdate(context.get(), octets_of(body), &size, ossl::octets(yaml),
                        static_cast<int>(yaml.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), octets_of(body) + size, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_size),
                          tag.data()) != 1) {
    ERR_clear_error();
    return fail(problem::internal, "OpenSSL encrypts no profile");
  }
  out.content = amt::base64_encode(nonce + body + tag);
  return out;
}

result<std::string> open_profile(std::string_view content, std::string_view key) {
  if (content.size() > max_profile * 3 / 2)
    return fail(problem::too_large, "a profile has at most 512 KiB", "content");
  auto sealed = amt::base64_decode(content);
  if (!sealed || sealed->size() < nonce_size + tag_size)
    return fail(problem::malformed, "is not an encrypted profile", "content");
  if (key.size() != key_size)
    return fail(problem::malformed, "must have 32 characters", "key");
  const auto length = sealed->size() - nonce_size - tag_size;
  std::string out(length, '\0');
  const cipher_context context(EVP_CIPHER_CTX_new());
  int size = 0;
  int rest = 0;
  const bool ok =
      context &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, ossl::octets(key),
                         ossl::octets(*sealed)) == 1 &&
      EVP_DecryptUpdate(context.get(), octets_of(out), &size, ossl::octets(*sealed) + nonce_size,
                        static_cast<int>(length)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_size),
                          sealed->data() + nonce_size + length) == 1 &&
      EVP_DecryptFinal_ex(context.get(), octets_of(out) + size, &rest) == 1;
  ERR_clear_error();
  if (!ok)
    return fail(problem::malformed, "does not open the profile, or it is damaged", "key");
  return out;
}

} // namespace outband::provisioning
