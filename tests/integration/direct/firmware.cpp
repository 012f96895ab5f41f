#include "firmware.hpp"

#include "messages/domain/ids.hpp"
#include "messages/domain/text.hpp"
#include "messages/http/digest.hpp"
#include "messages/http/writer.hpp"
#include "messages/wsman/answers.hpp"
#include "messages/wsman/envelope.hpp"

namespace outband::test {

namespace {

constexpr const char* server = "Intel(R) Active Management Technology 16.1.25";

std::string written(const http::response& r, bool chunked) {
  std::string out;
  const auto ok = chunked ? http::write_chunked(r, out) : http::write_sized(r, out);
  return ok ? out : std::string("HTTP/1.1 500 broken test\r\n\r\n");
}

std::string who_answer(const http::request& r, const std::string& guid) {
  const auto asked = wsman::parse_request(r.body);
  const auto id = swap_smbios(*parse_uuid(guid));
  wsman::answer_header h{asked ? asked->action : "", asked ? asked->message_id : "",
                         wsman::class_uri("CIM_ComputerSystemPackage"), 1};
  return wsman::write_instance(h, {"CIM_ComputerSystemPackage",
                                   {{"PlatformGUID", to_hex(id.bytes.data(), id.bytes.size())}}});
}

} // namespace

std::string ok_octets(const std::string& body, bool keep) {
  auto r = http::amt_answer(200, "Thu, 01 Jan 2026 00:00:00 GMT", server, body);
  r.keep_alive = keep;
  return written(r, true);
}

void firmware::behave(behaviour b) {
  const std::lock_guard lock{mutex_};
  behaviour_ = std::move(b);
}

void firmware::ask_again() {
  const std::lock_guard lock{mutex_};
  ++nonce_;
}

bool firmware::wait_authorized(int n) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return authorized_ >= n; });
}

firmware::reply firmware::answer(const http::request& r) {
  behaviour what;
  std::string guid_now;
  {
    const std::lock_guard lock{mutex_};
    ++requests_;
    http::digest_challenge c;
    c.realm = "Digest:34BF4B5A0561F95248F58509A406E046";
    c.nonce = "nonce" + std::to_string(nonce_);
    c.auth = true;
    const auto* given = http::find(r.fields, "Authorization");
    const auto a = given ? http::parse_authorization(*given)
                         : result<http::digest_authorization>(fail(problem::not_found));
    const bool ok =
        a && a->nonce == c.nonce &&
        http::verify(*a, http::digest_ha1("admin", c.realm, password), r.method, r.body);
    if (!ok) {
      auto refused = http::amt_unauthorized(http::write_challenge(c), server);
      refused.keep_alive = !close_after_401;
      return {written(refused, false), close_after_401};
    }
    guid_now = guid;
    what = behaviour_;
  }
  if (r.body.find("CIM_ComputerSystemPackage") != std::string::npos)
    return {ok_octets(who_answer(r, guid_now)), false};
  {
    const std::lock_guard lock{mutex_};
    ++authorized_;
    changed_.notify_all();
  }
  return what ? what(r) : reply{ok_octets(r.body), false};
}

firmware::reply firmware::connection::take(std::string_view octets) {
  parser_.feed(octets);
  reply all;
  while (!all.close) {
    auto item = parser_.next();
    const auto* r = std::get_if<http::request>(&item);
    if (r == nullptr) {
      all.close = std::holds_alternative<failure>(item);
      return all;
    }
    auto one = firmware_.answer(*r);
    all.octets += one.octets;
    all.close = one.close;
  }
  return all;
}

} // namespace outband::test
