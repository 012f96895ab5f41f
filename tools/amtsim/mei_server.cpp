#include "tools/amtsim/mei_server.hpp"

#include "messages/pthi/messages.hpp"
#include "tools/amtsim/accept_pause.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/seq_packet_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace outband::amtsim {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using protocol = asio::generic::seq_packet_protocol;

constexpr std::size_t max_connections = 8;
constexpr std::uint8_t mei_version = 1;
constexpr mode_t owner_only = 0600;

std::string little_endian(std::uint32_t v) {
  return {static_cast<char>(v), static_cast<char>(v >> 8), static_cast<char>(v >> 16),
          static_cast<char>(v >> 24)};
}

void remove_stale(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode))
    ::unlink(path.c_str());
}

} // namespace

class mei_server::state : public std::enable_shared_from_this<mei_server::state> {
public:
  state(asio::io_context& io, std::string path, owner& to)
      : to_(&to), path_(std::move(path)), acceptor_(io) {}

  class connection;

  void open() {
    try {
      remove_stale(path_);
      const asio::local::stream_protocol::endpoint at(path_); // throws when it is too long
      acceptor_.open(protocol(AF_UNIX, 0));
      acceptor_.bind(protocol::endpoint(at.data(), at.size()));
      if (::chmod(path_.c_str(), owner_only) != 0)
        throw std::runtime_error("cannot protect " + path_);
      acceptor_.listen();
    } catch (const boost::system::system_error& e) {
      throw std::runtime_error("cannot listen on " + path_ + ": " + e.code().message());
    }
    accept();
  }

  void close();
  void forget(const connection* gone);

  owner* to_; ///< nullptr: gone

private:
  void accept();

  std::string path_;
  asio::basic_socket_acceptor<protocol> acceptor_;
  std::vector<std::shared_ptr<connection>> connections_;
};

class mei_server::state::connection final : public std::enable_shared_from_this<connection> {
public:
  connection(std::shared_ptr<state> home, protocol::socket socket)
      : home_(std::move(home)), socket_(std::move(socket)) {}

  void read() {
    socket_.async_receive(asio::buffer(input_), flags_,
                          [self = shared_from_this()](error_code ec, std::size_t n) {
                            if (ec || n == 0 || n > pthi::max_message || self->gone())
                              return self->leave();
                            self->serve({self->input_.data(), n});
                          });
  }

  void end() {
    error_code ignored;
    socket_.close(ignored);
  }

private:
  bool gone() const { return home_->to_ == nullptr || !socket_.is_open(); }

  void leave() {
    end();
    home_->forget(this);
  }

  void serve(std::string_view octets) {
    answer_ = client_ ? home_->to_->mei_answer(*client_, octets) : connect(octets);
    if (answer_.empty())
      return read();
    socket_.async_send(asio::buffer(answer_), 0,
                       [self = shared_from_this()](error_code ec, std::size_t) {
                         if (ec || self->gone())
                           return self->leave();
                         self->read();
                       });
  }

  std::string connect(std::string_view octets) {
    const auto wanted = pthi::client_of(octets);
    const int no = wanted ? home_->to_->mei_connect(*wanted) : ENOTTY;
    if (no != 0)
      return little_endian(static_cast<std::uint32_t>(no));
    client_ = wanted;
    return little_endian(pthi::max_message) + static_cast<char>(mei_version) + std::string(3, '\0');
  }

  std::shared_ptr<state> home_;
  protocol::socket socket_;
  asio::socket_base::message_flags flags_ = 0;
  std::optional<pthi::mei_client> client_;
  std::string answer_;
  std::array<char, pthi::max_message + 1> input_{}; ///< one more, to see what is too long
};

void mei_server::state::close() {
  error_code ignored;
  if (acceptor_.is_open()) {
    acceptor_.close(ignored);
    ::unlink(path_.c_str());
  }
  const auto all = std::move(connections_);
  connections_.clear();
  for (const auto& c : all)
    c->end();
}

void mei_server::state::forget(const connection* gone) {
  connections_.erase(std::remove_if(connections_.begin(), connections_.end(),
                                    [&](const auto& c) { return c.get() == gone; }),
                     connections_.end());
}

void mei_server::state::accept() {
  acceptor_.async_accept([self = shared_from_this()](error_code ec, protocol::socket socket) {
    if (ec == asio::error::operation_aborted || !self->acceptor_.is_open())
      return;
    if (ec)
      return after_accept_pause(self->acceptor_.get_executor(), [self] {
        if (self->acceptor_.is_open())
          self->accept();
      });
    if (self->connections_.size() < max_connections) {
      self->connections_.push_back(std::make_shared<connection>(self, std::move(socket)));
      self->connections_.back()->read();
    }
    self->accept();
  });
}

mei_server::mei_server(asio::io_context& io, const std::string& path, owner& to)
    : state_(std::make_shared<state>(io, path, to)) {
  state_->open();
}

mei_server::~mei_server() {
  state_->to_ = nullptr;
  state_->close();
}

} // namespace outband::amtsim
