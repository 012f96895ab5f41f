#include "messages/apf/encoder.hpp"

namespace outband::apf {

namespace {

constexpr std::uint32_t reserved_max_packet = 0xFFFFFFFF; // SSH's "maximum packet size"
constexpr std::size_t version_reserved = 64;

class writer {
public:
  explicit writer(std::string& out) : out_(out) {}

  void head(type t) { u8(static_cast<std::uint8_t>(t)); }
  void u8(std::uint8_t v) { out_ += static_cast<char>(v); }
  void u32(std::uint32_t v) {
    const char octets[4] = {static_cast<char>(v >> 24), static_cast<char>(v >> 16),
                            static_cast<char>(v >> 8), static_cast<char>(v)};
    out_.append(octets, sizeof octets);
  }
  void text(std::string_view s) {
    u32(static_cast<std::uint32_t>(s.size()));
    out_.append(s);
  }
  void global(std::string_view name, bool want_reply) {
    head(type::global_request);
    text(name);
    u8(want_reply ? 1 : 0);
  }

  void operator()(const disconnect& m) {
    head(type::disconnect);
    u32(static_cast<std::uint32_t>(m.reason));
    out_.append(2, '\0');
  }
  void operator()(const service_request& m) {
    head(type::service_request);
    text(m.service);
  }
  void operator()(const service_accept& m) {
    head(type::service_accept);
    text(m.service);
  }
  void operator()(const userauth_request& m) {
    head(type::userauth_request);
    text(m.user);
    text(m.service);
    text(m.method);
    if (m.method == "password") {
      u8(0); // SSH: not a password change
      text(m.password);
    }
  }
  void operator()(const userauth_failure& m) {
    head(type::userauth_failure);
    text(m.methods);
    u8(m.partial_success ? 1 : 0);
  }
  void operator()(const userauth_success&) { head(type::userauth_success); }
  void operator()(const tcpip_forward& m) {
    global("tcpip-forward", m.want_reply);
    text(m.address);
    u32(m.port);
  }
  void operator()(const cancel_tcpip_forward& m) {
    global("cancel-tcpip-forward", m.want_reply);
    text(m.address);
    u32(m.port);
  }
  void operator()(const udp_send_to& m) {
    global("udp-send-to@amt.intel.com", m.want_reply);
    text(m.address);
    u32(m.port);
    text(m.originator);
    u32(m.originator_port);
    text(m.data);
  }
  void operator()(const unknown_request& m) { global(m.name, m.want_reply); }
  void operator()(const request_success& m) {
    head(type::request_success);
    if (m.port)
      u32(*m.port);
  }
  void operator()(const request_failure&) { head(type::request_failure); }
  void operator()(const channel_open& m) {
    head(type::channel_open);
    text(m.channel_type);
    u32(m.sender);
    u32(m.window);
    u32(reserved_max_packet);
    text(m.connected_address);
    u32(m.connected_port);
    text(m.originator_address);
    u32(m.originator_port);
  }
  void operator()(const channel_open_confirmation& m) {
    head(type::channel_open_confirmation);
    u32(m.recipient);
    u32(m.sender);
    u32(m.window);
    u32(reserved_max_packet);
  }
  void operator()(const channel_open_failure& m) {
    head(type::channel_open_failure);
    u32(m.recipient);
    u32(static_cast<std::uint32_t>(m.reason));
    u32(0);
    u32(0);
  }
  void operator()(const channel_window_adjust& m) { encode_adjust(m.recipient, m.add, out_); }
  void operator()(const channel_data& m) { encode_data(m.recipient, m.data, out_); }
  void operator()(const channel_close& m) { encode_close(m.recipient, out_); }
  void operator()(const protocol_version& m) {
    head(type::protocol_version);
    u32(m.major);
    u32(m.minor);
    u32(static_cast<std::uint32_t>(m.why));
    for (const std::uint8_t octet : m.guid)
      u8(octet);
    out_.append(version_reserved, '\0');
  }
  void operator()(const keepalive_request& m) {
    head(type::keepalive_request);
    u32(m.cookie);
  }
  void operator()(const keepalive_reply& m) {
    head(type::keepalive_reply);
    u32(m.cookie);
  }
  void operator()(const keepalive_options_request& m) {
    head(type::keepalive_options_request);
    u32(m.interval_s);
    u32(m.timeout_s);
  }
  void operator()(const keepalive_options_reply& m) {
    head(type::keepalive_options_reply);
    u32(m.interval_s);
    u32(m.timeout_s);
  }

private:
  std::string& out_;
};

} // namespace

void encode(const message& m, std::string& out) {
  std::visit(writer{out}, m);
}

std::string encode(const message& m) {
  std::string out;
  encode(m, out);
  return out;
}

void encode_data_header(std::uint32_t recipient, std::uint32_t size, std::string& out) {
  writer w{out};
  w.head(type::channel_data);
  w.u32(recipient);
  w.u32(size);
}

void encode_data(std::uint32_t recipient, std::string_view data, std::string& out) {
  encode_data_header(recipient, static_cast<std::uint32_t>(data.size()), out);
  out.append(data);
}

void encode_adjust(std::uint32_t recipient, std::uint32_t add, std::string& out) {
  writer w{out};
  w.head(type::channel_window_adjust);
  w.u32(recipient);
  w.u32(add);
}

void encode_close(std::uint32_t recipient, std::string& out) {
  writer w{out};
  w.head(type::channel_close);
  w.u32(recipient);
}

} // namespace outband::apf
