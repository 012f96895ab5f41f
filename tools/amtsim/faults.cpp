#include "tools/amtsim/faults.hpp"

#include <algorithm>
#include <array>

namespace outband::amtsim {

namespace {

constexpr std::size_t max_orders = 16;

constexpr std::array<fault_kind, 34> all{fault_kind::drop,
                                         fault_kind::rst,
                                         fault_kind::garbage,
                                         fault_kind::reboot,
                                         fault_kind::stall,
                                         fault_kind::silent_keepalive,
                                         fault_kind::bad_digest,
                                         fault_kind::slow,
                                         fault_kind::truncate,
                                         fault_kind::no_answer,
                                         fault_kind::bad_xml,
                                         fault_kind::wrong_relates_to,
                                         fault_kind::wrong_class,
                                         fault_kind::huge_text,
                                         fault_kind::deep_xml,
                                         fault_kind::endless,
                                         fault_kind::soap_fault,
                                         fault_kind::empty_fault,
                                         fault_kind::refuse_graceful,
                                         fault_kind::ignore_graceful,
                                         fault_kind::ignore_power,
                                         fault_kind::unknown_return_value,
                                         fault_kind::setup_unanswered,
                                         fault_kind::slow_setup,
                                         fault_kind::setup_error,
                                         fault_kind::setup_refused,
                                         fault_kind::commit_unanswered,
                                         fault_kind::unprovision_unanswered,
                                         fault_kind::password_unanswered,
                                         fault_kind::stale_nonce,
                                         fault_kind::mei_busy,
                                         fault_kind::mei_not_ready,
                                         fault_kind::mei_silent,
                                         fault_kind::mei_garbage};

} // namespace

std::string_view to_string(fault_kind k) {
  switch (k) {
  case fault_kind::drop:
    return "drop";
  case fault_kind::rst:
    return "rst";
  case fault_kind::garbage:
    return "garbage";
  case fault_kind::reboot:
    return "reboot";
  case fault_kind::stall:
    return "stall";
  case fault_kind::silent_keepalive:
    return "silent_keepalive";
  case fault_kind::bad_digest:
    return "bad_digest";
  case fault_kind::slow:
    return "slow";
  case fault_kind::truncate:
    return "truncate";
  case fault_kind::no_answer:
    return "no_answer";
  case fault_kind::bad_xml:
    return "bad_xml";
  case fault_kind::wrong_relates_to:
    return "wrong_relates_to";
  case fault_kind::wrong_class:
    return "wrong_class";
  case fault_kind::huge_text:
    return "huge_text";
  case fault_kind::deep_xml:
    return "deep_xml";
  case fault_kind::endless:
    return "endless";
  case fault_kind::soap_fault:
    return "soap_fault";
  case fault_kind::empty_fault:
    return "empty_fault";
  case fault_kind::refuse_graceful:
    return "refuse_graceful";
  case fault_kind::ignore_graceful:
    return "ignore_graceful";
  case fault_kind::ignore_power:
    return "ignore_power";
  case fault_kind::unknown_return_value:
    return "unknown_return_value";
  case fault_kind::setup_unanswered:
    return "setup_unanswered";
  case fault_kind::slow_setup:
    return "slow_setup";
  case fault_kind::setup_error:
    return "setup_error";
  case fault_kind::setup_refused:
    return "setup_refused";
  case fault_kind::commit_unanswered:
    return "commit_unanswered";
  case fault_kind::unprovision_unanswered:
    return "unprovision_unanswered";
  case fault_kind::password_unanswered:
    return "password_unanswered";
  case fault_kind::stale_nonce:
    return "stale_nonce";
  case fault_kind::mei_busy:
    return "mei_busy";
  case fault_kind::mei_not_ready:
    return "mei_not_ready";
  case fault_kind::mei_silent:
    return "mei_silent";
  case fault_kind::mei_garbage:
    return "mei_garbage";
  }
  return {};
}

std::optional<fault_kind> parse_fault_kind(std::string_view text) {
  for (auto k : all)
    if (to_string(k) == text)
      return k;
  return std::nullopt;
}

bool is_immediate(fault_kind k) {
  return k == fault_kind::drop || k == fault_kind::rst || k == fault_kind::garbage ||
         k == fault_kind::reboot;
}

bool is_lasting(fault_kind k) {
  return k == fault_kind::stall || k == fault_kind::silent_keepalive;
}

bool fault_set::add(fault_kind kind, sim_time ms, std::uint32_t count, sim_time now) {
  orders_.erase(std::remove_if(orders_.begin(), orders_.end(),
                               [&](const order& o) {
                                 return is_lasting(o.kind) && o.until.count() != 0 &&
                                        o.until <= now;
                               }),
                orders_.end());
  if (orders_.size() == max_orders)
    return false;
  const bool timed = is_lasting(kind) && ms.count() > 0;
  orders_.push_back({kind, is_lasting(kind) ? 0 : count, ms, timed ? now + ms : sim_time{0}});
  return true;
}

std::optional<sim_time> fault_set::take(fault_kind kind) {
  for (auto o = orders_.begin(); o != orders_.end(); ++o) {
    if (o->kind != kind)
      continue;
    const auto ms = o->ms;
    if (o->left == 1)
      orders_.erase(o);
    else if (o->left > 1)
      --o->left;
    return ms;
  }
  return std::nullopt;
}

bool fault_set::lasts(fault_kind kind, sim_time now) {
  for (auto o = orders_.begin(); o != orders_.end(); ++o) {
    if (o->kind != kind)
      continue;
    if (o->until.count() == 0 || now < o->until)
      return true;
  }
  return false;
}

std::optional<sim_time> fault_set::next_end(sim_time now) const {
  std::optional<sim_time> out;
  for (const auto& o : orders_)
    if (is_lasting(o.kind) && o.until > now && (!out || o.until < *out))
      out = o.until;
  return out;
}

} // namespace outband::amtsim
