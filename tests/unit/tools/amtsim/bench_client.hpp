// What a client asks and reads, without its politics: one request at a time against the model.
#pragma once

#include "messages/wsman/envelope.hpp"
#include "tests/unit/tools/amtsim/bench_machine.hpp"
#include "tools/amtsim/wsman_server.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace outband::amtsim::test {

inline wsman_reply serve(bench_machine& m, const std::string& soap) {
  return serve_wsman(soap, m.model, m.faults, m.now);
}

inline std::string request(std::string_view act, std::string_view class_name,
                           const std::string& body = {},
                           std::vector<wsman::selector> selectors = {}) {
  return wsman::write_request(
      {std::string(act), wsman::class_uri(class_name), 5, std::move(selectors)}, body);
}

inline std::string method(std::string_view class_name, const std::string& name,
                          const std::string& inner = {}) {
  const auto uri = wsman::class_uri(class_name);
  return wsman::write_request({uri + "/" + name, uri, 5},
                              wsman::class_body(name + "_INPUT", uri, inner));
}

/// The subcode, or empty if it is no fault.
inline std::string refused(const wsman_reply& r) {
  auto read = wsman::parse_response(r.xml);
  REQUIRE(read.ok());
  CHECK((r.http_status == 400) == read->refused.has_value());
  return read->refused ? read->refused->subcode : "";
}

/// The one element of the Body; an element without a name if it is empty.
inline wsman::node body_of(const wsman_reply& r) {
  auto read = wsman::parse_response(r.xml);
  REQUIRE(read.ok());
  CHECK_FALSE(read->refused.has_value());
  REQUIRE(read->body.children.size() <= 1);
  return read->body.children.empty() ? wsman::node{} : read->body.children.front();
}

inline wsman::node get(bench_machine& m, std::string_view class_name,
                       std::vector<wsman::selector> selectors = {}) {
  return body_of(serve(m, request(wsman::action::get, class_name, {}, std::move(selectors))));
}

/// All items, however many Pulls it takes.
inline std::vector<wsman::node> list(bench_machine& m, std::string_view class_name) {
  std::vector<wsman::node> out;
  auto opened =
      body_of(serve(m, request(wsman::action::enumerate, class_name, wsman::enumerate_body())));
  std::string at(opened.child_text("EnumerationContext"));
  for (int pulls = 0; !at.empty(); ++pulls) {
    REQUIRE(pulls < 100);
    auto batch = body_of(serve(m, request(wsman::action::pull, class_name, wsman::pull_body(at))));
    const auto* items = batch.child("Items");
    REQUIRE(items != nullptr);
    out.insert(out.end(), items->children.begin(), items->children.end());
    CHECK((batch.child("EndOfSequence") == nullptr) ==
          (batch.child("EnumerationContext") != nullptr));
    at = std::string(batch.child_text("EnumerationContext"));
  }
  return out;
}

inline wsman_reply put(bench_machine& m, std::string_view class_name, const std::string& inner,
                       std::vector<wsman::selector> selectors = {}) {
  return serve(m, request(wsman::action::put, class_name,
                          wsman::class_body(class_name, wsman::class_uri(class_name), inner),
                          std::move(selectors)));
}

inline wsman_reply remove(bench_machine& m, std::string_view class_name,
                          std::vector<wsman::selector> selectors) {
  return serve(m, request(wsman::action::delete_, class_name, {}, std::move(selectors)));
}

/// The METHOD_OUTPUT element.
inline wsman::node invoke(bench_machine& m, std::string_view class_name, const std::string& name,
                          const std::string& inner = {}) {
  return body_of(serve(m, method(class_name, name, inner)));
}

/// Its ReturnValue.
inline std::string returned(const wsman_reply& r) {
  return std::string(body_of(r).child_text("ReturnValue"));
}
inline std::string returned(const wsman::node& output) {
  return std::string(output.child_text("ReturnValue"));
}

/// "name=value" of everything with that name, in order.
inline std::vector<std::string> all_texts(const wsman::node& n, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& c : n.children)
    if (c.name == name)
      out.emplace_back(c.value());
  return out;
}

} // namespace outband::amtsim::test
