#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/subscription_state.hpp"

namespace outband::amtsim {
namespace {

using namespace test;

constexpr std::string_view subscribe_action =
    "http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe";
constexpr std::string_view unsubscribe_action =
    "http://schemas.xmlsoap.org/ws/2004/08/eventing/Unsubscribe";
constexpr auto with_ack = "http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck";

/// As MeshCommander asks.
wsman_reply ask(bench_machine& m, const std::string& url,
                const std::string& filter = "Intel(r) AMT:All", const std::string& mode = with_ack,
                const std::string& parameters = {}) {
  const auto body = "<e:Subscribe xmlns:e=\"http://schemas.xmlsoap.org/ws/2004/08/eventing\">"
                    "<e:Delivery Mode=\"" +
                    mode + "\"><e:NotifyTo><a:Address xmlns:a=\"urn:a\">" + url + "</a:Address>" +
                    parameters + "</e:NotifyTo></e:Delivery></e:Subscribe>";
  return serve(m,
               request(subscribe_action, "CIM_FilterCollection", body, {{"InstanceID", filter}}));
}

/// The next event on its way; its XML.
wsman::node next_event(bench_machine& m) {
  auto& waiting = m.model.subscriptions.change().waiting;
  REQUIRE_FALSE(waiting.empty());
  const auto request = waiting.front().request;
  waiting.pop_front();
  auto xml = wsman::parse_xml(request.substr(request.find("\r\n\r\n") + 4));
  REQUIRE(xml.ok());
  return *xml;
}

TEST_CASE("a subscriber is told what happens with what it asked to be reminded of") {
  bench_machine m;
  const auto answer =
      body_of(ask(m, "http://127.0.0.1:8080/events", "Intel(r) AMT:All", with_ack,
                  "<a:ReferenceParameters xmlns:a=\"urn:a\"><m:arg xmlns:m=\"http://x.com\">"
                  "tok&amp;en</m:arg></a:ReferenceParameters>"));
  CHECK(answer.name == "SubscribeResponse");
  const auto manager = wsman::read_endpoint(*answer.child("SubscriptionManager"));
  REQUIRE(manager.has_value());
  CHECK(manager->resource_uri == wsman::class_uri("CIM_FilterCollectionSubscription"));
  REQUIRE(returned(invoke(m, "CIM_KVMRedirectionSAP", "RequestStateChange",
                          wsman::property("RequestedState", "3"))) == "0");
  REQUIRE(m.model.subscriptions->waiting.size() == 1);
  const auto& out = m.model.subscriptions->waiting.front();
  CHECK(out.host == "127.0.0.1");
  CHECK(out.port == 8080);
  CHECK(out.request.rfind("POST /events HTTP/1.1\r\n", 0) == 0);
  const auto event = next_event(m);
  CHECK(event.find({"Header", "Action"})->value() ==
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event");
  CHECK(event.find({"Header", "AckRequested"}) != nullptr);
  CHECK(event.find({"Header", "arg"})->value() == "tok&en");
  const auto* body = event.find({"Body", "CIM_AlertIndication"});
  REQUIRE(body != nullptr);
  CHECK(body->child_text("MessageID") == "iAMT0059");
  CHECK(all_texts(*body, "MessageArguments").at(0) == "0");
  CHECK(body->child_text("IndicationFilterName") == "Intel(r) AMT:AllEvents");
}

TEST_CASE("a boot is an event of the platform and not of Intel AMT") {
  bench_machine m;
  REQUIRE(ask(m, "10.0.0.1:5000", "Intel(r) AMT:Features").http_status == 200);
  m.ask(10);
  m.after(100);
  CHECK(m.model.subscriptions->waiting.empty());
  REQUIRE(ask(m, "10.0.0.1:5000", "Intel(r) AMT:Platform").http_status == 200);
  m.ask(10);
  m.after(100);
  CHECK(next_event(m).find({"Body", "CIM_AlertIndication", "MessageID"})->value() == "PLAT0284");
  CHECK(next_event(m).find({"Body", "CIM_AlertIndication", "MessageID"})->value() == "PLAT0188");
}

TEST_CASE("who unsubscribes is told nothing more") {
  bench_machine m;
  const auto answer = body_of(ask(m, "10.0.0.1:5000"));
  REQUIRE(body_of(ask(m, "10.0.0.2:5000")).name == "SubscribeResponse");
  CHECK(list(m, "CIM_FilterCollectionSubscription").size() == 2);
  CHECK(list(m, "CIM_ListenerDestination").size() == 2);
  const auto manager = wsman::read_endpoint(*answer.child("SubscriptionManager")).value();
  const auto end = [&] {
    return refused(serve(m, request(unsubscribe_action, "CIM_FilterCollectionSubscription",
                                    "<e:Unsubscribe xmlns:e=\"urn:e\"/>", manager.selectors)));
  };
  CHECK(end().empty());
  CHECK(end() == "DestinationUnreachable");
  const auto left = list(m, "CIM_ListenerDestinationWSManagement");
  REQUIRE(left.size() == 1);
  CHECK(left[0].child_text("Destination") == "10.0.0.2:5000");
}

TEST_CASE("a subscription needs a filter that exists and a place that can be reached") {
  bench_machine m;
  CHECK(refused(ask(m, "10.0.0.1:5000", "Intel(r) AMT:Toast")) == "DestinationUnreachable");
  CHECK(refused(ask(m, "")) == "InvalidRepresentation");
  CHECK(refused(ask(m, "https://a/")) == "InvalidRepresentation");
  CHECK(refused(ask(m, "http://a:99999/")) == "InvalidRepresentation");
  CHECK(refused(ask(m, "http://a/" + std::string(260, 'x'))) == "InvalidRepresentation");
  CHECK(refused(ask(m, "10.0.0.1:5000", "Intel(r) AMT:All", "urn:pigeon")) ==
        "InvalidRepresentation");
  CHECK(refused(serve(m, request(subscribe_action, "CIM_FilterCollection"))) ==
        "SchemaValidationError");
  CHECK(refused(serve(m, request(subscribe_action, "CIM_Chassis"))) == "ActionNotSupported");
  for (std::size_t i = 0; i < max_subscribers; ++i)
    REQUIRE(ask(m, "10.0.0.1:5000").http_status == 200);
  CHECK(refused(ask(m, "10.0.0.1:5000")) == "QuotaLimit");
}

TEST_CASE("events that cannot be delivered do not pile up") {
  bench_machine m;
  REQUIRE(ask(m, "10.0.0.1:5000").http_status == 200);
  for (int i = 0; i < 100; ++i)
    raise_alert(m.model, {"iAMT0055", "2"}, 1700000000 + i);
  CHECK(m.model.subscriptions->waiting.size() == max_waiting_events);
}

TEST_CASE("listeners are named by URL or by host and port") {
  std::string host;
  std::string path;
  std::uint16_t port = 0;
  CHECK(split_url("http://[fe80::1]:81/a", host, port, path));
  CHECK(host == "fe80::1");
  CHECK(port == 81);
  CHECK(path == "/a");
  CHECK(split_url("192.168.0.0:5000", host, port, path));
  CHECK(port == 5000);
  CHECK(path == "/");
  CHECK(split_url("http://name", host, port, path));
  CHECK(port == 80);
  for (const auto* bad : {"", "ftp://a", "http://", "http://a:0", "http://a b/"})
    CHECK_FALSE(split_url(bad, host, port, path));
}

} // namespace
} // namespace outband::amtsim
