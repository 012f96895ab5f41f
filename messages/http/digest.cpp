#include "messages/http/digest.hpp"

#include "messages/domain/text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <utility>
#include <vector>

namespace outband::http {

namespace {

constexpr std::size_t max_value = 4096;
constexpr std::size_t max_parameters = 32;

using parameters = std::vector<std::pair<std::string, std::string>>;

bool blank(char c) {
  return c == ' ' || c == '\t';
}

class scanner {
public:
  explicit scanner(std::string_view in) : in_(in) {}

  bool end() const { return at_ == in_.size(); }
  void skip_blanks() {
    while (!end() && blank(in_[at_]))
      ++at_;
  }
  /// Blanks and commas: empty list elements are legal.
  void skip_separators() {
    while (!end() && (blank(in_[at_]) || in_[at_] == ','))
      ++at_;
  }
  bool take(char c) {
    if (end() || in_[at_] != c)
      return false;
    ++at_;
    return true;
  }
  std::string_view until(std::string_view stops) {
    const auto from = at_;
    while (!end() && stops.find(in_[at_]) == std::string_view::npos)
      ++at_;
    return in_.substr(from, at_ - from);
  }
  /// After the opening quote. nullopt: it never closes.
  std::optional<std::string> quoted() {
    std::string value;
    while (!end()) {
      const char c = in_[at_++];
      if (c == '"')
        return value;
      if (c == '\\' && !end())
        value += in_[at_++];
      else
        value += c;
    }
    return {};
  }

private:
  std::string_view in_;
  std::size_t at_ = 0;
};

failure malformed(std::string detail, std::string field) {
  return fail(problem::malformed, std::move(detail), std::move(field));
}

/// "Digest a=b, c="d"": the parameters in order, names in lower case.
result<parameters> scan(std::string_view value, const std::string& header_name) {
  if (value.size() > max_value)
    return fail(problem::too_large, "longer than 4096 octets", header_name);
  for (const char c : value)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F)
      return malformed("control character", header_name);
  scanner in{value};
  in.skip_blanks();
  if (!same_token(in.until(" \t"), "Digest"))
    return fail(problem::unsupported, "the scheme is not Digest", header_name);
  parameters found;
  while (true) {
    in.skip_separators();
    if (in.end())
      return found;
    std::string name{in.until("=, \t\"")};
    std::transform(name.begin(), name.end(), name.begin(), ascii_lower);
    in.skip_blanks();
    if (!in.take('=')) {
      // An unquoted list, qop=auth-int,auth: the word belongs to what came before.
      if (name.empty() || found.empty() || found.back().first != "qop")
        return malformed("not of the form name=value", header_name);
      found.back().second += "," + name;
      continue;
    }
    if (name.empty())
      return malformed("not of the form name=value", header_name);
    in.skip_blanks();
    std::string text;
    if (in.take('"')) {
      auto inside = in.quoted();
      if (!inside)
        return malformed("the quotation mark is not closed", name);
      text = std::move(*inside);
    } else {
      text = std::string{in.until(", \t")};
    }
    for (const auto& [other, unused] : found)
      if (other == name)
        return malformed("given twice", name);
    if (found.size() == max_parameters)
      return fail(problem::too_large, "more than 32 parameters", header_name);
    found.emplace_back(std::move(name), std::move(text));
  }
}

const std::string* get(const parameters& in, std::string_view name) {
  for (const auto& [key, value] : in)
    if (key == name)
      return &value;
  return nullptr;
}

std::string get_or_empty(const parameters& in, std::string_view name) {
  const auto* value = get(in, name);
  return value != nullptr ? *value : std::string{};
}

status check_algorithm(const parameters& in) {
  const auto* algorithm = get(in, "algorithm");
  if (algorithm != nullptr && !same_token(*algorithm, "MD5"))
    return fail(problem::unsupported, "is not MD5", "algorithm");
  return success();
}

void put(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append("=\"");
  for (const char c : value) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  out += '"';
}

std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const auto* part = parts.begin(); part != parts.end(); ++part) {
    if (part != parts.begin())
      out += ':';
    out += *part;
  }
  return out;
}

} // namespace

std::optional<std::array<std::uint8_t, 16>> md5(std::string_view octets) {
  std::array<std::uint8_t, 16> sum{};
  unsigned size = 0;
  if (EVP_Digest(octets.data(), octets.size(), sum.data(), &size, EVP_md5(), nullptr) != 1 ||
      size != sum.size())
    return {};
  return sum;
}

std::string md5_hex(std::string_view octets) {
  const auto sum = md5(octets);
  return sum ? to_hex(sum->data(), sum->size()) : std::string{};
}

std::string digest_ha1(std::string_view user, std::string_view realm, std::string_view password) {
  return md5_hex(join({user, realm, password}));
}

result<digest_challenge> parse_challenge(std::string_view value) {
  auto found = scan(value, "WWW-Authenticate");
  if (!found)
    return found.error();
  if (auto good = check_algorithm(*found); !good)
    return good.error();
  digest_challenge c;
  c.realm = get_or_empty(*found, "realm");
  c.nonce = get_or_empty(*found, "nonce");
  c.opaque = get_or_empty(*found, "opaque");
  c.stale = same_token(get_or_empty(*found, "stale"), "true");
  if (c.realm.empty() || c.nonce.empty())
    return malformed("missing", c.realm.empty() ? "realm" : "nonce");
  const auto* qop = get(*found, "qop");
  if (qop != nullptr) {
    scanner words{*qop};
    for (words.skip_separators(); !words.end(); words.skip_separators()) {
      const auto word = words.until(", \t");
      c.auth = c.auth || same_token(word, "auth");
      c.auth_int = c.auth_int || same_token(word, "auth-int");
    }
    if (!c.auth && !c.auth_int)
      return fail(problem::unsupported, "neither auth nor auth-int", "qop");
  }
  return c;
}

result<digest_challenge> find_challenge(const headers& fields) {
  failure why = fail(problem::malformed, "missing", "WWW-Authenticate");
  for (const auto& [name, value] : fields) {
    if (!same_token(name, "WWW-Authenticate"))
      continue;
    auto c = parse_challenge(value);
    if (c)
      return c;
    why = c.error();
  }
  return why;
}

std::string write_challenge(const digest_challenge& c) {
  std::string out = "Digest ";
  put(out, "realm", c.realm);
  put(out.append(", "), "nonce", c.nonce);
  put(out.append(","), "stale", c.stale ? "true" : "false");
  if (c.auth || c.auth_int)
    put(out.append(","), "qop", c.auth ? (c.auth_int ? "auth-int, auth" : "auth") : "auth-int");
  if (!c.opaque.empty())
    put(out.append(","), "opaque", c.opaque);
  return out;
}

result<digest_authorization> parse_authorization(std::string_view value) {
  auto found = scan(value, "Authorization");
  if (!found)
    return found.error();
  if (auto good = check_algorithm(*found); !good)
    return good.error();
  for (const auto* name : {"username", "realm", "nonce", "uri", "response"})
    if (get(*found, name) == nullptr)
      return malformed("missing", name);
  digest_authorization a{get_or_empty(*found, "username"), get_or_empty(*found, "realm"),
                         get_or_empty(*found, "nonce"),    get_or_empty(*found, "uri"),
                         get_or_empty(*found, "qop"),      get_or_empty(*found, "response"),
                         get_or_empty(*found, "nc"),       get_or_empty(*found, "cnonce"),
                         get_or_empty(*found, "opaque")};
  if (!a.qop.empty() && a.qop != "auth" && a.qop != "auth-int")
    return fail(problem::unsupported, "neither auth nor auth-int", "qop");
  // The client's nonce may be empty (MPS makes it from a random number), nc may not.
  if (!a.qop.empty() && a.nc.empty())
    return malformed("missing", "nc");
  return a;
}

std::string write_authorization(const digest_authorization& a) {
  std::string out = "Digest ";
  put(out, "username", a.user);
  put(out.append(","), "realm", a.realm);
  put(out.append(","), "nonce", a.nonce);
  put(out.append(","), "uri", a.uri);
  if (!a.qop.empty())
    put(out.append(","), "qop", a.qop);
  put(out.append(","), "response", a.response);
  if (!a.qop.empty()) {
    put(out.append(","), "nc", a.nc);
    put(out.append(","), "cnonce", a.cnonce);
  }
  if (!a.opaque.empty())
    put(out.append(","), "opaque", a.opaque);
  return out;
}

std::string digest_response(const digest_authorization& a, std::string_view ha1,
                            std::string_view method, std::string_view body) {
  const auto ha2 = a.qop == "auth-int" ? md5_hex(join({method, a.uri, md5_hex(body)}))
                                       : md5_hex(join({method, a.uri}));
  if (a.qop.empty())
    return md5_hex(join({ha1, a.nonce, ha2}));
  return md5_hex(join({ha1, a.nonce, a.nc, a.cnonce, a.qop, ha2}));
}

bool verify(const digest_authorization& a, std::string_view ha1, std::string_view method,
            std::string_view body) {
  std::string given = a.response;
  std::transform(given.begin(), given.end(), given.begin(), ascii_lower);
  const auto due = digest_response(a, ha1, method, body);
  return !ha1.empty() && !due.empty() && due.size() == given.size() &&
         CRYPTO_memcmp(due.data(), given.data(), due.size()) == 0;
}

bool digest_session::learn(const digest_challenge& c) {
  const bool fresh = c.nonce != challenge_.nonce || c.realm != challenge_.realm;
  if (fresh)
    nc_ = 0;
  challenge_ = c;
  return fresh;
}

result<std::string> digest_session::authorize(std::string_view user, std::string_view password,
                                              std::string_view method, std::string_view uri,
                                              std::string_view cnonce, std::string_view body) {
  if (!ready())
    return fail(problem::device_auth, "no challenge was received yet", "nonce");
  const auto ha1 = digest_ha1(user, challenge_.realm, password);
  if (ha1.empty())
    return fail(problem::internal, "this OpenSSL refuses MD5, which AMT needs");
  ++nc_;
  char nc[16];
  std::snprintf(nc, sizeof nc, "%08x", static_cast<unsigned>(nc_));
  digest_authorization a;
  a.user = user;
  a.realm = challenge_.realm;
  a.nonce = challenge_.nonce;
  a.uri = uri;
  a.opaque = challenge_.opaque;
  if (challenge_.auth || challenge_.auth_int) {
    a.qop = challenge_.auth ? "auth" : "auth-int";
    a.nc = nc;
    a.cnonce = cnonce;
  }
  a.response = digest_response(a, ha1, method, body);
  return write_authorization(a);
}

} // namespace outband::http
