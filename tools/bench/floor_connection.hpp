/// One tunnel of the bare loop. Private to floor_server.
#pragma once

#include "messages/amt/operation_run.hpp"
#include "messages/apf/channels.hpp"
#include "messages/apf/decoder.hpp"
#include "messages/http/digest.hpp"
#include "messages/http/parser.hpp"
#include "tools/bench/floor_server.hpp"

#include <memory>
#include <optional>
#include <string>

namespace outband::bench {

class floor_connection final : public watcher {
public:
  floor_connection(floor_server& owner, int fd);
  void ready(std::uint32_t events) override;
  bool up() const { return up_; }
  const std::string& guid() const { return guid_; }

  /// `done(ok)` once; one reading at a time.
  void read_power(std::function<void(bool)> done);

private:
  /// Made at the first reading: an idle tunnel has none.
  struct reader {
    amt::operation_run run{amt::read_power{}};
    http::digest_session digest;
    http::response_parser parser;
    std::optional<std::uint32_t> channel;
    std::string unsent;
    std::function<void(bool)> done;
    std::uint32_t next_id = 0;
  };

  void take(const apf::message& m);
  void take_channel(const apf::message& m);
  void say(const apf::message& m);
  void post();
  void push();
  void answered(const http::response& r);
  void finish(bool ok);
  void end();

  floor_server& owner_;
  tls_socket socket_;
  apf::decoder decoder_;
  apf::channels channels_;
  std::unique_ptr<reader> reading_;
  std::string guid_;
  bool up_ = false;
  bool over_ = false;
};

} // namespace outband::bench
