#include "tools/bench/soap.hpp"

#include "messages/http/digest.hpp"
#include "messages/http/writer.hpp"
#include "messages/wsman/envelope.hpp"
#include "tools/amtsim/wsman_server.hpp"

#include <charconv>
#include <cstdio>
#include <stdexcept>

namespace outband::bench {

namespace {

constexpr std::string_view server_name = "Intel(R) Active Management Technology 16.1.25.2049";
constexpr std::string_view any_date = "Sat, 01 Jan 2000 00:00:00 GMT";
constexpr std::string_view some_message = "4294967295"; // RelatesTo while an answer is prepared

/// The text between two marks; our server's requests have one form (messages/wsman/envelope.cpp).
std::string_view between(std::string_view in, std::string_view before, std::string_view after) {
  const auto from = in.find(before);
  if (from == std::string_view::npos)
    return {};
  const auto begin = from + before.size();
  const auto end = in.find(after, begin);
  return end == std::string_view::npos ? std::string_view{} : in.substr(begin, end - begin);
}

/// What becomes of a machine that is asked for this: everything that is a start or a reset is on.
power_state after(int action, power_state now) {
  switch (action) {
  case 2:
  case 5:
  case 10:
  case 9:
  case 14:
    return power_state::on;
  case 4:
    return power_state::sleep_deep;
  case 7:
    return power_state::hibernate;
  case 6:
  case 8:
  case 12:
  case 13:
    return power_state::off_soft;
  default:
    return now;
  }
}

} // namespace

soap_answers::soap_answers() : settings_(std::make_unique<amtsim::settings>()) {
  settings_->kind = *amtsim::find_firmware("amt16");
}

soap_answers::~soap_answers() = default;

amtsim::device_model& soap_answers::model(power_state power) {
  auto& one = models_[power];
  if (!one) {
    amtsim::identity who;
    who.hostname = "bench";
    who.realm = "Digest:00000000000000000000000000000001";
    one = std::make_unique<amtsim::device_model>(who, settings_.get(), 1);
    one->restore(power, 1);
  }
  return *one;
}

const soap_answers::prepared& soap_answers::prepare(std::string_view key, std::string_view body,
                                                    power_state power) {
  const auto id = between(body, "<a:MessageID>", "<");
  std::string asked(body);
  asked.replace(static_cast<std::size_t>(id.data() - body.data()), id.size(), some_message);
  auto& machine = model(power);
  // A context is good for one Pull of the machine that gave it out: make one for this Pull.
  if (const auto context = between(asked, "<EnumerationContext>", "<"); !context.empty()) {
    const auto uri = between(asked, "<w:ResourceURI>", "<");
    const auto fresh = machine.remember(std::string(uri.substr(uri.rfind('/') + 1)), 0);
    asked.replace(static_cast<std::size_t>(context.data() - asked.data()), context.size(), fresh);
  }
  amtsim::fault_set none;
  auto reply = amtsim::serve_wsman(asked, machine, none, amtsim::sim_time{1});
  if (key.find("StateChange") != std::string_view::npos)
    models_.erase(power); // it has begun to do what was asked
  const auto at = reply.xml.find(some_message);
  if (at == std::string::npos)
    throw std::runtime_error("the simulated firmware does not know " + std::string(key));
  return prepared_
      .emplace(std::string(key),
               prepared{reply.xml.substr(0, at), reply.xml.substr(at + some_message.size()),
                        reply.http_status != 200})
      .first->second;
}

void soap_answers::answer(std::string_view body, power_state& power, std::string& out) {
  const auto action = between(body, "<a:Action>", "<");
  const auto uri = between(body, "<w:ResourceURI>", "<");
  const auto id = between(body, "<a:MessageID>", "<");
  key_.assign(action.substr(action.rfind('/') + 1)).append(" ");
  key_.append(uri.substr(uri.rfind('/') + 1)).append(" ");
  key_ += static_cast<char>('A' + static_cast<int>(power));
  const bool changes =
      action.size() > 24 && action.substr(action.size() - 24) == "/RequestPowerStateChange";
  const auto wanted = changes ? between(body, ":PowerState>", "<") : std::string_view{};
  // Whatever else may make a difference, selectors and arguments, stands behind this; of a Pull
  // that is a context, which is new each time and worth the same (see prepare()).
  const auto rest = body.find("</w:OperationTimeout>");
  if (action.substr(action.rfind('/') + 1) != "Pull" && rest != std::string_view::npos)
    key_.append(body.substr(rest));
  const auto known = prepared_.find(key_);
  const auto& text = known != prepared_.end() ? known->second : prepare(key_, body, power);
  if (changes) {
    int number = 0;
    std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
    power = after(number, power);
  }
  // One chunk; firmware sends several of 762 octets, which costs the server's parser a little more.
  const auto size = text.head.size() + id.size() + text.tail.size();
  char line[16];
  std::snprintf(line, sizeof line, "%04X\r\n", static_cast<unsigned>(size));
  out.append(text.fault ? "HTTP/1.1 400 Bad Request\r\nDate: " : "HTTP/1.1 200 OK\r\nDate: ");
  out.append(any_date);
  out.append("\r\nServer: ").append(server_name);
  out.append("\r\nX-Frame-Options: DENY\r\nContent-Type: application/soap+xml; charset=UTF-8\r\n"
             "Transfer-Encoding: chunked\r\n\r\n");
  out.append(line).append(text.head).append(id).append(text.tail).append("\r\n0\r\n\r\n");
}

std::string soap_challenge() {
  http::digest_challenge challenge;
  challenge.realm = "Digest:00000000000000000000000000000001";
  challenge.nonce = "0123456789abcdef0123456789abcdef";
  challenge.auth = true;
  std::string out;
  const auto page = http::amt_unauthorized(http::write_challenge(challenge), server_name);
  if (!http::write_sized(page, out))
    throw std::logic_error("the challenge cannot be written");
  return out;
}

} // namespace outband::bench
