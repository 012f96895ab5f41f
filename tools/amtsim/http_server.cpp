#include "tools/amtsim/http_server.hpp"

#include "messages/http/digest.hpp"
#include "messages/http/writer.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/activation_state.hpp"
#include "tools/amtsim/event_log_state.hpp"

#include <utility>

namespace outband::amtsim {

namespace {

std::string server_name(const device_model& d) {
  const auto& kind = d.shared().kind;
  return "Intel(R) Active Management Technology " + kind.version + "." + kind.build;
}

http_reply unauthorized(device_model& device, bool stale) {
  http::digest_challenge challenge;
  challenge.stale = stale;
  challenge.realm = device.who().realm;
  challenge.nonce = device.new_nonce();
  challenge.auth = true;
  http_reply out;
  out.status = 401;
  out.close = true;
  const auto page = http::amt_unauthorized(http::write_challenge(challenge), server_name(device));
  if (!http::write_sized(page, out.octets))
    out.octets.clear(); // only a realm with a line break could cause that
  return out;
}

/// Firmware's answer to what it does not understand at all has no body.
http_reply plain(int status, const device_model& device) {
  http::response r{status,
                   std::string(http::reason_phrase(status)),
                   {{"Server", server_name(device)}},
                   {},
                   false};
  http_reply out;
  out.status = status;
  out.close = true;
  out.what = "malformed";
  if (!http::write_sized(r, out.octets))
    out.octets.clear();
  return out;
}

/// Firmware warns of guessing, and may lock everybody out for a while.
void count_failure(device_model& device, sim_time now) {
  if (++device.failed_logins % 10 == 0)
    append_event(device, {6, 5, 16, 38, {0xAA, device.failed_logins}}, device.clock_s(now));
  if (device.activation->lock.count() > 0 && device.failed_logins % 3 == 0)
    device.activation.change().locked_until = now + device.activation->lock;
}

/// Who signed in; nothing: nobody whom the machine knows.
std::optional<std::string> signed_in(const http::request& r, origin from, device_model& device,
                                     sim_time now) {
  const auto* value = http::find(r.fields, "Authorization");
  if (value == nullptr)
    return std::nullopt;
  const auto said = http::parse_authorization(*value);
  if (!said)
    return std::nullopt;
  if (said->realm != device.who().realm || !device.knows_nonce(said->nonce))
    return std::nullopt;
  const bool locked = now < device.activation->locked_until && said->user != local_user;
  const auto ha1 = secret_of(device, said->user, from);
  if (locked || ha1.empty() || !http::verify(*said, ha1, r.method, r.body)) {
    if (!locked)
      count_failure(device, now);
    return std::nullopt;
  }
  device.failed_logins = 0;
  return said->user;
}

} // namespace

std::optional<http_reply> http_server::next(device_model& device, fault_set& faults, sim_time now,
                                            std::string_view date) {
  auto item = parser_.next();
  if (std::holds_alternative<http::starved>(item))
    return std::nullopt;
  if (std::holds_alternative<failure>(item))
    return plain(400, device);
  const auto& request = std::get<http::request>(item);
  if (request.target != "/wsman")
    return plain(404, device);
  if (request.method != "POST")
    return plain(405, device);
  const auto& secure = device.activation->secure;
  const bool known = secure && known_peer_ == secure->client_hash;
  auto user = signed_in(request, from_, device, now);
  if (!user && known)
    user = device.who().amt_user;
  if (!user || faults.take(fault_kind::bad_digest))
    return unauthorized(device, false);
  if (faults.take(fault_kind::stale_nonce))
    return unauthorized(device, true);
  if (is_busy(device, now)) {
    auto busy = plain(503, device);
    busy.what = "busy";
    return busy;
  }
  http_reply out;
  if (faults.take(fault_kind::empty_fault)) {
    auto empty = plain(400, device);
    empty.what = "refused";
    return empty;
  }
  if (faults.take(fault_kind::no_answer)) {
    out.silent = true;
    out.what = "swallowed";
    return out;
  }
  auto reply = serve_wsman(request.body, device, faults, now, {*user, from_});
  out.status = reply.http_status;
  out.what = std::move(reply.what);
  if (reply.cut) {
    out.cut = out.close = true;
    return out;
  }
  auto answer =
      http::amt_answer(reply.http_status, date, server_name(device), std::move(reply.xml));
  if (!request.keep_alive)
    answer.keep_alive = false;
  out.close = !answer.keep_alive;
  if (!http::write_chunked(answer, out.octets))
    return plain(500, device);
  out.delay = reply.delay + device.shared().times.answer +
              faults.take(fault_kind::slow).value_or(sim_time{0});
  if (faults.take(fault_kind::endless)) {
    const std::string_view end = "0\r\n\r\n";
    out.octets.resize(out.octets.size() - end.size());
    out.repeat = "0400\r\n" + std::string(1024, ' ') + "\r\n";
  }
  if (faults.take(fault_kind::truncate)) {
    out.octets.resize(out.octets.size() / 2);
    out.close = true;
  }
  return out;
}

} // namespace outband::amtsim
