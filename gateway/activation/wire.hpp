/// A session's way for other threads: activation_wire. Private to gateway/activation.
#pragma once

#include "actors/ports/activation.hpp"

#include <functional>
#include <memory>
#include <mutex>

namespace boost::asio {
class io_context;
}

namespace outband::activation {

class session;

/// After detach() neither session nor io_context is touched, so a wire may outlive both. If it is
/// dropped without a last word, the client is told so.
class wire final : public activation_wire {
public:
  wire(boost::asio::io_context& context, std::weak_ptr<session> s);
  ~wire() override;
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;

  void sign_in(std::string user, secret_text password) override;
  void post(std::string envelope, std::chrono::milliseconds timeout,
            std::function<void(result<soap_answer>)> cb) override;
  void switch_port(std::chrono::seconds delay, std::function<void(status)> cb) override;
  void use_tls(firmware_pin pin, std::function<void(status)> cb) override;
  void progress(std::string label) override;
  void finish(provisioning_report report) override;
  void refuse(std::string text) override;

  void detach();

private:
  /// On the session's thread; with nullptr if it ended meanwhile. False if it ended earlier.
  bool run(std::function<void(session*)> f);

  std::mutex mutex_;
  boost::asio::io_context* context_;
  std::weak_ptr<session> session_;
};

} // namespace outband::activation
