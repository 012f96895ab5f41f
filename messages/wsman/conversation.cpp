#include "messages/wsman/conversation.hpp"

#include <utility>

namespace outband::wsman {

namespace {

/// What the firmware said, as against what the function made of it.
bool is_the_devices(problem p) {
  return p == problem::device_protocol || p == problem::device_refused || p == problem::device_auth;
}

} // namespace

struct conversation_base::state {
  state(run_once r, std::uint32_t first_id) : run(std::move(r)), talk(first_id) {}

  run_once run;
  wsman::talk talk;
  bool ran = false;
  bool handed_out = false;
  bool changed = false;
  bool over = false;
  std::optional<failure> why;

  /// Until it asks something, or is over.
  void go_on() {
    ran = true;
    handed_out = false;
    talk.rewind();
    auto told = run(talk);
    if (talk.broken())
      told = *talk.broken();
    else if (talk.waits())
      return;
    if (told && is_the_devices(told->what) && !talk.last_question().empty())
      told->detail = talk.last_question() + ": " + told->detail;
    why = std::move(told);
    over = true;
  }
};

conversation_base::conversation_base(run_once run, std::uint32_t first_message_id)
    : state_(std::make_unique<state>(std::move(run), first_message_id)) {}
conversation_base::conversation_base(conversation_base&&) noexcept = default;
conversation_base& conversation_base::operator=(conversation_base&&) noexcept = default;
conversation_base::~conversation_base() = default;

std::optional<std::string> conversation_base::next_request() {
  if (!state_->ran)
    state_->go_on();
  if (finished())
    return std::nullopt;
  state_->handed_out = true;
  return state_->talk.request();
}

void conversation_base::feed(int http_status, std::string_view body) {
  if (!state_->ran)
    state_->go_on();
  if (finished())
    return;
  state_->changed = state_->changed || (state_->talk.change_asked() && http_status == 200);
  state_->talk.feed(http_status, body);
  state_->go_on();
}

bool conversation_base::finished() const {
  return state_->over;
}

bool conversation_base::change_sent() const {
  return !finished() && state_->handed_out && state_->talk.change_asked();
}

bool conversation_base::changed_something() const {
  return state_->changed;
}

const std::string& conversation_base::last_question() const {
  return state_->talk.last_question();
}

const std::optional<failure>& conversation_base::why() const {
  return state_->why;
}

} // namespace outband::wsman
