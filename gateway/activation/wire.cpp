#include "gateway/activation/wire.hpp"

#include "gateway/activation/session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace outband::activation {

namespace {

failure gone() {
  return fail(problem::link_down, "the machine's connection has ended");
}

} // namespace

wire::wire(boost::asio::io_context& context, std::weak_ptr<session> s)
    : context_(&context), session_(std::move(s)) {}

wire::~wire() {
  run([](session* s) {
    if (s != nullptr)
      s->abandoned();
  });
}

bool wire::run(std::function<void(session*)> f) {
  const std::lock_guard hold{mutex_};
  if (context_ == nullptr)
    return false;
  boost::asio::post(*context_, [weak = session_, f = std::move(f)] {
    const auto s = weak.lock();
    f(s && s->speaking() ? s.get() : nullptr);
  });
  return true;
}

void wire::detach() {
  const std::lock_guard hold{mutex_};
  context_ = nullptr;
}

void wire::sign_in(std::string user, secret_text password) {
  run([user = std::move(user), password = std::move(password)](session* s) {
    if (s != nullptr)
      s->sign_in(user, password);
  });
}

void wire::post(std::string envelope, std::chrono::milliseconds timeout,
                std::function<void(result<soap_answer>)> cb) {
  // Shared, so that it is still here if run() drops what it was given.
  const auto shared = std::make_shared<decltype(cb)>(std::move(cb));
  const bool alive = run([shared, timeout, envelope = std::move(envelope)](session* s) {
    if (s != nullptr)
      s->post(envelope, timeout, std::move(*shared));
    else
      (*shared)(gone());
  });
  if (!alive)
    (*shared)(gone());
}

void wire::switch_port(std::chrono::seconds delay, std::function<void(status)> cb) {
  const auto shared = std::make_shared<decltype(cb)>(std::move(cb));
  const bool alive = run([shared, delay](session* s) {
    if (s != nullptr)
      s->switch_port(delay, std::move(*shared));
    else
      (*shared)(gone());
  });
  if (!alive)
    (*shared)(gone());
}

void wire::use_tls(firmware_pin pin, std::function<void(status)> cb) {
  const auto shared = std::make_shared<decltype(cb)>(std::move(cb));
  const bool alive = run([shared, pin = std::move(pin)](session* s) {
    if (s != nullptr)
      s->use_tls(pin, std::move(*shared));
    else
      (*shared)(gone());
  });
  if (!alive)
    (*shared)(gone());
}

void wire::progress(std::string label) {
  run([label = std::move(label)](session* s) {
    if (s != nullptr)
      s->progress(label);
  });
}

void wire::finish(provisioning_report report) {
  run([report = std::move(report)](session* s) {
    if (s != nullptr)
      s->finish(report);
  });
}

void wire::refuse(std::string text) {
  run([text = std::move(text)](session* s) {
    if (s != nullptr)
      s->refuse(text);
  });
}

} // namespace outband::activation
