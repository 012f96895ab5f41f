#include "gateway/amt/http_exchange.hpp"

#include "messages/http/writer.hpp"

namespace outband::amt {

namespace {

constexpr int max_attempts = 3;
constexpr std::string_view method = "POST";
constexpr std::string_view target = "/wsman";

} // namespace

bool only_reads(std::string_view envelope) {
  // In the header only: what people typed stands in the body. `<` ends the action's element.
  auto head = envelope.substr(0, envelope.find("Body>"));
  for (const std::string_view action :
       {"http://schemas.xmlsoap.org/ws/2004/09/transfer/Get<",
        "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate<",
        "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull<"})
    if (head.find(action) != std::string_view::npos)
      return true;
  return false;
}

http_exchange::http_exchange(login& who, std::string host, std::string envelope, bool close)
    : who_(who), host_(std::move(host)), envelope_(std::move(envelope)), close_(close),
      reads_(only_reads(envelope_)) {}

result<std::string> http_exchange::request(std::string_view cnonce) {
  ++attempts_;
  parser_ = http::response_parser{};
  challenges_ = who_.challenges;
  std::string authorization;
  authorized_ = who_.digest.ready();
  if (authorized_) {
    auto value =
        who_.digest.authorize(who_.user, who_.password.reveal(), method, target, cnonce, envelope_);
    if (!value)
      return value.error();
    authorization = std::move(*value);
  }
  std::string out;
  if (auto ok = http::write_wsman(host_, authorization, envelope_, out, close_); !ok)
    // The realm is the only part that came from outside.
    return fail(problem::device_protocol, ok.error().detail, ok.error().field);
  return out;
}

http_exchange::verdict http_exchange::on_data(std::string_view octets) {
  parser_.feed(octets);
  auto item = parser_.next();
  if (auto* r = std::get_if<http::response>(&item))
    return judge(std::move(*r));
  if (auto* why = std::get_if<failure>(&item))
    return fail(problem::device_protocol, why->detail, why->field);
  return more{};
}

http_exchange::verdict http_exchange::on_closed() {
  if (parser_.between_messages())
    return lost{};
  auto item = parser_.finish();
  if (auto* r = std::get_if<http::response>(&item)) {
    r->keep_alive = false;
    auto v = judge(std::move(*r));
    if (auto* d = std::get_if<done>(&v))
      d->keep = false;
    else if (auto* a = std::get_if<again>(&v))
      a->keep = false;
    return v;
  }
  if (auto* why = std::get_if<failure>(&item))
    return fail(problem::device_protocol, why->detail, why->field);
  return fail(problem::device_protocol, "the response ended too early");
}

http_exchange::verdict http_exchange::judge(http::response r) {
  if (r.status == 401)
    return refused(r);
  // Octets after the response belong to nothing we asked: do not trust that connection again.
  const auto rest = parser_.next();
  const bool clean = std::holds_alternative<http::starved>(rest) && parser_.between_messages();
  return done{{r.status, std::move(r.body)}, r.keep_alive && clean};
}

http_exchange::verdict http_exchange::refused(const http::response& r) {
  const auto challenge = http::find_challenge(r.fields);
  if (!challenge)
    return fail(problem::device_auth,
                "the firmware asks for an authentication that is not digest: " +
                    challenge.error().detail);
  // Another call of this machine was given a newer nonce while ours was on its way.
  const bool overtaken = authorized_ && challenges_ != who_.challenges;
  const bool fresh = who_.digest.learn(*challenge);
  if (fresh)
    ++who_.challenges;
  const bool wrong = authorized_ && !overtaken && ((own_nonce_ && !challenge->stale) || !fresh);
  if (wrong || attempts_ >= max_attempts) {
    // The next call begins without credentials, lest every call cost one failed logon more.
    who_.digest.forget();
    return fail(problem::device_auth, "the firmware refused the user '" + who_.user +
                                          "' or its password (or has locked the account)");
  }
  own_nonce_ = true;
  return again{r.keep_alive};
}

} // namespace outband::amt
