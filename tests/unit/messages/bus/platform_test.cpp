// Documents about nodes: what several of them tell each other and their consumers.
#include "tests/unit/messages/bus/samples.hpp"

#include "messages/bus/msgpack.hpp"

namespace {

using namespace outband;
using namespace outband::bus;

const encoding both[] = {encoding::msgpack, encoding::cloudevents};

envelope plain() {
  auto e = sample::full_envelope();
  e.about.reset();
  return e;
}

TEST_CASE("the live instances of a tenant survive both encodings") {
  const bus_instances body{{{"n1", sample::other_id, true}, {"n2", sample::message_id, false}}};
  for (auto e : both) {
    const auto back = decode_bus_instances(encode(plain(), body, e), e);
    REQUIRE(back.ok());
    CHECK(back->env.kind == document::bus);
    sample::check_envelope(back->env, plain());
    REQUIRE(back->body.instances.size() == 2);
    CHECK(back->body.instances[0].instance == "n1");
    CHECK(back->body.instances[0].incarnation == sample::other_id);
    CHECK(back->body.instances[0].up);
    CHECK(back->body.instances[1].instance == "n2");
    CHECK(back->body.instances[1].incarnation == sample::message_id);
    CHECK_FALSE(back->body.instances[1].up);

    const auto none = decode_bus_instances(encode(plain(), bus_instances{}, e), e);
    REQUIRE(none.ok());
    CHECK(none->body.instances.empty());
  }
}

TEST_CASE("to let go of a whole tenant is work that names no machine and a tenant it must name") {
  auto about = [](const device_ref& ref) {
    return decode_work(encode(plain(), work_body{disconnect{ref}}, encoding::msgpack),
                       encoding::msgpack);
  };
  const auto all = about({"acme", {}});
  REQUIRE(all.ok());
  CHECK(std::get<disconnect>(all->body).device == device_ref{"acme", {}});
  const auto one = about(sample::device);
  REQUIRE(one.ok());
  CHECK(std::get<disconnect>(one->body).device == sample::device);
  CHECK_FALSE(about({"", sample::device.device}).ok());
  CHECK_FALSE(decode_work(encode(plain(), work_body{evict{{"acme", {}}, 1}}, encoding::msgpack),
                          encoding::msgpack)
                  .ok());
}

TEST_CASE("a thousand instances with the longest names fit and more are refused") {
  bus_instances body;
  for (int i = 0; i < 1000; ++i) {
    auto name = std::to_string(i);
    body.instances.push_back({std::string(64 - name.size(), 'n') + name, sample::other_id, true});
  }
  const auto octets = encode(plain(), body, encoding::msgpack);
  CHECK(octets.size() <= max_payload);
  const auto back = decode_bus_instances(octets, encoding::msgpack);
  REQUIRE(back.ok());
  CHECK(back->body.instances.size() == 1000);
  CHECK(back->body.instances[999].instance == body.instances[999].instance);

  // The writer cuts, so a longer list is made from a tree.
  auto tree = *from_msgpack(
      encode(plain(), bus_instances{{{"n", sample::other_id, true}}}, encoding::msgpack));
  for (auto& m : *tree.get<value::map>())
    if (m.key == "d") {
      auto& list = *(*m.content.get<value::map>())[0].content.get<value::array>();
      while (list.size() <= max_bus_instances)
        list.push_back(list.front());
    }
  const auto refused = decode_bus_instances(to_msgpack(tree), encoding::msgpack);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().what == problem::too_large);
  CHECK(refused.error().field == "d.instances");
}

TEST_CASE("a node says which roles it plays and whether it is draining") {
  const node_presence body{sample::other_id, "n1", true, 5, {"controller", "api"}, true};
  for (auto e : both) {
    const auto back = decode_node_presence(encode(plain(), body, e), e);
    REQUIRE(back.ok());
    CHECK(back->body.roles == body.roles);
    CHECK(back->body.draining);
    CHECK(back->body.links == 5);
  }
}

TEST_CASE("a node of an older program that says neither is read as before") {
  const node_presence body{sample::other_id, "n1", true, 5};
  for (auto e : both) {
    const auto octets = encode(plain(), body, e);
    // Nothing is written for what is not said, so that an older program reads the same octets.
    CHECK(octets.find("roles") == std::string::npos);
    CHECK(octets.find("draining") == std::string::npos);
    const auto back = decode_node_presence(octets, e);
    REQUIRE(back.ok());
    CHECK(back->body.roles.empty());
    CHECK_FALSE(back->body.draining);
  }
}

TEST_CASE("roles are bounded in number and length") {
  auto refused = [](const char* json_roles) {
    const std::string payload =
        R"({"specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057","source":"/n1",)"
        R"("type":"io.oob.node.v1","data":{"inc":"01890a5d-ac96-774b-bcce-b302099a8058",)"
        R"("inst":"n1","up":true,"roles":)" +
        std::string(json_roles) + "}}";
    const auto r = decode_node_presence(payload, encoding::cloudevents);
    return r.ok() ? std::string("ok") : r.error().field;
  };
  CHECK(refused(R"(["api"])") == "ok");
  CHECK(refused(R"([])") == "ok");
  CHECK(refused(R"("api")") == "data.roles");
  CHECK(refused(R"(["api",""])") == "data.roles[1]");
  CHECK(refused(R"([7])") == "data.roles[0]");
  CHECK(refused(R"(["1","2","3","4","5","6","7","8","9"])") == "data.roles");
  const auto longest = "[\"" + std::string(65, 'x') + "\"]";
  CHECK(refused(longest.c_str()) == "data.roles[0]");
}

} // namespace
