// A firmware that answers by a script, and what an operation of the catalogue makes of it.
#pragma once

#include "messages/amt/catalogue.hpp"
#include "messages/amt/operation_run.hpp"
#include "tests/unit/messages/wsman/device.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace outband::amt::script {

inline std::string uri(const std::string& cls) {
  return wsman::class_uri(cls);
}

/// `<CIM_Chip xmlns="..."><Tag>CPU 0</Tag></CIM_Chip>`
inline std::string item(const std::string& cls, const std::string& inner) {
  return "<" + cls + " xmlns=\"" + uri(cls) + "\">" + inner + "</" + cls + ">";
}

/// An endpoint reference with one selector.
inline std::string reference(const std::string& property, const std::string& cls,
                             const std::string& selector, const std::string& value) {
  return "<" + property + "><b:Address>x</b:Address><b:ReferenceParameters><c:ResourceURI>" +
         uri(cls) + "</c:ResourceURI><c:SelectorSet><c:Selector Name=\"" + selector + "\">" +
         value + "</c:Selector></c:SelectorSet></b:ReferenceParameters></" + property + ">";
}

/// Captured answers are only where OUTBAND_FIXTURES names their folder.
inline bool no_captures() {
  return std::getenv("OUTBAND_FIXTURES") == nullptr;
}

class firmware {
public:
  /// To "AMT_GeneralSettings Get"; several answers are given one after the other.
  firmware& gives(const std::string& question, const std::string& body) {
    answers_[question].push_back({200, body});
    return *this;
  }
  firmware& has(const std::string& cls, const std::string& inner) {
    return gives(cls + " Get", item(cls, inner));
  }
  firmware& lists(const std::string& cls, const std::string& items) {
    const auto& ns = wsman::test::enum_ns;
    gives(cls + " Enumerate", "<g:EnumerateResponse xmlns:g=\"" + ns +
                                  "\"><g:EnumerationContext>7</g:EnumerationContext>"
                                  "</g:EnumerateResponse>");
    return gives(cls + " Pull", "<g:PullResponse xmlns:g=\"" + ns + "\"><g:Items>" + items +
                                    "</g:Items><g:EndOfSequence/></g:PullResponse>");
  }
  firmware& returns(const std::string& cls, const std::string& method, int value,
                    const std::string& out = {}) {
    return gives(cls + " " + method, "<" + method + "_OUTPUT xmlns=\"" + uri(cls) + "\">" + out +
                                         "<ReturnValue>" + std::to_string(value) +
                                         "</ReturnValue></" + method + "_OUTPUT>");
  }
  firmware& refuses(const std::string& question, const std::string& subcode) {
    answers_[question].push_back({400, subcode});
    return *this;
  }
  /// A file below the folder that OUTBAND_FIXTURES names.
  firmware& captured(const std::string& question, const std::string& file) {
    std::ifstream in(std::filesystem::path(std::getenv("OUTBAND_FIXTURES")) / file,
                     std::ios::binary);
    REQUIRE_MESSAGE(in.good(), file);
    std::stringstream text;
    text << in.rdbuf();
    answers_[question].push_back({whole_answer, text.str()});
    return *this;
  }
  firmware& captured_list(const std::string& cls, const std::string& folder) {
    captured(cls + " Enumerate", folder + "/enumerate.xml");
    return captured(cls + " Pull", folder + "/pull.xml");
  }

  /// Carries out an operation of the catalogue; its check is run too and must be content.
  result<json::value> carry_out(const std::string& name, const std::string& argument = "{}") {
    const auto* known = find_operation(name);
    REQUIRE_MESSAGE(known != nullptr, name);
    if (known->check != nullptr) {
      auto arg = json::parse(argument);
      REQUIRE(arg.ok());
      for (const auto& e : known->check(*arg))
        FAIL("the argument is wrong: " << e.path << " " << e.why);
    }
    operation_run run{perform{name, argument}};
    while (auto soap = run.next_request()) {
      auto read = wsman::parse_request(*soap);
      REQUIRE(read.ok());
      const auto question = std::string(wsman::class_of_uri(read->resource_uri)) + " " +
                            read->action.substr(read->action.rfind('/') + 1);
      asked.push_back(question);
      requests.push_back(*read);
      const auto id = static_cast<std::uint32_t>(std::stoul(read->message_id));
      auto& queue = answers_[question];
      REQUIRE_MESSAGE(!queue.empty(), "nobody expected the question " << question);
      const auto [status, body] = queue.front();
      queue.pop_front();
      if (status == whole_answer)
        run.feed(200, std::regex_replace(body, std::regex("RelatesTo>[0-9]+<"),
                                         "RelatesTo>" + read->message_id + "<"));
      else
        run.feed(status,
                 status == 200 ? wsman::test::envelope(id, body) : wsman::test::refusal(id, body));
    }
    auto told = run.outcome();
    if (!told)
      return told.error();
    auto out = json::parse(std::get<document>(*told).json);
    REQUIRE(out.ok());
    return *out;
  }
  std::string shown(const std::string& name, const std::string& argument = "{}") {
    auto told = carry_out(name, argument);
    REQUIRE_MESSAGE(told.ok(), to_string(told.error()));
    return json::dump(*told);
  }
  problem fails(const std::string& name, const std::string& argument = "{}") {
    auto told = carry_out(name, argument);
    REQUIRE_FALSE(told.ok());
    why = told.error().detail;
    return told.error().what;
  }
  /// The body of the `n`th request as XML names and texts: "a=1 b=2".
  std::string sent(std::size_t n) const {
    std::string out;
    if (requests.at(n).body.children.empty())
      return out;
    for (const auto& c : requests[n].body.children.front().children)
      out += (out.empty() ? "" : " ") + c.name +
             (c.children.empty() ? "=" + std::string(c.value()) : "");
    return out;
  }

  std::vector<std::string> asked;
  std::vector<wsman::request> requests;
  std::string why;

private:
  static constexpr int whole_answer = 0;
  std::map<std::string, std::deque<std::pair<int, std::string>>> answers_;
};

using questions = std::vector<std::string>;

/// The members that the operation's check complains about.
inline questions complaints(const std::string& name, const std::string& argument) {
  const auto* known = find_operation(name);
  REQUIRE(known != nullptr);
  const bool checked = known->check != nullptr;
  REQUIRE(checked);
  auto arg = json::parse(argument);
  REQUIRE(arg.ok());
  questions out;
  for (const auto& e : known->check(*arg)) {
    CHECK(e.location == "body");
    CHECK_FALSE(e.why.empty());
    out.push_back(e.path);
  }
  return out;
}

} // namespace outband::amt::script
