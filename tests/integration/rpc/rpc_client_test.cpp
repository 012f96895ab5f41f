#include "tests/integration/rpc/bench_rpc.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include <vector>

namespace outband::test {
namespace {

const std::string amt_answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "0003\r\nabc\r\n0\r\n\r\n";
const std::string good = R"({"Status":"Client control mode.","CIRAConnection":"Configured"})";

/// AMT that answers every request in the same way.
void plain_amt(connection& c) {
  if (!c.receive_until("0\r\n\r\n").empty())
    c.send(amt_answer);
}

/// Two exchanges, then success.
void two_exchanges(connection& c) {
  c.upgrade();
  c.receive_text();
  for (const auto* name : {"one", "two"}) {
    c.send_text(octets_from_server("wsman", "POST /wsman " + std::string(name) + " 0\r\n\r\n"));
    if (payload_of(c.receive_text()) != amt_answer)
      return;
  }
  c.send_text(from_server("success", nullptr, good));
  c.receive_text();
}

} // namespace

TEST_CASE("what AMT answers goes back to the server unchanged") {
  scripted_peer amt(plain_amt);
  scripted_peer server(two_exchanges);
  auto how = options_for(server);
  how.lms_port = amt.port();
  const auto got = run_rpc(how);
  CHECK(got.how == rpc_end::success);
  CHECK(got.status == "Client control mode.");
  CHECK(got.said.at(2) == "CIRA: Configured");
  CHECK(got.exit_code == 0);
  CHECK(got.conversation == std::vector<std::string>{"> activate", "< wsman", "> response",
                                                     "< wsman", "> response", "< success"});
  CHECK(amt.connections() == 2); // one for each request, as LMS sees it from rpc
  CHECK(got.complaints.empty());
}

TEST_CASE("the upgrade is the Go client's and the path is the URL's") {
  std::string request;
  {
    scripted_peer server([&](connection& c) {
      request = c.upgrade();
      c.receive_text();
      c.send_text(from_server("error", nullptr, "no"));
      c.receive_text();
    });
    const auto got = run_rpc(options_for(server));
    CHECK(got.how == rpc_end::error);
    CHECK(got.status == "no");
    CHECK(got.exit_code == 0); // v2
  }
  CHECK(request.rfind("GET /activate/a-token HTTP/1.1\r\n", 0) == 0);
  CHECK(request.find("Authorization") == std::string::npos);
  CHECK(request.find("Origin") == std::string::npos);
}

TEST_CASE("an error of the server ends v3 with an exit code") {
  scripted_peer server([](connection& c) {
    c.upgrade();
    c.receive_text();
    c.send_text(from_server("error", nullptr, R"({"Status":"Unable to authenticate with AMT"})"));
    c.receive_text();
  });
  auto how = options_for(server);
  how.version = rpc_version::v3;
  const auto got = run_rpc(how);
  CHECK(got.exit_code == 10);
  CHECK(got.status == "Unable to authenticate with AMT");
}

TEST_CASE("a server that refuses the upgrade is told apart from one that goes away later") {
  scripted_peer refuses([](connection& c) {
    c.receive_until("\r\n\r\n");
    c.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  });
  auto got = run_rpc(options_for(refuses));
  CHECK(got.how == rpc_end::refused);
  CHECK(got.http_status == 403);

  scripted_peer leaves([](connection& c) {
    c.upgrade();
    c.receive_text();
  });
  got = run_rpc(options_for(leaves));
  CHECK(got.how == rpc_end::closed);
  CHECK(got.sent == 1);
}

TEST_CASE("pings are answered and messages may come in pieces") {
  std::string pong;
  {
    scripted_peer server([&](connection& c) {
      c.upgrade();
      c.receive_text();
      c.send_frame(9, "are you there");
      const auto text = from_server("success", nullptr, good + std::string(70000, ' '));
      c.send_frame(1, text.substr(0, 100), false);
      c.send_frame(0, text.substr(100));
      c.receive_text();
      pong = c.last_pong;
    });
    CHECK(run_rpc(options_for(server)).how == rpc_end::success);
  }
  CHECK(pong == "are you there");
}

TEST_CASE("the connection can be cut at every message of a conversation") {
  for (std::size_t at = 1; at <= 6; ++at) {
    for (const bool before : {true, false}) {
      CAPTURE(at);
      CAPTURE(before);
      scripted_peer amt(plain_amt);
      scripted_peer server(two_exchanges);
      auto how = options_for(server);
      how.lms_port = amt.port();
      const auto got = run_rpc(how, before ? cut_before(at) : cut_after(at));
      const bool has_its_word = at == 6 && !before;
      CHECK(got.how == (has_its_word ? rpc_end::success : rpc_end::cut));
      // After a request was heard the machine has it, though the answer is never sent.
      if (!before && at == 2)
        CHECK(amt.connections() == 1);
      if (before && at == 2)
        CHECK(amt.connections() == 0);
      if (!has_its_word)
        CHECK(got.sent + got.received == (before && at % 2 == 1 ? at - 1 : at));
    }
  }
}

TEST_CASE("a hook changes messages or loses them") {
  std::string first;
  {
    scripted_peer server([&](connection& c) {
      c.upgrade();
      first = c.receive_text();
      c.send_text(from_server("error", nullptr, "one"));
      c.send_text(from_server("error", nullptr, "two"));
      c.receive_text();
    });
    const auto got = run_rpc(options_for(server), [](rpc_message& m) {
      if (m.to_server)
        m.text = "garbage";
      return !m.to_server && m.in_order == 1 ? rpc_verdict::swallow : rpc_verdict::pass;
    });
    CHECK(got.status == "two");
  }
  CHECK(first == "garbage");
}

TEST_CASE("a heartbeat is answered and progress is printed by those who asked for it") {
  std::string beat;
  {
    scripted_peer server([&](connection& c) {
      c.upgrade();
      c.receive_text();
      c.send_text(from_server("heartbeat_request", ""));
      beat = c.receive_text();
      c.send_text(from_server("progress", nullptr, "Starting provisioning"));
      c.send_text(from_server("success", nullptr, good));
      c.receive_text();
    });
    auto how = options_for(server);
    const auto v2 = run_rpc(how);
    CHECK(v2.said.front() == "Starting provisioning");
    CHECK(v2.complaints.empty());
    how.version = rpc_version::v3;
    CHECK(run_rpc(how).complaints.size() == 1);
  }
  CHECK(parsed(beat).value("method", "") == "heartbeat_response");
  CHECK(parsed(beat).value("status", "") == "success");
}

TEST_CASE("an AMT port that says nothing is not answered for and one that fails ends the run") {
  scripted_peer server([](connection& c) {
    c.upgrade();
    c.receive_text();
    c.send_text(octets_from_server("wsman", "POST 0\r\n\r\n"));
    c.send_text(from_server("success", nullptr, good));
    c.receive_text();
  });
  auto how = options_for(server);
  {
    scripted_peer closes([](connection& c) { c.receive(); });
    how.lms_port = closes.port();
    const auto got = run_rpc(how);
    CHECK(got.how == rpc_end::success);
    CHECK(got.sent == 1);
  }
  {
    scripted_peer resets([](connection& c) {
      c.receive();
      c.reset();
    });
    how.lms_port = resets.port();
    CHECK(run_rpc(how).how == rpc_end::lms);
  }
  {
    scripted_peer once([](connection&) {});
    how.lms_port = once.port();
  }
  CHECK(run_rpc(how).how == rpc_end::lms); // nobody listens there any more
}

TEST_CASE("many clients run on one loop") {
  scripted_peer amt(plain_amt);
  scripted_peer server(two_exchanges); // one at a time
  auto how = options_for(server);
  how.lms_port = amt.port();
  boost::asio::io_context io{1};
  std::vector<std::shared_ptr<void>> handles;
  int succeeded = 0;
  for (int i = 0; i < 20; ++i)
    handles.push_back(start_rpc(io, how, {}, [&](const rpc_outcome& got) {
      succeeded += got.how == rpc_end::success ? 1 : 0;
    }));
  io.run();
  CHECK(succeeded == 20);
}

} // namespace outband::test
