#include "messages/http/parser.hpp"

#include <algorithm>
#include <utility>

namespace outband::http {

namespace {

using detail::is_token;
using detail::parse_length;

constexpr std::size_t max_method = 16;

bool known_version(std::string_view s) {
  return s == "HTTP/1.1" || s == "HTTP/1.0";
}

} // namespace

void request_parser::start_line() {
  const std::string_view line = line_;
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) {
    fail(problem::malformed, "not of the form 'METHOD target HTTP/1.1'", "request line");
    return;
  }
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(method) || method.size() > max_method || target.empty() ||
      target.find(' ') != std::string_view::npos || target.find('\t') != std::string_view::npos) {
    fail(problem::malformed, "not of the form 'METHOD target HTTP/1.1'", "request line");
    return;
  }
  if (!known_version(version)) {
    fail(problem::malformed, "not HTTP/1.1 or HTTP/1.0", "version");
    return;
  }
  current_ = {};
  current_.method = method;
  current_.target = target;
  old_version_ = version == "HTTP/1.0";
}

request_parser::item request_parser::next() {
  while (true) {
    switch (run()) {
    case advance::starved:
      return starved{};
    case advance::failed:
      return why_;
    case advance::start_line:
      start_line();
      break;
    case advance::head: {
      current_.keep_alive =
          old_version_ ? says_connection("keep-alive") : !says_connection("close");
      const auto how = announced(framing::none);
      if (how)
        begin_body(*how);
      else
        fail(how.error());
      break;
    }
    case advance::complete:
      current_.fields = std::move(fields_);
      current_.body = std::move(body_);
      reset();
      return std::exchange(current_, {});
    }
  }
}

void response_parser::start_line() {
  const std::string_view line = line_;
  const auto version = line.substr(0, line.find(' '));
  if (!known_version(version)) {
    fail(problem::malformed, "not HTTP/1.1 or HTTP/1.0", "version");
    return;
  }
  const auto rest = line.substr(std::min(line.size(), version.size() + 1));
  const auto code = rest.substr(0, 3);
  const auto status = parse_length(code);
  if (code.size() != 3 || !status || *status < 100 || (rest.size() > 3 && rest[3] != ' ')) {
    fail(problem::malformed, "not a three-digit number", "status");
    return;
  }
  current_ = {};
  current_.status = static_cast<int>(*status);
  current_.reason = rest.size() > 4 ? rest.substr(4) : std::string_view{};
  old_version_ = version == "HTTP/1.0";
}

response response_parser::take() {
  current_.fields = std::move(fields_);
  current_.body = std::move(body_);
  reset();
  return std::exchange(current_, {});
}

response_parser::item response_parser::next() {
  while (true) {
    switch (run()) {
    case advance::starved:
      return starved{};
    case advance::failed:
      return why_;
    case advance::start_line:
      start_line();
      break;
    case advance::head: {
      if (current_.status < 200) {
        if (current_.status == 101) {
          fail(problem::malformed, "nobody asked to switch protocols", "status");
          break;
        }
        reset();
        break;
      }
      const bool bodiless = current_.status == 204 || current_.status == 304;
      const auto how = announced(bodiless ? framing::none : framing::endless);
      if (!how) {
        fail(how.error());
        break;
      }
      current_.keep_alive =
          *how != framing::endless &&
          (old_version_ ? says_connection("keep-alive") : !says_connection("close"));
      begin_body(bodiless ? framing::none : *how);
      break;
    }
    case advance::complete:
      return take();
    }
  }
}

response_parser::item response_parser::finish() {
  auto last = next();
  if (!std::holds_alternative<starved>(last) || between_messages())
    return last;
  if (phase_ == phase::endless_body)
    return take();
  fail(problem::malformed, "the connection ended in the middle of a response", "body");
  return why_;
}

} // namespace outband::http
