// Every document, damaged in every way: what is missing, of the wrong type, out of range, unknown,
// cut off. Works on trees, so that a new field is covered as soon as the sample has it.
#include "messages/bus/json.hpp"
#include "messages/bus/msgpack.hpp"
#include "samples.hpp"

#include <functional>
#include <set>

using namespace outband;
using namespace outband::bus;

namespace {

struct specimen {
  const char* name;
  std::string msgpack, json;
  /// The failure in words, "" if it was accepted.
  std::function<std::string(std::string_view, encoding)> decode;
  /// Members of the body that must be there, in paths as failures name them.
  std::set<std::string> required;
};

template <class T, class Decode>
specimen make(const char* name, const T& body, Decode decode, std::set<std::string> required) {
  auto env = sample::full_envelope();
  return {name, encode(env, body, encoding::msgpack), encode(env, body, encoding::cloudevents),
          [decode](std::string_view p, encoding e) {
            const auto r = decode(p, e);
            return r.ok() ? std::string() : to_string(r.error());
          },
          std::move(required)};
}

std::vector<specimen> specimens() {
  const auto answers = sample::answers();
  const auto works = sample::works();
  std::vector<specimen> all{
      make("desired", sample::desired(), decode_desired, {"power", "power.target", "power.policy"}),
      make("current", sample::current(), decode_current,
           {"power", "power.code", "link", "link.state", "conds", "conds[0].type",
            "conds[0].status", "conds[1].type", "conds[1].status"}),
      make("presence", sample::present(), decode_presence, {"link"}),
      make("event", sample::happening(), decode_event, {"class", "t"}),
      make("response", sample::answer(), decode_response,
           {"status", "why.code", "data.desired", "data.desired.power", "data.desired.power.target",
            "data.desired.power.policy", "data.current", "data.current.power",
            "data.current.power.code", "data.current.link", "data.current.link.state",
            "data.current.conds", "data.current.conds[0].type", "data.current.conds[0].status",
            "data.current.conds[1].type", "data.current.conds[1].status"}),
      make("observation",
           std::vector<observation>{{sample::device, 7, sample::now,
                                     link_up{"term-1", sample::other_id, "192.0.2.7", 4}},
                                    {sample::device, 7, sample::now, answers[0]}},
           decode_observations,
           {"items", "items[0].ten", "items[0].dev", "items[0].what", "items[0].d",
            "items[0].d.inst", "items[0].d.inc", "items[1].ten", "items[1].dev", "items[1].what",
            "items[1].d", "items[1].d.cmd", "items[1].d.ten", "items[1].d.dev", "items[1].d.is",
            "items[1].d.out", "items[1].d.out.code"}),
      make("work", works[3], decode_work,
           {"act", "cmd", "ten", "dev", "op", "arg", "arg.action", "deadline"}),
      make("answer", answers[1], decode_answer, {"cmd", "ten", "dev", "is", "out"}),
      make("wake", wake{sample::device, "desired"}, decode_wake, {"ten", "dev"}),
      make("node", node_presence{sample::other_id, "n1", true, 5, {"api"}, true},
           decode_node_presence, {"inc", "inst", "up"}),
      make("bus", bus_instances{{{"n1", sample::other_id, true}}}, decode_bus_instances,
           {"instances", "instances[0].inst", "instances[0].inc", "instances[0].up"}),
      make("controller", controller_presence{"n1", sample::other_id, 3, true},
           decode_controller_presence, {"inst", "inc", "up"}),
      make("canary", canary{1, sample::now}, decode_canary, {"gen"}),
  };
  return all;
}

using visit_member = std::function<void(value::map&, std::size_t, const std::string&)>;

/// Calls `f` with each member of each map, however deep, and its path. `f` may change the map and
/// must put it back.
void each_member(value& v, const std::string& path, const visit_member& f) {
  if (auto* m = v.get<value::map>())
    for (std::size_t i = 0; i < m->size(); ++i) {
      const auto at = path.empty() ? (*m)[i].key : path + "." + (*m)[i].key;
      f(*m, i, at);
      each_member((*m)[i].content, at, f);
    }
  else if (auto* a = v.get<value::array>())
    for (std::size_t i = 0; i < a->size(); ++i)
      each_member((*a)[i], path + "[" + std::to_string(i) + "]", f);
}

struct form {
  encoding e;
  const char* body;               ///< the member that holds it
  std::set<std::string> required; ///< of the envelope
};
const form forms[] = {
    {encoding::msgpack, "d", {"v", "id", "k", "d"}},
    {encoding::cloudevents, "data", {"specversion", "id", "source", "type", "data"}}};

value tree_of(const specimen& s, encoding e) {
  return e == encoding::msgpack ? *from_msgpack(s.msgpack) : *from_json(s.json);
}

std::string decode(const specimen& s, const value& tree, encoding e) {
  return s.decode(e == encoding::msgpack ? to_msgpack(tree) : to_json(tree), e);
}

bool starts_with(const std::string& s, const std::string& prefix) {
  return s.compare(0, prefix.size(), prefix) == 0;
}

/// Written for people, never read.
bool never_read(const std::string& name, const std::string& path) {
  if (path == "subject")
    return true;
  if (name == "current")
    return path == "d.power.state" || path == "data.power.state";
  if (name == "response")
    return path == "d.code" || path == "data.code" || path == "d.data.current.power.state" ||
           path == "data.data.current.power.state";
  return false;
}

} // namespace

TEST_CASE("the undamaged specimens are accepted") {
  for (const auto& s : specimens()) {
    CAPTURE(s.name);
    CHECK(s.decode(s.msgpack, encoding::msgpack) == "");
    CHECK(s.decode(s.json, encoding::cloudevents) == "");
  }
}

TEST_CASE("a missing required field is named and a missing optional one is no matter") {
  for (const auto& s : specimens())
    for (const auto& f : forms) {
      auto tree = tree_of(s, f.e);
      std::set<std::string> required = f.required;
      for (const auto& r : s.required)
        required.insert(std::string(f.body) + "." + r);
      std::set<std::string> met;
      each_member(tree, {}, [&](value::map& m, std::size_t i, const std::string& path) {
        auto taken = m[i];
        m.erase(m.begin() + static_cast<std::ptrdiff_t>(i));
        const auto said = decode(s, tree, f.e);
        m.insert(m.begin() + static_cast<std::ptrdiff_t>(i), taken);
        CAPTURE(s.name);
        CAPTURE(path);
        if (required.count(path) == 0) {
          CHECK(said == "");
        } else {
          met.insert(path);
          CHECK(said == path + ": is missing (malformed)");
        }
      });
      CHECK(met == required);
    }
}

TEST_CASE("a value of the wrong type is refused wherever it stands and named") {
  const std::vector<value> wrong{value(),
                                 value(true),
                                 value(std::int64_t{-1}),
                                 value(1.5),
                                 value(std::string("\xF0\x9F\x94\x8C")),
                                 value(std::string()),
                                 value(octet_string{"0123456789"}),
                                 value(value::array{value(std::uint64_t{1})}),
                                 value(value::map{{"x", value()}})};
  for (const auto& s : specimens())
    for (const auto& f : forms) {
      auto tree = tree_of(s, f.e);
      each_member(tree, {}, [&](value::map& m, std::size_t i, const std::string& path) {
        if (never_read(s.name, path))
          return;
        const auto right = m[i].content;
        for (const auto& w : wrong) {
          // Text where text belongs, true where true belongs, a map where a map belongs.
          if (w.data.index() == right.data.index())
            continue;
          // Octets become text in JSON.
          if (w.get<octet_string>() != nullptr && f.e == encoding::cloudevents)
            continue;
          m[i].content = w;
          const auto said = decode(s, tree, f.e);
          CAPTURE(s.name);
          CAPTURE(path);
          CAPTURE(type_name(w));
          CHECK(starts_with(said, path + ""));
          CHECK(said.find("must be ") != std::string::npos);
        }
        m[i].content = right;
      });
    }
}

TEST_CASE("a number beyond its range is refused and named") {
  struct row {
    const char* specimen;
    const char* path;
    std::uint64_t number;
  };
  for (const auto& r :
       {row{"current", "d.power.code", 256}, row{"current", "d.power.os", 256},
        row{"current", "d.power.since", 253402300800000}, row{"current", "ts", UINT64_MAX},
        row{"current", "v", 2}, row{"current", "v", 0}, row{"current", "v", UINT64_MAX},
        row{"response", "d.returnValue", 4294967296}, row{"work", "d.arg.action", 17},
        row{"work", "d.arg.action", 1}, row{"work", "d.deadline", UINT64_MAX},
        row{"answer", "d.out.major", 1001}, row{"observation", "d.items[0].d.trigger", 256}})
    for (const auto& s : specimens()) {
      if (std::string(s.name) != r.specimen)
        continue;
      auto tree = tree_of(s, encoding::msgpack);
      bool met = false;
      each_member(tree, {}, [&](value::map& m, std::size_t i, const std::string& path) {
        if (path != r.path)
          return;
        met = true;
        const auto right = m[i].content;
        m[i].content = r.number;
        const auto said = decode(s, tree, encoding::msgpack);
        m[i].content = right;
        CAPTURE(path);
        CAPTURE(said);
        CHECK(starts_with(said, path + ": "));
      });
      CHECK(met);
    }
}

TEST_CASE("a field of a newer program is ignored at every depth") {
  for (const auto& s : specimens())
    for (const auto& f : forms) {
      auto tree = tree_of(s, f.e);
      each_member(tree, {}, [&](value::map& m, std::size_t i, const std::string& path) {
        if (i != 0)
          return;
        m.push_back({"future", value(value::array{value(value::map{{"x", value()}})})});
        CAPTURE(s.name);
        CAPTURE(path);
        CHECK(decode(s, tree, f.e) == "");
        m.pop_back();
      });
    }
}

TEST_CASE("a document cut off anywhere or followed by anything is refused") {
  for (const auto& s : specimens())
    for (const auto& f : forms) {
      const auto& whole = f.e == encoding::msgpack ? s.msgpack : s.json;
      CAPTURE(s.name);
      for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        CAPTURE(cut);
        CHECK(s.decode(std::string_view(whole).substr(0, cut), f.e) != "");
      }
      CHECK(s.decode(whole + "x", f.e) != "");
      CHECK(s.decode(whole + whole, f.e) != "");
    }
}

TEST_CASE("every single octet changed is answered without a crash") {
  for (const auto& s : specimens())
    for (const auto& f : forms) {
      auto damaged = f.e == encoding::msgpack ? s.msgpack : s.json;
      std::size_t refused = 0;
      for (std::size_t i = 0; i < damaged.size(); ++i)
        for (unsigned flip : {0x01u, 0x80u, 0xFFu}) {
          const char kept = damaged[i];
          damaged[i] = static_cast<char>(static_cast<unsigned char>(kept) ^ flip);
          if (!s.decode(damaged, f.e).empty())
            ++refused;
          damaged[i] = kept;
        }
      CAPTURE(s.name);
      CHECK(refused > 0);
    }
}

TEST_CASE("a payload beyond the limit is refused unread") {
  const std::string huge(max_payload + 1, ' ');
  for (const auto& s : specimens())
    for (const auto& f : forms)
      CHECK(s.decode(huge, f.e) ==
            "a payload of 524289 octets; at most 524288 are read (too-large)");
}

TEST_CASE("a document that is no map is refused") {
  for (const auto& s : specimens()) {
    CHECK(s.decode("\x90", encoding::msgpack) == "a document is a map, not a list (malformed)");
    CHECK(s.decode("7", encoding::cloudevents) ==
          "a document is a map, not an integer (malformed)");
    CHECK(s.decode("", encoding::msgpack) == "an empty payload (malformed)");
  }
}

TEST_CASE("texts and lists beyond their limits are refused and named") {
  const auto with = [](const char* key, value v) {
    value::map d{{"link", std::string("up")}, {key, std::move(v)}};
    value::map m{{"v", std::uint64_t{1}},
                 {"id", sample::message_id},
                 {"k", std::string("presence")},
                 {"d", std::move(d)}};
    const auto r = decode_presence(to_msgpack(m), encoding::msgpack);
    return r.ok() ? std::string() : to_string(r.error());
  };
  CHECK(with("inst", std::string(64, 'x')) == "");
  CHECK(with("inst", std::string(65, 'x')) ==
        "d.inst: is 65 octets long; at most 64 are allowed (too-large)");
  CHECK(with("why", std::string(513, 'x')) ==
        "d.why: is 513 octets long; at most 512 are allowed (too-large)");
  CHECK(with("why", std::string(4097, 'x')) ==
        "text of 4097 octets; at most 4096 are read (too-large)");

  const std::vector<observation> one{{sample::device, 7, 0, link_late{}}};
  auto tree = *from_msgpack(encode(sample::full_envelope(), one, encoding::msgpack));
  auto& items = *tree.get<value::map>()
                     ->back()
                     .content.get<value::map>()
                     ->front()
                     .content.get<value::array>();
  items.resize(max_batch + 1, items.front());
  const auto r = decode_observations(to_msgpack(tree), encoding::msgpack);
  REQUIRE_FALSE(r.ok());
  CHECK(to_string(r.error()) == "d.items: has 129 elements; at most 128 are allowed (too-large)");
}

TEST_CASE("ids tenants and kinds must be well formed") {
  const auto said = [](const char* text) {
    const auto r = decode_wake(text, encoding::cloudevents);
    return r.ok() ? std::string() : to_string(r.error());
  };
  const auto wake_with = [&](const std::string& head, const std::string& data) {
    return said(("{" + head + ",\"data\":{" + data + "}}").c_str());
  };
  const std::string head =
      R"("specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057","source":"/x","type":"io.oob.wake.v1")";
  const std::string dev = R"("dev":"12345678-9abc-def0-1234-56789abcdef0")";
  CHECK(wake_with(head, R"("ten":"acme",)" + dev) == "");
  CHECK(wake_with(head, R"("ten":"Acme",)" + dev) == "data.ten: is not a tenant's key (malformed)");
  CHECK(wake_with(head, R"("ten":"-",)" + dev) == "data.ten: is not a tenant's key (malformed)");
  CHECK(wake_with(head, R"("ten":"acme","dev":"1234")") ==
        "data.dev: '1234' is not a UUID in 8-4-4-4-12 form (malformed)");
  CHECK(wake_with(head, R"("ten":"acme","dev":"00000000-0000-0000-0000-000000000000")") ==
        "data.dev: must not be the nil UUID (malformed)");
  CHECK(
      wake_with(
          R"("specversion":"0.3","id":"01890a5d-ac96-774b-bcce-b302099a8057","source":"/x","type":"io.oob.wake.v1")",
          dev) == "specversion: must be 1.0 (malformed)");
  CHECK(wake_with(R"("specversion":"1.0","id":"7","source":"/x","type":"io.oob.wake.v1")", dev) ==
        "id: '7' is not a UUID in 8-4-4-4-12 form (malformed)");
  for (const char* type :
       {"io.oob.wake.v2", "io.oob.wake", "io.oob..v1", "io.oob.v1", "wake", ".v1"}) {
    CAPTURE(type);
    CHECK(starts_with(
        wake_with(
            R"("specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057","source":"/x","type":")" +
                std::string(type) + "\"",
            dev),
        "type: '"));
  }
  CHECK(wake_with(head + R"(,"datacontenttype":"text/xml")", dev) ==
        "datacontenttype: must be application/json (malformed)");
  CHECK(wake_with(head + R"(,"time":"yesterday")", dev) ==
        "time: 'yesterday' is not a time like 2026-11-21T10:00:00Z (malformed)");
  // A wide number may be text in JSON, a narrow one may not, and nothing else may look like one.
  CHECK(wake_with(head + R"(,"revision":"9007199254740993")", R"("ten":"acme",)" + dev) == "");
  for (const char* bad : {"7", "09007199254740993", "-9007199254740993", "9007199254740993x",
                          "18446744073709551616", " 9007199254740993", ""}) {
    CAPTURE(bad);
    CHECK(wake_with(head + R"(,"revision":")" + bad + "\"", dev) ==
          "revision: must be an integer, not text (malformed)");
  }
}

TEST_CASE("only a source of ours says which device it is about") {
  const auto about = [](const std::string& source) {
    const auto r = decode_wake(
        R"({"specversion":"1.0","id":"01890a5d-ac96-774b-bcce-b302099a8057","type":"io.oob.wake.v1","source":")" +
            source + R"(","data":{"ten":"acme","dev":"12345678-9abc-def0-1234-56789abcdef0"}})",
        encoding::cloudevents);
    REQUIRE(r.ok());
    return r->env.about;
  };
  CHECK(about("/oob/acme/dev/12345678-9abc-def0-1234-56789abcdef0") == sample::device);
  for (const char* other : {"/x", "/oob/", "/oob/acme/dev/", "urn:uuid:1", "/oob/-/ctl-0",
                            "/oob/acme/dev/12345678-9abc-def0-1234-56789abcdef0/",
                            "oob/acme/dev/12345678-9abc-def0-1234-56789abcdef0",
                            "/oob/acme/op/dev/12345678-9abc-def0-1234-56789abcdef0"}) {
    CAPTURE(other);
    CHECK_FALSE(about(other).has_value());
  }
}
