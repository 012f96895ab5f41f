/// A session between a WebSocket that a test speaks for and a provisioner that writes down what it
/// is told. Everything runs when the test says so, on its own thread.
#pragma once

#include "gateway/activation/routes.hpp"
#include "messages/rest/json.hpp"

#include <boost/asio/io_context.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace outband::testing {

class scripted_websocket final : public web::websocket {
public:
  explicit scripted_websocket(boost::asio::io_context& c) : context_(c) {}
  void receive(std::function<void(result<message>)> cb) override;
  void send(message m, std::function<void(bool)> sent) override;
  void close(std::uint16_t code, std::string reason) override;
  boost::asio::io_context& context() override { return context_; }

  /// What the client says; false if nobody listens.
  bool say(std::string text, bool binary = false);
  /// The client goes away.
  void hang_up();

  std::deque<std::string> sent;
  std::optional<std::uint16_t> closed;
  bool reads = true; ///< the client takes what is sent

private:
  boost::asio::io_context& context_;
  std::function<void(result<message>)> listener_;
};

/// How one call of the wire ended.
template <class T> class answer_box {
public:
  std::function<void(result<T>)> cb() {
    return [s = state_](result<T> r) {
      s->got = std::move(r);
      ++s->times;
    };
  }
  bool has() const { return state_->got.has_value(); }
  int times() const { return state_->times; }
  bool ok() const { return has() && state_->got->ok(); }
  const T& value() const { return **state_->got; }
  problem why() const { return has() && !ok() ? state_->got->error().what : problem::internal; }
  std::string text() const { return has() && !ok() ? state_->got->error().detail : ""; }

private:
  struct state {
    std::optional<result<T>> got;
    int times = 0;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

struct activation_stage : activation_port {
  activation_stage();
  ~activation_stage() override;

  void opened(connection who, provisioning_wish w) override;
  void closed(std::uint64_t id) override { ended.push_back(id); }

  /// Makes the routes of `opts` and opens `path` at the first of them.
  void connect(const std::string& path = "/activate/token-1", const std::string& peer = "10.0.0.7");
  /// connect(), the first message of tests/unit/messages/rps, and sign_in as "$$OsAdmin".
  void begin();
  /// Runs what can run at once.
  void poll();
  /// Runs until then; a timer may have to pass.
  void until(const std::function<bool()>& condition);

  /// The next message to the client, parsed; fails the test if there is none.
  json::value next();
  /// Of that message, which must be of this method; base64 is decoded.
  std::string next_payload(const std::string& method);
  /// The sentence of the error message that must be next.
  std::string next_error();
  void respond(const std::string& octets); ///< a `response`
  answer_box<soap_answer> post(const std::string& envelope,
                               std::chrono::milliseconds timeout = std::chrono::seconds(30));

  boost::asio::io_context context;
  activation::options opts;
  activation::counters counts;
  std::shared_ptr<scripted_websocket> ws;
  std::optional<web::response> refusal; ///< of the upgrade
  std::optional<connection> who;
  std::optional<provisioning_wish> wish;
  std::vector<std::uint64_t> ended;
};

extern const std::string reading, changing, challenge;
/// 200 in chunks, then the connection ends.
std::string answer_of(const std::string& body);

} // namespace outband::testing
