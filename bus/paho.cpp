#include "bus/paho.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>

namespace outband::bus {

failure reason_failure(int code) {
  code &= 0xff;
  switch (code) { // MQTT 5 section 2.4
  case 0x86:
    return fail(problem::unauthenticated, paho::hex(code) + " bad user name or password");
  case 0x87:
    return fail(problem::forbidden, paho::hex(code) + " not authorized");
  case 0x88:
  case 0x89:
    return fail(problem::bus_unavailable, paho::hex(code) + " the broker is unavailable or busy");
  case 0x8f:
  case 0x90:
    return fail(problem::malformed, paho::hex(code) + " the broker does not take this topic");
  case 0x95:
    return fail(problem::too_large, paho::hex(code) + " packet too large");
  case 0x97:
    return fail(problem::busy, paho::hex(code) + " quota exceeded");
  case 0x99:
    return fail(problem::malformed, paho::hex(code) + " payload format invalid");
  default:
    return fail(problem::unsupported, paho::hex(code));
  }
}

namespace paho {

std::string uri_of(const mqtt_options& o) {
  const bool v6 = o.host.find(':') != std::string::npos;
  return (o.tls ? "ssl://" : "tcp://") + (v6 ? "[" + o.host + "]" : o.host) + ":" +
         std::to_string(o.port);
}

mqtt::create_options creation() {
  mqtt::create_options out(MQTTVERSION_5);
  // Paho counts every message it has, connected or not; our own window is the bound.
  out.set_max_buffered_messages(65535);
  return out;
}

std::string hex(int code) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%02x", static_cast<unsigned>(code) & 0xff);
  return text;
}

/// Paho reports refused connections in the return code and refused publications in the reason code.
int refusal_code(const mqtt::token& t) {
  const int rc = t.get_return_code();
  const int reason = static_cast<int>(t.get_reason_code());
  const int code = reason >= 0x80 ? reason : rc;
  return code >= 0x80 ? code & 0xff : 0;
}

std::string why_failed(const mqtt::token& t) {
  if (const int code = refusal_code(t))
    return "refused by the broker: " + reason_failure(code).detail;
  return "Paho error " + std::to_string(t.get_return_code());
}

message from_paho(const mqtt::const_message_ptr& in, std::vector<std::uint32_t>& ids) {
  using mqtt::property;
  message out;
  out.topic = in->get_topic();
  out.payload = in->get_payload_ref().ptr(); // shares Paho's copy
  if (!out.payload)
    out.payload = std::make_shared<const std::string>();
  out.retain = in->is_retained();
  out.qos = static_cast<std::uint8_t>(in->get_qos());
  const auto& props = in->get_properties();
  auto text = [&](property::code what, std::string& into) {
    if (props.contains(what))
      into = mqtt::get<std::string>(props, what);
  };
  text(property::CONTENT_TYPE, out.content_type);
  text(property::RESPONSE_TOPIC, out.response_topic);
  text(property::CORRELATION_DATA, out.correlation);
  if (props.contains(property::MESSAGE_EXPIRY_INTERVAL))
    out.expiry =
        std::chrono::seconds(mqtt::get<std::uint32_t>(props, property::MESSAGE_EXPIRY_INTERVAL));
  for (std::size_t i = 0; i < props.count(property::SUBSCRIPTION_IDENTIFIER); ++i)
    ids.push_back(mqtt::get<std::uint32_t>(props, property::SUBSCRIPTION_IDENTIFIER, i));
  return out;
}

mqtt::message_ptr to_paho(const message& m) {
  using mqtt::property;
  mqtt::properties props;
  if (!m.content_type.empty())
    props.add({property::CONTENT_TYPE, m.content_type});
  if (!m.response_topic.empty())
    props.add({property::RESPONSE_TOPIC, m.response_topic});
  if (!m.correlation.empty())
    props.add({property::CORRELATION_DATA, mqtt::binary_ref(m.correlation)});
  if (m.expiry)
    props.add({property::MESSAGE_EXPIRY_INTERVAL, static_cast<std::int32_t>(std::min<std::int64_t>(
                                                      std::max<std::int64_t>(m.expiry->count(), 0),
                                                      std::numeric_limits<std::int32_t>::max()))});
  return mqtt::message::create(m.topic, mqtt::binary_ref(m.payload), m.qos, m.retain, props);
}

mqtt::connect_options connect_options(const mqtt_options& o, bool publishes,
                                      const credentials& who) {
  using mqtt::property;
  mqtt::connect_options_builder b;
  b.mqtt_version(MQTTVERSION_5) // first: it resets the clean flags
      .clean_start(publishes ? o.clean_start : true)
      .keep_alive_interval(o.keep_alive)
      .connect_timeout(o.connect_timeout)
      .automatic_reconnect(false)
      .max_inflight(65535); // our own window is what counts
  mqtt::properties props;
  if (publishes && o.session_expiry.count() > 0)
    props.add(
        {property::SESSION_EXPIRY_INTERVAL, static_cast<std::int32_t>(o.session_expiry.count())});
  b.properties(std::move(props));
  if (!who.username.empty())
    b.user_name(who.username).password(who.password);
  if (o.tls) {
    mqtt::ssl_options_builder tls;
    tls.trust_store(o.ca_file)
        .verify(o.verify_host)
        .enable_server_cert_auth(true)
        .ssl_version(MQTT_SSL_VERSION_DEFAULT); // negotiates 1.2 or 1.3
    if (!o.cert_file.empty())
      tls.key_store(o.cert_file).private_key(o.key_file);
    b.ssl(tls.finalize());
  }
  if (publishes && o.will) {
    if (auto m = o.will(); m && m->payload) {
      mqtt::properties of_will;
      if (!m->content_type.empty())
        of_will.add({property::CONTENT_TYPE, m->content_type});
      if (o.will_delay.count() > 0)
        of_will.add(
            {property::WILL_DELAY_INTERVAL, static_cast<std::int32_t>(o.will_delay.count())});
      b.will(
          mqtt::will_options(m->topic, mqtt::binary_ref(m->payload), m->qos, m->retain, of_will));
    }
  }
  return b.finalize();
}

} // namespace paho

} // namespace outband::bus
