/// A site of several nodes: two controllers, two terminators behind a balancer, one api node, on
/// one broker and one database. One per test binary.
///
///   machines -> front() -> term-a, term-b        people -> api-a        ctl-a, ctl-b
///
/// Times are short, so that a test need not wait long for a node to be given up.
#pragma once

#include "tests/e2e/stage.hpp"
#include "tests/support/balancer.hpp"

#include <map>

namespace outband::e2e {

class cluster final : public stage {
public:
  static cluster& get(); ///< started at the first call

  /// "ctl-a", "ctl-b", "term-a", "term-b", "api-a"
  server& node(const std::string& name) { return *nodes_.at(name); }
  const std::map<std::string, std::unique_ptr<server>>& nodes() const { return nodes_; }
  test::balancer& front() { return *front_; }
  std::uint16_t cira_port(const std::string& terminator) const { return cira_.at(terminator); }

  /// GET of a node's listener for those who watch.
  reply watched(const std::string& node, const std::string& path) const;

  /// All nodes run, one controls, all machines have a tunnel that is told of.
  void heal();
  /// One that no other test has had by this, on and wanted by nobody.
  machine rested() {
    const auto m = fresh();
    bring_to_rest(m);
    return m;
  }
  /// Another connection for all machines of the stage, to this terminator.
  void place_all(const std::string& terminator);
  void place(const machine& m, const std::string& terminator);
  /// Where the machine's tunnel is, as REST tells; empty: it has none.
  std::string terminator_of(const machine& m) const;

  struct lease {
    std::string holder; ///< empty: nobody
    std::uint64_t epoch = 0;
  };
  lease controller() const; ///< as the database says
  /// Waits until somebody controls with a later epoch than that.
  lease next_controller(const lease& after) const;
  std::string standby() const { return controller().holder == "ctl-a" ? "ctl-b" : "ctl-a"; }
  std::string logs() const;

private:
  explicit cluster(std::uint16_t https_port);
  void add(const std::string& name, const std::string& role);

  std::uint16_t https_port_;
  std::map<std::string, std::uint16_t> cira_, watched_;
  std::map<std::string, std::unique_ptr<server>> nodes_;
  std::unique_ptr<test::balancer> front_;
};

} // namespace outband::e2e
