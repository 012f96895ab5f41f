#include "messages/wsman/talk.hpp"

#include <utility>

namespace outband::wsman {

namespace {

constexpr std::size_t max_exchanges = 200;
constexpr int max_pulls = 10;
constexpr std::size_t max_items = 1000;
constexpr std::size_t max_context = 128;

failure odd(std::string detail) {
  return fail(problem::device_protocol, std::move(detail));
}

/// For error texts: what the firmware sent may be anything.
std::string cut(std::string_view text) {
  return "'" + std::string(text.substr(0, 40)) + "'";
}

/// To those questions of a run that nobody will put any more; never seen outside.
failure unanswered() {
  return fail(problem::internal, "the firmware has not been asked yet");
}

} // namespace

void talk::rewind() {
  at_ = 0;
  if (!broken_)
    label_.clear();
}

failure talk::give_up(failure why) {
  if (!broken_)
    broken_ = why;
  return why;
}

const response* talk::last() const {
  return at_ == 0 || at_ > done_.size() ? nullptr : &done_[at_ - 1]->answer;
}

bool talk::refused_with(std::string_view subcode) const {
  const auto* answer = last();
  return answer != nullptr && answer->refused && answer->refused->subcode == subcode;
}

bool talk::is_absent() const {
  return refused_with("DestinationUnreachable") || refused_with("ActionNotSupported") ||
         refused_with("InvalidResourceURI");
}

failure talk::refusal() const {
  const auto& f = *last()->refused;
  std::string text = "the firmware refused";
  if (!f.subcode.empty())
    text += " with " + f.subcode.substr(0, 80);
  if (!f.reason.empty())
    text += ": " + f.reason.substr(0, 200);
  return fail(problem::device_refused, std::move(text));
}

const response* talk::ask(std::string_view cls, std::string_view verb, std::string action,
                          const std::string& body, const std::vector<selector>& at, effect what) {
  if (waits() || broken_)
    return nullptr;
  request_header header{std::move(action), class_uri(cls),
                        first_id_ + static_cast<std::uint32_t>(at_), at};
  label_ = std::string(cls) + " " + std::string(verb);
  auto soap = write_request(header, body);
  if (at_ < done_.size()) {
    const auto& known = *done_[at_];
    if (known.asked != soap) {
      give_up(fail(problem::internal, "the operation asked something else this time"));
      return nullptr;
    }
    ++at_;
    return &known.answer;
  }
  if (done_.size() == max_exchanges) {
    give_up(odd("the conversation does not end after 200 requests"));
    return nullptr;
  }
  request_ = std::move(soap);
  asked_effect_ = what;
  return nullptr;
}

void talk::feed(int http_status, std::string_view body) {
  if (!waits())
    return;
  auto asked = std::exchange(request_, {});
  auto known = std::make_unique<exchange>();
  known->asked = std::move(asked);
  if (http_status == 401) {
    give_up(fail(problem::device_auth, "the firmware refused the user name or password"));
    return;
  }
  if (http_status != 200 && http_status != 400 && http_status != 500) {
    give_up(odd("unexpected HTTP status " + std::to_string(http_status)));
    return;
  }
  if (http_status != 200 && body.empty()) { // some firmware says no more than that
    known->answer.refused =
        fault{{}, {}, "HTTP " + std::to_string(http_status) + " without explanation"};
    done_.push_back(std::move(known));
    return;
  }
  auto answer = parse_response(body);
  if (!answer) {
    give_up(odd(answer.error().detail));
    return;
  }
  const auto id = std::to_string(first_id_ + done_.size());
  if (answer->relates_to != id) {
    give_up(odd("the answer relates to message " + cut(answer->relates_to) + ", not to " + id));
    return;
  }
  if (http_status != 200 && !answer->refused) {
    give_up(odd("HTTP " + std::to_string(http_status) + " without a SOAP fault"));
    return;
  }
  known->answer = std::move(*answer);
  done_.push_back(std::move(known));
}

result<const node*> talk::instance_in(const response& answer, std::string_view cls) {
  const auto uri = class_uri(cls);
  std::string got;
  for (const auto& c : answer.body.children) {
    if (c.name == cls && c.ns == uri)
      return &c;
    if (got.size() < 80)
      got += (got.empty() ? "" : ", ") + c.name.substr(0, 60);
  }
  return give_up(
      odd("the answer holds no " + std::string(cls) + " but " + (got.empty() ? "nothing" : got)));
}

result<const node*> talk::get(std::string_view cls, const std::vector<selector>& at) {
  const auto* answer = ask(cls, "Get", std::string(action::get), {}, at, effect::none);
  if (answer == nullptr)
    return unanswered();
  if (answer->refused)
    return refusal();
  return instance_in(*answer, cls);
}

result<const std::vector<node>*> talk::list(std::string_view cls) {
  if (waits() || broken_)
    return unanswered();
  const auto first = at_;
  if (auto known = lists_.find(first); known != lists_.end()) {
    at_ += known->second.exchanges;
    label_ = std::string(cls) + " Pull";
    return &known->second.items;
  }
  const auto* answer =
      ask(cls, "Enumerate", std::string(action::enumerate), enumerate_body(), {}, effect::none);
  if (answer == nullptr)
    return unanswered();
  if (answer->refused)
    return refusal();
  const auto* told = answer->body.find({"EnumerateResponse", "EnumerationContext"});
  if (told == nullptr || told->value().empty() || told->value().size() > max_context)
    return give_up(odd("the answer holds no EnumerationContext of at most 128 octets"));
  std::string context(told->value());
  std::vector<const node*> batches;
  std::size_t count = 0;
  for (int pulls = 0;; ++pulls) {
    if (pulls == max_pulls)
      return give_up(odd("the list does not end after 10 Pulls"));
    answer = ask(cls, "Pull", std::string(action::pull), pull_body(context), {}, effect::none);
    if (answer == nullptr)
      return unanswered();
    if (answer->refused)
      return refusal();
    const auto* batch = answer->body.child("PullResponse");
    if (batch == nullptr)
      return give_up(odd("the answer holds no PullResponse"));
    if (const auto* items = batch->child("Items")) {
      count += items->children.size();
      if (count > max_items)
        return give_up(odd("the firmware listed more than 1000 items"));
      batches.push_back(items);
    }
    const auto more = batch->child_text("EnumerationContext");
    if (more.empty() || batch->child("EndOfSequence") != nullptr)
      break;
    if (more.size() > max_context)
      return give_up(odd("the answer holds no EnumerationContext of at most 128 octets"));
    context = more;
  }
  auto& whole = lists_[first];
  whole.exchanges = at_ - first;
  whole.items.reserve(count);
  for (const auto* b : batches)
    whole.items.insert(whole.items.end(), b->children.begin(), b->children.end());
  return &whole.items;
}

result<const node*> talk::put(std::string_view cls, const std::string& properties,
                              const std::vector<selector>& at, effect what) {
  const auto* answer = ask(cls, "Put", std::string(action::put),
                           class_body(cls, class_uri(cls), properties), at, what);
  if (answer == nullptr)
    return unanswered();
  if (answer->refused)
    return refusal();
  if (answer->body.children.empty()) // some classes echo nothing
    return static_cast<const node*>(nullptr);
  return instance_in(*answer, cls);
}

result<returned> talk::invoke(std::string_view cls, std::string_view method,
                              const std::string& parameters, effect what,
                              const std::vector<selector>& at) {
  const auto uri = class_uri(cls);
  const std::string name(method);
  const auto* answer =
      ask(cls, method, uri + "/" + name, class_body(name + "_INPUT", uri, parameters), at, what);
  if (answer == nullptr)
    return unanswered();
  if (answer->refused)
    return refusal();
  for (const auto& c : answer->body.children)
    if (c.name == name + "_OUTPUT" && c.ns == uri) {
      auto value = number_in(c, "ReturnValue");
      if (!value)
        return give_up(value.error());
      return returned{&c, *value};
    }
  return give_up(odd("the answer holds no " + name + "_OUTPUT"));
}

result<endpoint> talk::create(std::string_view cls, const std::string& properties) {
  const auto* answer = ask(cls, "Create", std::string(action::create),
                           class_body(cls, class_uri(cls), properties), {}, effect::change);
  if (answer == nullptr)
    return unanswered();
  if (answer->refused)
    return refusal();
  const auto* created = answer->body.child("ResourceCreated");
  auto to = created == nullptr ? std::nullopt : read_endpoint(*created);
  if (!to)
    return give_up(odd("the answer does not say what was created"));
  return *to;
}

result<const node*> talk::send(std::string_view cls, std::string_view action,
                               const std::string& body, effect what,
                               const std::vector<selector>& at) {
  const auto* answer =
      ask(cls, action.substr(action.rfind('/') + 1), std::string(action), body, at, what);
  if (answer == nullptr)
    return unanswered();
  if (answer->refused)
    return refusal();
  return &answer->body;
}

status talk::remove(std::string_view cls, const std::vector<selector>& at) {
  const auto* answer = ask(cls, "Delete", std::string(action::delete_), {}, at, effect::change);
  if (answer == nullptr)
    return unanswered();
  if (answer->refused)
    return refusal();
  return success();
}

// -- properties ---------------------------------------------------------------------------------

std::vector<const node*> instances(const std::vector<node>& items, std::string_view cls) {
  std::vector<const node*> out;
  const auto uri = class_uri(cls);
  for (const auto& i : items)
    if (i.name == cls && i.ns == uri)
      out.push_back(&i);
  return out;
}

result<std::uint32_t> number_in(const node& instance, std::string_view property,
                                std::uint32_t max) {
  if (instance.child(property) == nullptr)
    return odd(instance.name + "." + std::string(property) + " is missing");
  return number_or(instance, property, 0, max);
}

result<std::uint32_t> number_or(const node& instance, std::string_view property,
                                std::uint32_t otherwise, std::uint32_t max) {
  const auto* found = instance.child(property);
  if (found == nullptr)
    return otherwise;
  const auto value = to_number(found->value());
  if (!value || *value > max)
    return odd(instance.name + "." + std::string(property) + " is " + cut(found->value()) +
               ", not a number from 0 to " + std::to_string(max));
  return *value;
}

result<bool> bool_or(const node& instance, std::string_view property, bool otherwise) {
  const auto* found = instance.child(property);
  if (found == nullptr)
    return otherwise;
  const auto value = to_bool(found->value());
  if (!value)
    return odd(instance.name + "." + std::string(property) + " is " + cut(found->value()) +
               ", neither true nor false");
  return *value;
}

result<std::string> text_in(const node& instance, std::string_view property, std::size_t max) {
  const auto text = instance.child_text(property);
  if (text.size() > max)
    return odd(instance.name + "." + std::string(property) + " is longer than " +
               std::to_string(max) + " octets");
  return std::string(text);
}

} // namespace outband::wsman
