// A firmware that answers by class and verb, and what it was asked.
#pragma once

#include "messages/amt/catalogue.hpp"
#include "messages/amt/operation_run.hpp"
#include "tests/unit/messages/wsman/device.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace outband::amt::test {

using namespace wsman::test;

using questions = std::vector<std::string>; ///< "AMT_BootSettingData Put"

inline std::string uri(const std::string& cls) {
  return wsman::class_uri(cls);
}
inline std::string item(const std::string& cls, const std::string& properties) {
  return "<" + cls + " xmlns=\"" + uri(cls) + "\">" + properties + "</" + cls + ">";
}

/// OUTBAND_FIXTURES names a folder of answers captured from devices (amt/, cim/, ips/ below it).
inline bool no_captures() {
  return std::getenv("OUTBAND_FIXTURES") == nullptr;
}

class firmware {
public:
  // Answers to one question are given in the order of these calls; the last one again and again.
  /// To "AMT_BootSettingData Get": what stands in the SOAP Body.
  firmware& gives(const std::string& question, const std::string& body) {
    return add(question, 200, envelope(whole_answer, body));
  }
  firmware& has(const std::string& cls, const std::string& properties) {
    return gives(cls + " Get", item(cls, properties));
  }
  firmware& lists(const std::string& cls, const std::string& items) {
    add(cls + " Enumerate", 200, context(whole_answer, "c"));
    return add(cls + " Pull", 200, pulled(whole_answer, items));
  }
  /// `results`: what the method gives back before its ReturnValue.
  firmware& returns(const std::string& cls, const std::string& method, int value,
                    const std::string& results = {}) {
    return gives(cls + " " + method, "<" + method + "_OUTPUT xmlns=\"" + uri(cls) + "\">" +
                                         results + "<ReturnValue>" + std::to_string(value) +
                                         "</ReturnValue></" + method + "_OUTPUT>");
  }
  firmware& refuses(const std::string& question, const std::string& subcode) {
    return add(question, 400, refusal(whole_answer, subcode));
  }
  firmware& captured(const std::string& question, const std::string& path) {
    CAPTURE(path);
    std::ifstream in(std::string(std::getenv("OUTBAND_FIXTURES")) + "/" + path, std::ios::binary);
    REQUIRE(in.good());
    std::stringstream text;
    text << in.rdbuf();
    return add(question, 200, text.str());
  }
  firmware& captured_list(const std::string& cls, const std::string& folder) {
    captured(cls + " Enumerate", folder + "/enumerate.xml");
    return captured(cls + " Pull", folder + "/pull.xml");
  }

  /// What nobody told an answer to does not exist; a Put echoes nothing.
  void answer_all(wsman::conversation_base& c) {
    asked.clear();
    requests.clear();
    soaps.clear();
    why.clear();
    while (auto soap = c.next_request()) {
      CAPTURE(*soap);
      auto read = wsman::parse_request(*soap);
      REQUIRE(read.ok());
      const auto question = std::string(wsman::class_of_uri(read->resource_uri)) + " " +
                            read->action.substr(read->action.rfind('/') + 1);
      const auto id = static_cast<std::uint32_t>(std::stoul(read->message_id));
      asked.push_back(question);
      requests.push_back(std::move(*read));
      soaps.push_back(*soap);
      auto known = answers_.find(question);
      if (known == answers_.end()) {
        const bool put = question.size() > 4 && question.substr(question.size() - 4) == " Put";
        c.feed(put ? 200 : 400, put ? envelope(id, "") : refusal(id, "DestinationUnreachable"));
        continue;
      }
      auto& all = known->second;
      c.feed(all.front().status, related(all.front().xml, id));
      if (all.size() > 1)
        all.pop_front();
    }
    changed = c.changed_something();
  }
  /// What a function over a talk makes of this firmware's answers.
  template <class F> auto does(F f) {
    using told_type = std::invoke_result_t<F, wsman::talk&>;
    wsman::conversation<typename told_type::value_type> c{f, 100};
    answer_all(c);
    auto told = c.outcome();
    if (!told)
      why = to_string(told.error());
    return told;
  }
  /// "A B C": the properties of the n-th request of that name, in order.
  std::string order(const std::string& question, std::size_t n = 0) const {
    std::string out;
    for (const auto& c : sent(question, n).children)
      out += (out.empty() ? "" : " ") + c.name;
    return out;
  }

  result<json::value> carry_out(const std::string& name, const std::string& argument = "{}") {
    CAPTURE(name);
    operation_run run{amt::perform{name, argument, false}, 100};
    answer_all(run);
    auto told = run.outcome();
    if (!told) {
      why = to_string(told.error());
      return told.error();
    }
    REQUIRE(std::holds_alternative<document>(*told));
    return json::parse(std::get<document>(*told).json);
  }
  std::string shown(const std::string& name, const std::string& argument = "{}") {
    auto told = carry_out(name, argument);
    CAPTURE(why);
    REQUIRE(told.ok());
    return json::dump(*told);
  }
  problem fails(const std::string& name, const std::string& argument = "{}") {
    auto told = carry_out(name, argument);
    REQUIRE_FALSE(told.ok());
    return told.error().what;
  }

  /// The element in the Body of the n-th request of that name.
  const wsman::node& sent(const std::string& question, std::size_t n = 0) const {
    CAPTURE(question);
    const wsman::node* found = nullptr;
    for (std::size_t i = 0; i < asked.size() && found == nullptr; ++i)
      if (asked[i] == question && n-- == 0 && !requests[i].body.children.empty())
        found = &requests[i].body.children.front();
    REQUIRE(found != nullptr);
    return *found;
  }
  /// "(none)" if it was not sent.
  std::string sent_text(const std::string& question, const std::string& property,
                        std::size_t n = 0) const {
    const auto* found = sent(question, n).child(property);
    return found == nullptr ? "(none)" : found->text;
  }
  std::size_t times(const std::string& question) const {
    std::size_t n = 0;
    for (const auto& a : asked)
      n += a == question ? 1U : 0U;
    return n;
  }

  // Of the last operation.
  questions asked;
  std::vector<wsman::request> requests;
  std::vector<std::string> soaps; ///< the requests as they were sent
  bool changed = false;           ///< a request that changes something was answered with 200
  std::string why;

private:
  static constexpr std::uint32_t whole_answer = 0;
  struct answer {
    int status;
    std::string xml;
  };
  firmware& add(const std::string& question, int status, std::string xml) {
    answers_[question].push_back({status, std::move(xml)});
    return *this;
  }
  /// As the answer to that message.
  static std::string related(std::string xml, std::uint32_t id) {
    const std::string open = "RelatesTo>";
    const auto from = xml.find(open) + open.size();
    return xml.replace(from, xml.find('<', from) - from, std::to_string(id));
  }
  std::map<std::string, std::deque<answer>> answers_;
};

/// Paths of what is wrong with an argument, in order.
inline questions complaints(const std::string& name, const std::string& argument) {
  const auto* o = find_operation(name);
  REQUIRE(o != nullptr);
  const bool checked = o->check != nullptr;
  REQUIRE(checked);
  auto v = json::parse(argument);
  REQUIRE(v.ok());
  questions out;
  for (const auto& e : o->check(*v)) {
    CHECK_FALSE(e.why.empty());
    out.push_back(e.path);
  }
  return out;
}

} // namespace outband::amt::test
