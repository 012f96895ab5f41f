#include "messages/rps/command.hpp"

#include <vector>

namespace outband::rps {

namespace {

constexpr std::size_t max_words = 32;
constexpr std::size_t max_profile = 128;
constexpr std::size_t max_password = 128;

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find(' '));
}

struct task_flag {
  std::string_view word;
  maintenance_task task;
};
constexpr task_flag task_flags[] = {
    {"--synctime", maintenance_task::sync_time},
    {"--syncip", maintenance_task::sync_ip},
    {"--synchostname", maintenance_task::sync_hostname},
    {"--changepassword", maintenance_task::change_password},
    {"--syncdeviceinfo", maintenance_task::sync_device_info},
};

bool is_flag(std::string_view word) {
  return !word.empty() && word.front() == '-';
}

class reader {
public:
  explicit reader(command& c) : out_(c) {}

  status read(std::string_view text) {
    for (std::size_t at = 0; at <= text.size();) {
      auto end = text.find(' ', at);
      if (end == std::string_view::npos)
        end = text.size();
      if (end > at)
        words_.push_back(text.substr(at, end - at));
      at = end + 1;
      if (words_.size() > max_words)
        return fail(problem::too_large, "The command has too many words.", "method");
    }
    for (at_ = 1; at_ < words_.size(); ++at_)
      if (auto ok = one(words_[at_]); !ok)
        return ok;
    if (out_.act == provisioning_act::maintain && out_.task == maintenance_task::none)
      return fail(problem::malformed, "Missing maintenance task in message.", "method");
    return success();
  }

private:
  /// The word after the present one, unless it is a flag; minimist takes none of those as a value.
  std::optional<std::string_view> value() {
    if (at_ + 1 >= words_.size() || is_flag(words_[at_ + 1]))
      return std::nullopt;
    return words_[++at_];
  }

  status one(std::string_view word) {
    if (word == "-f" || word == "--force") {
      // Understood, and of no effect: in RPS it lifts the comparison with the stored password.
    } else if (word == "--profile") {
      const auto name = value();
      if (name && name->size() > max_profile)
        return fail(problem::too_large, "The profile's name is too long.", "method.profile");
      out_.profile = std::string(name.value_or(""));
    } else if (word == "--password") {
      if (const auto text = value()) {
        if (text->size() > max_password)
          return fail(problem::too_large, "The password is too long.", "method.password");
        out_.password = secret_text(std::string(*text));
      }
    } else if (is_flag(word)) {
      return flag(word);
    } else {
      return bare(word);
    }
    return success();
  }

  status flag(std::string_view word) {
    for (const auto& f : task_flags)
      if (word == f.word) {
        if (out_.task != maintenance_task::none && out_.task != f.task)
          return fail(problem::malformed, "One maintenance task at a time.", "method");
        out_.task = f.task;
        return success();
      }
    // RPS takes none for wanted then and makes a random one.
    if (out_.act == provisioning_act::maintain && words_[at_ - 1] == "--changepassword")
      return fail(problem::malformed,
                  "The new password begins with '-': it cannot be sent this way.", "method");
    // "-password X", as rpc v2 writes it for maintenance, is to minimist a cluster of one-letter
    // flags whose last one takes X: X is not the task's argument, and the password is the
    // payload's.
    value();
    return success();
  }

  status bare(std::string_view word) {
    const bool argument = out_.task == maintenance_task::change_password && !has_argument_;
    if (out_.act == provisioning_act::maintain && argument && word.size() <= max_password) {
      has_argument_ = true;
      out_.task_argument = secret_text(std::string(word));
      return success();
    }
    return fail(problem::malformed,
                "The command has a word too many: profile names and passwords with a blank in them "
                "cannot be sent this way.",
                "method");
  }

  command& out_;
  std::vector<std::string_view> words_;
  std::size_t at_ = 0;
  bool has_argument_ = false;
};

} // namespace

bool is_command(std::string_view method) {
  return parse_provisioning_act(first_word(method)).has_value();
}

result<command> parse_command(std::string_view text) {
  const auto act = parse_provisioning_act(first_word(text));
  if (!act)
    return fail(problem::malformed, "Not a supported method received from AMT device.", "method");
  command out;
  out.act = *act;
  if (auto ok = reader(out).read(text); !ok)
    return ok.error();
  return out;
}

} // namespace outband::rps
