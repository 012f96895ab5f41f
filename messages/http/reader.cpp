#include "messages/http/reader.hpp"

#include "messages/domain/text.hpp"

#include <algorithm>
#include <utility>

namespace outband::http::detail {

namespace {

constexpr std::size_t max_chunk_line = 256; ///< octets, extensions included

bool token_char(char c) {
  const auto u = static_cast<unsigned char>(c);
  if (u <= 0x20 || u >= 0x7F)
    return false;
  return std::string_view{"\"(),/:;<=>?@[\\]{}"}.find(c) == std::string_view::npos;
}

/// Text that may stand in a header value, a target or a reason: no control characters but tab.
bool is_text(std::string_view s) {
  return std::none_of(s.begin(), s.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\t') || u == 0x7F;
  });
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t'))
    s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t'))
    s.remove_suffix(1);
  return s;
}

bool has_list_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (same_token(trim(list.substr(0, comma)), token))
      return true;
    if (comma == std::string_view::npos)
      return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

} // namespace

bool is_token(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), token_char);
}

std::optional<std::size_t> parse_length(std::string_view s) {
  if (s.empty())
    return {};
  std::size_t value = 0;
  for (const char c : s) {
    if (c < '0' || c > '9')
      return {};
    if (value > (SIZE_MAX - 9) / 10)
      value = (SIZE_MAX - 9) / 10;
    else
      value = value * 10 + static_cast<std::size_t>(c - '0');
  }
  return value;
}

void reader::feed(std::string_view octets) {
  if (phase_ == phase::failed)
    return;
  if (at_ > 0) {
    in_.erase(0, at_);
    scanned_ -= std::min(scanned_, at_);
    at_ = 0;
  }
  in_.append(octets);
}

void reader::reset() {
  phase_ = phase::start_line;
  old_version_ = false;
  line_ = {};
  headers{}.swap(fields_);
  std::string{}.swap(body_);
  head_ = 0;
  left_ = 0;
}

reader::advance reader::fail(problem p, std::string detail, std::string field) {
  return fail(outband::fail(p, std::move(detail), std::move(field)));
}

reader::advance reader::fail(failure why) {
  why_ = std::move(why);
  phase_ = phase::failed;
  std::string{}.swap(in_);
  std::string{}.swap(body_);
  at_ = scanned_ = 0;
  return advance::failed;
}

/// A whole line without its CR LF. False: starved, or failed.
bool reader::take_line(std::string_view& line, std::size_t limit, const char* field) {
  const auto from = std::max(at_, scanned_);
  const auto end = in_.find('\n', from);
  const auto size = (end == std::string::npos ? in_.size() : end + 1) - at_;
  if (size > limit) {
    fail(problem::too_large, "longer than " + std::to_string(limit) + " octets", field);
    return false;
  }
  if (end == std::string::npos) {
    scanned_ = in_.size();
    return false;
  }
  if (end == at_ || in_[end - 1] != '\r') {
    fail(problem::malformed, "a line does not end in CR LF", field);
    return false;
  }
  line = std::string_view{in_}.substr(at_, end - 1 - at_);
  at_ = end + 1;
  scanned_ = at_;
  if (!is_text(line)) {
    fail(problem::malformed, "control character", field);
    return false;
  }
  return true;
}

void reader::take_field(std::string_view line) {
  if (fields_.size() >= limits_.header_count) {
    fail(problem::too_large, "more than " + std::to_string(limits_.header_count) + " headers",
         "header");
    return;
  }
  const auto colon = line.find(':');
  // A blank before the colon and a folded line both have an odd name.
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    fail(problem::malformed, "not of the form 'name: value'", "header");
    return;
  }
  fields_.push_back(
      {std::string{line.substr(0, colon)}, std::string{trim(line.substr(colon + 1))}});
}

void reader::take_chunk_size(std::string_view line) {
  std::size_t size = 0;
  std::size_t digits = 0;
  for (; digits < line.size() && hex_digit(line[digits]) >= 0; ++digits) {
    size = size * 16 + static_cast<std::size_t>(hex_digit(line[digits]));
    if (size > limits_.body) {
      fail(problem::too_large, "more than " + std::to_string(limits_.body) + " octets", "body");
      return;
    }
  }
  const auto rest = trim(line.substr(digits));
  if (digits == 0 || (!rest.empty() && rest.front() != ';')) {
    fail(problem::malformed, "not a hexadecimal number", "chunk size");
    return;
  }
  if (size > limits_.body - body_.size()) {
    fail(problem::too_large, "more than " + std::to_string(limits_.body) + " octets", "body");
    return;
  }
  left_ = size;
  phase_ = size == 0 ? phase::trailers : phase::chunk_data;
  head_ = 0;
}

bool reader::take_chunk_end() {
  const auto end = std::string_view{in_}.substr(at_, 2);
  if (end != std::string_view{"\r\n"}.substr(0, end.size())) {
    fail(problem::malformed, "the chunk is longer than announced", "chunk");
    return false;
  }
  if (end.size() < 2)
    return false;
  at_ += 2;
  return true;
}

void reader::begin_body(framing f) {
  switch (f) {
  case framing::none:
    phase_ = phase::complete;
    return;
  case framing::sized:
    phase_ = left_ == 0 ? phase::complete : phase::sized_body;
    return;
  case framing::chunked:
    phase_ = phase::chunk_size;
    return;
  case framing::endless:
    phase_ = phase::endless_body;
    return;
  }
}

result<reader::framing> reader::announced(framing without) {
  const std::string* length = nullptr;
  const std::string* coding = nullptr;
  for (const auto& [name, value] : fields_) {
    if (same_token(name, "Content-Length")) {
      if (length != nullptr && *length != value)
        return outband::fail(problem::malformed, "given twice, differently", "Content-Length");
      length = &value;
    } else if (same_token(name, "Transfer-Encoding")) {
      if (coding != nullptr)
        return outband::fail(problem::malformed, "given twice", "Transfer-Encoding");
      coding = &value;
    }
  }
  if (coding != nullptr) {
    if (length != nullptr)
      return outband::fail(problem::malformed, "given together with Content-Length",
                           "Transfer-Encoding");
    if (old_version_)
      return outband::fail(problem::malformed, "not part of HTTP/1.0", "Transfer-Encoding");
    if (!same_token(*coding, "chunked"))
      return outband::fail(problem::malformed, "is not 'chunked'", "Transfer-Encoding");
    return framing::chunked;
  }
  if (length != nullptr) {
    const auto size = parse_length(*length);
    if (!size)
      return outband::fail(problem::malformed, "not a number", "Content-Length");
    if (*size > limits_.body)
      return outband::fail(problem::too_large,
                           "more than " + std::to_string(limits_.body) + " octets", "body");
    left_ = *size;
    return framing::sized;
  }
  return without;
}

bool reader::says_connection(std::string_view token) const {
  return std::any_of(fields_.begin(), fields_.end(), [token](const header& h) {
    return same_token(h.name, "Connection") && has_list_token(h.value, token);
  });
}

reader::advance reader::run() {
  std::string_view line;
  while (true) {
    switch (phase_) {
    case phase::start_line:
    case phase::fields:
    case phase::trailers: {
      const auto before = at_;
      const auto room = limits_.head - std::min(limits_.head, head_);
      if (!take_line(line, room, phase_ == phase::trailers ? "trailers" : "head"))
        break;
      head_ += at_ - before;
      if (phase_ == phase::start_line) {
        if (line.empty())
          continue; // RFC 9112, 2.2: an empty line before a message is to be ignored
        line_ = line;
        phase_ = phase::fields;
        return advance::start_line;
      }
      if (line.empty()) {
        if (phase_ == phase::trailers) {
          phase_ = phase::complete;
          continue;
        }
        return advance::head;
      }
      if (phase_ == phase::fields)
        take_field(line);
      continue;
    }
    case phase::chunk_size:
      if (!take_line(line, max_chunk_line, "chunk size"))
        break;
      take_chunk_size(line);
      continue;
    case phase::sized_body:
    case phase::chunk_data: {
      const auto n = std::min(left_, in_.size() - at_);
      body_.append(in_, at_, n);
      at_ += n;
      left_ -= n;
      if (left_ > 0)
        break;
      phase_ = phase_ == phase::sized_body ? phase::complete : phase::chunk_end;
      continue;
    }
    case phase::chunk_end:
      if (!take_chunk_end())
        break;
      phase_ = phase::chunk_size;
      continue;
    case phase::endless_body:
      if (in_.size() - at_ > limits_.body - body_.size())
        return fail(problem::too_large, "more than " + std::to_string(limits_.body) + " octets",
                    "body");
      body_.append(in_, at_, std::string::npos);
      at_ = in_.size();
      break;
    case phase::complete:
      return advance::complete;
    case phase::failed:
      return advance::failed;
    }
    // Starved or failed.
    if (phase_ == phase::failed)
      return advance::failed;
    if (at_ == in_.size()) {
      std::string{}.swap(in_);
      at_ = scanned_ = 0;
    }
    return advance::starved;
  }
}

} // namespace outband::http::detail
