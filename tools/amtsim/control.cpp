#include "tools/amtsim/control.hpp"

#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/control_reports.hpp"
#include "tools/amtsim/control_wishes.hpp"
#include "tools/amtsim/events.hpp"
#include "tools/amtsim/local_interface.hpp"
#include "tools/amtsim/sessions.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <istream>
#include <set>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace outband::amtsim {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using nlohmann::json;
using stream_socket = asio::generic::stream_protocol::socket;

constexpr std::size_t max_line = 64 << 10;
constexpr std::size_t max_unread = 4 << 20;
constexpr std::size_t max_controllers = 32;

} // namespace

class control::server : public std::enable_shared_from_this<server> {
public:
  class session;

  server(asio::io_context& main, fleet& machines)
      : main_(main), fleet_(machines), acceptor_(main) {}

  void listen(const std::string& where);
  void accept();
  void stop();

  asio::io_context& main_;
  fleet& fleet_;
  asio::basic_socket_acceptor<asio::generic::stream_protocol> acceptor_;
  std::set<std::shared_ptr<session>> sessions_;
  std::string address_;
  std::string unix_path_;
};

/// One controller.
class control::server::session : public std::enable_shared_from_this<session> {
public:
  session(std::shared_ptr<server> parent, stream_socket socket)
      : parent_(std::move(parent)), socket_(std::move(socket)) {}

  void read() {
    asio::async_read_until(socket_, input_, '\n',
                           [self = shared_from_this()](error_code ec, std::size_t) {
                             if (ec)
                               return self->end();
                             std::istream in(&self->input_);
                             std::string line;
                             std::getline(in, line);
                             self->take(line);
                             self->read();
                           });
  }

  void say(const json& what) {
    if (ended_)
      return;
    // Names and reasons come from us, but a request's "id" is echoed: replace what is not UTF-8.
    auto line = what.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    if (output_.size() + line.size() > max_unread)
      return end();
    output_ += line;
    if (!writing_)
      write();
  }

  void end() {
    if (std::exchange(ended_, true))
      return;
    error_code ignored;
    socket_.close(ignored);
    parent_->sessions_.erase(shared_from_this());
  }

  bool watches() const { return watches_; }

private:
  void write() {
    writing_ = true;
    sending_.swap(output_);
    output_.clear();
    asio::async_write(socket_, asio::buffer(sending_),
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        self->writing_ = false;
                        if (ec)
                          return self->end();
                        if (!self->output_.empty())
                          self->write();
                      });
  }

  void take(const std::string& line) {
    const auto asked = json::parse(line, nullptr, false);
    json answer = json::object();
    if (asked.is_object() && asked.contains("id"))
      answer["id"] = asked["id"];
    const auto complain = [&](const std::string& why) {
      answer["ok"] = false;
      answer["error"] = why;
      say(answer);
    };
    if (!asked.is_object())
      return complain("not a JSON object");
    if (!asked.contains("op") || !asked["op"].is_string())
      return complain("'op' is missing");
    const auto op = asked["op"].get<std::string>();
    if (op == "watch") {
      watches_ = true;
      answer["ok"] = true;
      return say(answer);
    }
    if (op == "list")
      return report(nullptr, false, std::move(answer));

    std::optional<device_id> guid;
    if (!asked.contains("guid") || !asked["guid"].is_string())
      return complain("'guid' is missing");
    if (const auto text = asked["guid"].get<std::string>(); text != "*") {
      guid = parse_uuid(text);
      if (!guid)
        return complain("'guid' is not a GUID");
      if (!parent_->fleet_.knows(*guid))
        return complain("there is no machine " + text);
    }
    if (op == "get") {
      if (!guid)
        return complain("'guid' must name one machine");
      return report(&*guid, true, std::move(answer));
    }
    if (op == "check_password") {
      if (!guid || !asked.contains("password") || !asked["password"].is_string())
        return complain("'guid' must name one machine, and 'password' must be a text");
      return check_password(*guid, asked["password"].get<std::string>(), std::move(answer));
    }
    if (op == "local_account") {
      if (!guid)
        return complain("'guid' must name one machine");
      return local_account(*guid, std::move(answer));
    }
    std::string why;
    auto what = make_task(op, asked, why);
    if (!what)
      return complain(why);
    parent_->fleet_.run(guid ? &*guid : nullptr, std::move(what),
                        [self = shared_from_this(), answer](const std::string& complaint) mutable {
                          answer["ok"] = complaint.empty();
                          if (!complaint.empty())
                            answer["error"] = complaint;
                          self->say(answer);
                        });
  }

  void report(const device_id* guid, bool one, json answer) {
    parent_->fleet_.reports(guid, [self = shared_from_this(), one, answer = std::move(answer)](
                                      const std::vector<machine_report>& all) mutable {
      answer["ok"] = true;
      if (one && !all.empty())
        answer["machine"] = to_json(all.front(), true);
      if (!one) {
        answer["machines"] = json::array();
        for (const auto& r : all)
          answer["machines"].push_back(to_json(r, false));
      }
      self->say(answer);
    });
  }

  void local_account(const device_id& guid, json answer) {
    auto found = std::make_shared<outband::amtsim::local_account>();
    parent_->fleet_.run(
        &guid,
        [found](machine& m) {
          *found = local_system_account(m.model());
          return std::string{};
        },
        [self = shared_from_this(), found, answer = std::move(answer)](const std::string&) mutable {
          answer["ok"] = true;
          answer["user"] = found->user;
          answer["password"] = found->password;
          self->say(answer);
        });
  }

  /// Tests assert with it who can sign in; nobody asks a machine for its password.
  void check_password(const device_id& guid, std::string password, json answer) {
    auto right = std::make_shared<bool>(false);
    parent_->fleet_.run(
        &guid,
        [right, password = std::move(password)](machine& m) {
          *right = is_admin_password(m.model(), password);
          return std::string{};
        },
        [self = shared_from_this(), right, answer = std::move(answer)](const std::string&) mutable {
          answer["ok"] = true;
          answer["matches"] = *right;
          self->say(answer);
        });
  }

  /// Empty with `why` set if the request is wrong.
  static fleet::task make_task(const std::string& op, const json& asked, std::string& why) {
    const auto number = [&](const char* name, std::uint32_t otherwise,
                            std::uint32_t max) -> std::optional<std::uint32_t> {
      if (!asked.contains(name))
        return otherwise;
      if (!asked[name].is_number_unsigned() || asked[name].get<std::uint64_t>() > max) {
        why = "'" + std::string(name) + "' must be from 0 to " + std::to_string(max);
        return std::nullopt;
      }
      return asked[name].get<std::uint32_t>();
    };
    const auto simple = [](void (machine::*call)()) {
      return [call](machine& m) {
        (m.*call)();
        return std::string{};
      };
    };
    if (op == "connect")
      return simple(&machine::connect);
    if (op == "disconnect")
      return simple(&machine::disconnect);
    if (op == "press_power_button")
      return simple(&machine::press_power_button);
    if (op == "clear_faults")
      return simple(&machine::clear_faults);
    if (op == "open_session" || op == "close_session") {
      const auto kind = asked.contains("kind") && asked["kind"].is_string()
                            ? parse_session_kind(asked["kind"].get<std::string>())
                            : std::nullopt;
      if (!kind) {
        why = "'kind' must be sol, ider or kvm";
        return {};
      }
      return [k = *kind, opens = op == "open_session"](machine& m) {
        std::string complaint;
        m.change([&](device_model& d, sim_time now) {
          if (opens)
            complaint = open_session(d, k, now);
          else
            close_session(d, k, now);
        });
        return complaint;
      };
    }
    if (op == "new_lan_certificate")
      return simple(&machine::new_lan_certificate);
    if (op == "set" || op == "add_event" || op == "add_audit" || op == "alert") {
      auto wish = read_wish(op, asked, why);
      if (!wish)
        return {};
      return [w = std::move(wish)](machine& m) {
        m.change(w);
        return std::string{};
      };
    }
    if (op == "fault") {
      const auto kind = asked.contains("kind") && asked["kind"].is_string()
                            ? parse_fault_kind(asked["kind"].get<std::string>())
                            : std::nullopt;
      if (!kind) {
        why = "'kind' is missing or not a fault this simulator knows";
        return {};
      }
      const auto ms = number("ms", 0, 86400000);
      const auto count = number("count", 1, 1000000000);
      if (!ms || !count)
        return {};
      return [k = *kind, t = sim_time{*ms}, n = *count](machine& m) {
        return m.order(k, t, n);
      };
    }
    why = "'" + op.substr(0, 40) + "' is not an op this simulator knows";
    return {};
  }

  std::shared_ptr<server> parent_;
  stream_socket socket_;
  asio::streambuf input_{max_line};
  std::string output_;
  std::string sending_;
  bool writing_ = false;
  bool watches_ = false;
  bool ended_ = false;
};

void control::server::listen(const std::string& where) {
  asio::generic::stream_protocol::endpoint at;
  if (where.rfind("unix:", 0) == 0) {
    unix_path_ = where.substr(5);
    ::unlink(unix_path_.c_str());
    at = asio::local::stream_protocol::endpoint(unix_path_);
    address_ = where;
  } else {
    const auto colon = where.rfind(':');
    const auto port = colon == std::string::npos ? std::string{} : where.substr(colon + 1);
    error_code ec;
    const auto ip = asio::ip::make_address(where.substr(0, colon), ec);
    if (ec || port.empty() || port.size() > 5 ||
        port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535)
      throw std::runtime_error("'" + where + "' is neither ADDRESS:PORT nor unix:PATH");
    if (!ip.is_loopback())
      throw std::runtime_error("'" + where +
                               "' is not a loopback address; the control interface "
                               "has no authentication");
    at = asio::ip::tcp::endpoint(ip, static_cast<unsigned short>(std::stoi(port)));
  }
  try {
    acceptor_.open(at.protocol());
    if (unix_path_.empty())
      acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(at);
    acceptor_.listen();
  } catch (const boost::system::system_error& e) {
    throw std::runtime_error("the control interface cannot listen on " + where + ": " +
                             e.code().message());
  }
  if (unix_path_.empty()) {
    const auto bound = acceptor_.local_endpoint();
    asio::ip::tcp::endpoint tcp;
    tcp.resize(bound.size());
    std::copy_n(static_cast<const char*>(static_cast<const void*>(bound.data())), bound.size(),
                static_cast<char*>(static_cast<void*>(tcp.data())));
    address_ = tcp.address().to_string() + ":" + std::to_string(tcp.port());
  }
}

void control::server::accept() {
  acceptor_.async_accept([self = shared_from_this()](error_code ec, stream_socket socket) {
    if (ec == asio::error::operation_aborted || !self->acceptor_.is_open())
      return;
    if (!ec && self->sessions_.size() < max_controllers) {
      auto s = std::make_shared<session>(self, std::move(socket));
      self->sessions_.insert(s);
      s->read();
    }
    self->accept();
  });
}

void control::server::stop() {
  error_code ignored;
  acceptor_.close(ignored);
  const auto all = sessions_;
  for (const auto& s : all)
    s->end();
  if (!unix_path_.empty())
    ::unlink(unix_path_.c_str());
}

control::control(asio::io_context& main, fleet& machines, const std::string& where)
    : server_(std::make_shared<server>(main, machines)) {
  server_->listen(where);
  server_->accept();
}

control::~control() {
  server_->stop();
}

const std::string& control::address() const {
  return server_->address_;
}

void control::tell(const machine_event& e) {
  const auto all = server_->sessions_;
  json line;
  for (const auto& s : all) {
    if (!s->watches())
      continue;
    if (line.is_null())
      line = to_json(e);
    s->say(line);
  }
}

} // namespace outband::amtsim
