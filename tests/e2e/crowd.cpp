#include "tests/e2e/crowd.hpp"

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace outband::e2e {

namespace {

using clock = std::chrono::steady_clock;

// Far more than it takes; who is given up is a failure.
constexpr std::chrono::minutes give_up{10};

double since(clock::time_point from) {
  return std::chrono::duration<double>(clock::now() - from).count();
}

} // namespace

std::size_t crowd::succeeded() const {
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [](const one& o) { return o.got.how == test::rpc_end::success; }));
}

std::string crowd::complaints() const {
  constexpr int most = 10;
  std::string out;
  int lines = 0;
  for (const auto& o : all)
    if (o.got.how != test::rpc_end::success && ++lines <= most)
      out += o.who.hostname + ": " + std::string(to_string(o.got.how)) + ", " + o.got.why +
             " after " + (o.got.conversation.empty() ? "nothing" : o.got.conversation.back()) +
             "\n";
  return out;
}

crowd activate_at_once(provisioning_site& s, std::size_t count, const std::string& profile,
                       const std::function<void()>& begin) {
  crowd out;
  std::vector<test::rpc_options> how;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& m = s.fresh();
    out.all.push_back({m, {}, 0});
    auto o = s.rpc(m, s.url("activate", profile));
    o.profile = profile;
    o.timing.give_up = give_up;
    auto facts = test::read_facts(o.mei_path);
    if (!facts)
      throw std::runtime_error(m.hostname + " tells nothing: " + to_string(facts.error()));
    o.facts = std::move(*facts);
    how.push_back(std::move(o));
  }
  if (begin)
    begin();
  boost::asio::io_context io{1};
  std::vector<std::shared_ptr<void>> handles;
  const auto from = clock::now();
  for (std::size_t i = 0; i < count; ++i)
    handles.push_back(test::start_rpc(io, std::move(how[i]), {}, [&o = out.all[i], from](auto got) {
      o.got = std::move(got);
      o.seconds = since(from);
    }));
  io.run();
  out.seconds = since(from);
  return out;
}

int activations_of(const provisioning_site& s, const machine& m) {
  const auto setup = s.truth(m.guid).at("setup");
  return setup.at("setups").get<int>() + setup.at("admin_setups").get<int>() +
         setup.at("upgrades").get<int>();
}

} // namespace outband::e2e
