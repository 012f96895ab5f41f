#include "gateway/activation/tls_session.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

namespace outband::activation {

namespace {

// Record types of TLS (RFC 8446, 5.1).
constexpr char alert = 21, application_data = 23;
constexpr std::size_t record_header = 5;

std::string newest_error() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "no reason given";
}

std::string der_of(X509* c) {
  unsigned char* octets = nullptr;
  const int size = i2d_X509(c, &octets);
  if (size <= 0)
    return {};
  std::string out(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  return out;
}

} // namespace

struct tls_session::state {
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl{nullptr, SSL_free};
  judge decide;
  std::optional<failure> verdict;
  BIO *in = nullptr, *out = nullptr; ///< owned by ssl
  std::size_t skip = 0;              ///< octets of a stray record that are still to come
  std::string head;                  ///< of a record of which less than its header has come
  bool heard = false;                ///< this session's first record has come
  bool established = false, over = false;

  static int verify(X509_STORE_CTX* store, void*) {
    auto* ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto& me = *static_cast<state*>(SSL_get_app_data(ssl));
    // No exception may pass through OpenSSL.
    try {
      std::vector<std::string> chain;
      if (const auto* all = X509_STORE_CTX_get0_untrusted(store))
        for (int i = 0; i < sk_X509_num(all); ++i)
          chain.push_back(der_of(sk_X509_value(all, i)));
      if (auto ok = me.decide(chain); !ok)
        me.verdict = ok.error();
    } catch (const std::exception&) {
      me.verdict = fail(problem::internal, "the certificate could not be judged");
    }
    if (!me.verdict)
      return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }

  /// What of `octets` belongs to this session.
  std::string_view own(std::string& store, std::string_view octets) {
    if (heard)
      return octets;
    const auto dropped = std::min(skip, octets.size());
    skip -= dropped;
    store = std::move(head);
    store += octets.substr(dropped);
    head.clear();
    std::string_view rest = store;
    while (!rest.empty()) {
      const bool maybe = rest[0] == application_data || rest[0] == alert;
      if (maybe && rest.size() < record_header) {
        head = rest;
        return {};
      }
      // An alert of two octets is in clear, so it is an answer to our hello.
      const std::size_t size =
          maybe ? static_cast<unsigned char>(rest[3]) * 256u + static_cast<unsigned char>(rest[4])
                : 0;
      if (!maybe || (rest[0] == alert && size == 2)) {
        heard = true;
        return rest;
      }
      const auto whole = record_header + size;
      skip = whole > rest.size() ? whole - rest.size() : 0;
      rest.remove_prefix(std::min(whole, rest.size()));
    }
    return {};
  }

  void drain(outcome& o) {
    std::array<char, 16 << 10> piece{};
    for (int n = 0; (n = BIO_read(out, piece.data(), static_cast<int>(piece.size()))) > 0;)
      o.to_firmware.append(piece.data(), static_cast<std::size_t>(n));
  }

  void broken(outcome& o, int got) {
    const int why = SSL_get_error(ssl.get(), got);
    if (why == SSL_ERROR_WANT_READ)
      return;
    over = true;
    if (why == SSL_ERROR_ZERO_RETURN && established) {
      o.closed = true;
    } else if (verdict) {
      o.failed = verdict;
      o.failed->detail = "the firmware's certificate was refused: " + o.failed->detail;
    } else {
      o.failed = fail(problem::device_protocol,
                      std::string(established ? "the TLS session with the firmware broke: "
                                              : "the TLS handshake with the firmware failed: ") +
                          newest_error());
    }
    ERR_clear_error();
  }

  /// As far as it goes with what has come.
  void advance(outcome& o) {
    ERR_clear_error();
    if (!established) {
      const int got = SSL_do_handshake(ssl.get());
      if (got != 1) {
        broken(o, got);
        return;
      }
      established = o.established = true;
    }
    std::array<char, 16 << 10> piece{};
    int n = 0;
    while ((n = SSL_read(ssl.get(), piece.data(), static_cast<int>(piece.size()))) > 0)
      o.plain.append(piece.data(), static_cast<std::size_t>(n));
    broken(o, n);
  }
};

result<std::shared_ptr<ssl_ctx_st>> tls_session::context(bool legacy) {
  std::shared_ptr<SSL_CTX> ctx(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!ctx)
    return fail(problem::internal, "no TLS context");
  SSL_CTX_set_min_proto_version(ctx.get(), legacy ? TLS1_1_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(ctx.get(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  if (legacy) {
    SSL_CTX_set_options(ctx.get(), SSL_OP_LEGACY_SERVER_CONNECT);
    if (SSL_CTX_set_cipher_list(ctx.get(), "DEFAULT:@SECLEVEL=0") != 1)
      return fail(problem::internal, "no TLS context: " + newest_error());
  }
  SSL_CTX_set_session_cache_mode(ctx.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(ctx.get(), &state::verify, nullptr);
  return ctx;
}

tls_session::tls_session(const std::shared_ptr<ssl_ctx_st>& context, judge j)
    : state_(std::make_unique<state>()) {
  auto& s = *state_;
  s.decide = std::move(j);
  s.ssl.reset(SSL_new(context.get()));
  s.in = BIO_new(BIO_s_mem());
  s.out = BIO_new(BIO_s_mem());
  if (!s.ssl || s.in == nullptr || s.out == nullptr) {
    BIO_free(s.in);
    BIO_free(s.out);
    s.over = true; // every turn fails
    return;
  }
  BIO_set_mem_eof_return(s.in, -1); // an empty buffer means: later
  SSL_set_bio(s.ssl.get(), s.in, s.out);
  SSL_set_app_data(s.ssl.get(), &s);
  SSL_set_connect_state(s.ssl.get());
}

tls_session::~tls_session() = default;

bool tls_session::established() const {
  return state_->established && !state_->over;
}

tls_session::outcome tls_session::begin() {
  return feed({});
}

tls_session::outcome tls_session::feed(std::string_view octets) {
  outcome o;
  auto& s = *state_;
  if (s.over) {
    o.failed = fail(problem::device_protocol, "the TLS session with the firmware has ended");
    return o;
  }
  std::string store;
  const auto own = s.own(store, octets);
  if (!own.empty())
    BIO_write(s.in, own.data(), static_cast<int>(own.size()));
  s.advance(o);
  if (!o.established || s.over)
    s.drain(o);
  return o;
}

tls_session::outcome tls_session::flush() {
  outcome o;
  state_->drain(o);
  return o;
}

tls_session::outcome tls_session::write(std::string_view plain) {
  outcome o;
  auto& s = *state_;
  if (!established()) {
    o.failed = fail(problem::internal, "there is no TLS session with the firmware");
    return o;
  }
  ERR_clear_error();
  const int n =
      plain.empty() ? 1 : SSL_write(s.ssl.get(), plain.data(), static_cast<int>(plain.size()));
  if (n <= 0)
    s.broken(o, n);
  s.drain(o);
  return o;
}

} // namespace outband::activation
