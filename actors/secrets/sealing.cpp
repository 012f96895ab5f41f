#include "actors/secrets/sealing.hpp"

#include "messages/domain/text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <memory>

namespace outband::secrets {

namespace {

struct free_context {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};
using context = std::unique_ptr<EVP_CIPHER_CTX, free_context>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

failure refused() {
  return fail(problem::internal, "OpenSSL refused AES-256-GCM");
}

} // namespace

aes_key::aes_key(const std::array<std::uint8_t, key_octets>& octets) : octets_(octets) {}

aes_key::~aes_key() {
  OPENSSL_cleanse(octets_.data(), octets_.size());
}

std::string aes_key::id() const {
  static const std::string_view label = "outband master key id";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  std::string input(label);
  input.append(reinterpret_cast<const char*>(octets_.data()), octets_.size());
  SHA256(octets(input), input.size(), digest.data());
  OPENSSL_cleanse(input.data(), input.size());
  return to_hex(digest.data(), 8);
}

result<std::string> seal_with_nonce(const aes_key& key, std::string_view nonce,
                                    std::string_view text, std::string_view associated) {
  if (text.size() > max_secret)
    return fail(problem::too_large, "a secret may have at most 4096 octets");
  if (nonce.size() != nonce_octets)
    return fail(problem::malformed, "the nonce must have 12 octets");
  context c(EVP_CIPHER_CTX_new());
  int length = 0;
  if (!c ||
      EVP_EncryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, key.data(), octets(nonce)) != 1 ||
      EVP_EncryptUpdate(c.get(), nullptr, &length, octets(associated),
                        static_cast<int>(associated.size())) != 1)
    return refused();
  std::string out(nonce);
  out.resize(nonce_octets + text.size() + tag_octets);
  auto* body = reinterpret_cast<unsigned char*>(out.data()) + nonce_octets;
  if (EVP_EncryptUpdate(c.get(), body, &length, octets(text), static_cast<int>(text.size())) != 1 ||
      EVP_EncryptFinal_ex(c.get(), body + length, &length) != 1 ||
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_GET_TAG, tag_octets, body + text.size()) != 1)
    return refused();
  return out;
}

result<std::string> seal(const aes_key& key, std::string_view text, std::string_view associated) {
  std::array<unsigned char, nonce_octets> nonce{};
  if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) != 1)
    return fail(problem::internal, "the system has no random numbers");
  return seal_with_nonce(key, {reinterpret_cast<const char*>(nonce.data()), nonce.size()}, text,
                         associated);
}

result<std::string> unseal(const aes_key& key, std::string_view sealed,
                           std::string_view associated) {
  if (sealed.size() < nonce_octets + tag_octets)
    return fail(problem::malformed, "too short to be a sealed secret");
  if (sealed.size() > nonce_octets + max_secret + tag_octets)
    return fail(problem::too_large, "too long to be a sealed secret");
  auto body = sealed.substr(nonce_octets, sealed.size() - nonce_octets - tag_octets);
  std::string tag(sealed.substr(sealed.size() - tag_octets));
  context c(EVP_CIPHER_CTX_new());
  int length = 0;
  if (!c ||
      EVP_DecryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, key.data(), octets(sealed)) != 1 ||
      EVP_DecryptUpdate(c.get(), nullptr, &length, octets(associated),
                        static_cast<int>(associated.size())) != 1)
    return refused();
  std::string out(body.size() + tag_octets, '\0'); // OpenSSL may touch one block beyond
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  if (EVP_DecryptUpdate(c.get(), to, &length, octets(body), static_cast<int>(body.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, tag_octets, tag.data()) != 1)
    return refused();
  if (EVP_DecryptFinal_ex(c.get(), to + length, &length) != 1) {
    OPENSSL_cleanse(out.data(), out.size());
    return fail(problem::internal, "the sealed secret does not open: it was changed, moved, or "
                                   "sealed with another key");
  }
  out.resize(body.size());
  return out;
}

} // namespace outband::secrets
