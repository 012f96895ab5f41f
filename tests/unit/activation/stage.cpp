#include "tests/unit/activation/stage.hpp"

#include "messages/amt/base64.hpp"
#include "messages/amt/x509.hpp"
#include "messages/provisioning/token_hash.hpp"
#include "messages/ticket/base64url.hpp"
#include "messages/wsman/node.hpp"
#include "tests/support/certs.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/setup_state.hpp"

#include <algorithm>

namespace outband::testing {

namespace {

std::string hex(std::string_view octets) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (unsigned char c : octets) {
    out.push_back(digits[c >> 4]);
    out.push_back(digits[c & 15]);
  }
  return out;
}

amtsim::settings kind_of(const std::string& version) {
  amtsim::settings s;
  s.kind = *amtsim::find_firmware(version.rfind("19", 0) == 0   ? "amt19"
                                  : version.rfind("22", 0) == 0 ? "amt22"
                                  : version.rfind("12", 0) == 0 ? "amt12"
                                                                : "amt16");
  return s;
}

amtsim::identity identity_of(int number) {
  amtsim::identity who;
  who.guid = *parse_uuid("12345678-9abc-def0-1234-56789abcde" + hex(std::string(1, char(number))));
  who.hostname = "edge-" + std::to_string(number);
  who.realm = "Digest:A3829B3827DE4D33D4449B366831FD01";
  return who;
}

std::string realm_of(const amtsim::device_model& d) {
  return d.setup->realm.empty() ? d.who().realm : d.setup->realm;
}

} // namespace

bench::bench(std::string version, int number)
    : kind(kind_of(version)), model(identity_of(number), &kind, 7) {
  amtsim::leave_factory(model);
}

std::string bench::admin_password_matches(const std::vector<secret_text>& those) const {
  for (const auto& s : those)
    if (amtsim::is_admin_password(model, s.reveal()))
      return s.reveal();
  return {};
}

machine_claim bench::claim() const {
  machine_claim m;
  m.guid = model.who().guid;
  m.version = kind.kind.version;
  m.build = kind.kind.build;
  m.sku = kind.kind.sku;
  m.features = "AMT Pro Corporate";
  m.mode = model.control_mode;
  m.hostname = model.who().hostname;
  m.dns_suffix = amtsim::pki_suffix(model);
  for (const auto& h : amtsim::trusted_hashes(model))
    m.root_hashes.push_back(hex(h.hash));
  const auto local = amtsim::local_system_account(model);
  m.local_user = local.user;
  m.password = secret_text(m.mode == 0 ? local.password : "Unknown1!");
  m.tls_enforced = amtsim::tls_enforced(model);
  return m;
}

void sim_wire::sign_in(std::string user, secret_text password) {
  user_ = std::move(user);
  password_ = std::move(password);
}

std::pair<result<soap_answer>, bool> sim_wire::serve(const std::string& envelope) {
  const auto secret = amtsim::secret_of(machine_.model, user_, amtsim::origin::local);
  if (secret.empty() ||
      secret != amt::admin_ha1(realm_of(machine_.model), user_, password_.reveal()))
    return {fail(problem::device_auth), false};
  const auto once = [&](std::string& what) {
    const bool now = !what.empty() && envelope.find(what) != std::string::npos;
    if (now)
      what.clear();
    return now;
  };
  if (once(busy_on))
    return {soap_answer{503, {}}, false};
  auto told = amtsim::serve_wsman(envelope, machine_.model, machine_.faults, machine_.now,
                                  {user_, amtsim::origin::local});
  asked.push_back(told.what);
  if (once(silent_on) || told.cut)
    return {fail(envelope.find("Get</") == std::string::npos ? problem::outcome_unknown
                                                             : problem::device_timeout),
            true};
  if (rewrite)
    told.xml = rewrite(std::move(told.xml));
  return {soap_answer{told.http_status, std::move(told.xml)}, false};
}

void sim_wire::post(std::string envelope, std::chrono::milliseconds,
                    std::function<void(result<soap_answer>)> cb) {
  machine_.now += amtsim::sim_time{50};
  machine_.model.advance(machine_.now);
  if (is_cut)
    return later_.push_back([cb = std::move(cb)] { cb(fail(problem::link_down)); });
  const int number = exchanges++;
  bool here = number == cut_at;
  if (here && cut == when::before) {
    is_cut = true;
    later_.push_back([cb = std::move(cb)] { cb(fail(problem::link_down)); });
    return later_.push_back(on_cut);
  }
  auto told = serve(envelope).first;
  here = here || (!cut_on.empty() && !asked.empty() && asked.back() == cut_on);
  if (here) {
    // It was handed over and its answer is lost with the connection.
    is_cut = true;
    later_.push_back([cb = std::move(cb)] { cb(fail(problem::outcome_unknown)); });
    return later_.push_back(on_cut);
  }
  later_.push_back([cb = std::move(cb), told = std::move(told)]() mutable { cb(std::move(told)); });
}

void sim_wire::switch_port(std::chrono::seconds, std::function<void(status)> cb) {
  later_.push_back([this, cb = std::move(cb)] {
    if (is_cut)
      return cb(fail(problem::link_down));
    cb(success());
  });
}

void sim_wire::use_tls(firmware_pin pin, std::function<void(status)> cb) {
  sessions.push_back(std::move(pin));
  switch_port({}, std::move(cb));
}

activation_stage::activation_stage()
    : where{with,
            rows,
            control,
            [](std::function<void()> job) { job(); },
            [this](std::size_t n) {
              std::string out;
              while (out.size() < n) {
                random_state = random_state * 1664525U + 1013904223U;
                out.push_back(static_cast<char>(random_state >> 24));
              }
              return out;
            },
            {},
            {}} {
  with.node = "n1";
  with.incarnation = clock.new_id();
  with.provisioning = &rows;
  store.lease_epoch = 1;
  clock.now_ = 1'704'586'864'000;                      // as the simulator's firmware has it
  sched.clock().current_time += std::chrono::hours(1); // zero means unset in places
  static const test::certificate_authority ca("site root");
  where.ca_certificate = ca.certificate_pem();
  where.ca_key = secret_text(ca.key_pem());
}

activation_stage::~activation_stage() {
  for (const auto& a : actors)
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  actors.clear();
  sched.run();
  sched.clock().cancel_all();
  sched.run();
}

profile& activation_stage::prepare(activation_kind kind) {
  cira_config c;
  c.name = "home";
  c.server = "mps.example.com";
  c.port = 4433;
  c.username = "outband";
  c.root_certificate = amt::base64_encode(pki.chain.empty() ? std::string() : pki.chain.back());
  if (c.root_certificate.empty())
    c.root_certificate = amt::base64_encode(test::make_provisioning_pki().chain.back());
  rows.cira_rows.put(tenant, c);
  profile p;
  p.name = "p1";
  p.activation = kind;
  p.random_amt_password = true;
  p.random_mebx_password = kind == activation_kind::admin_mode;
  p.cira_config = "home";
  p.consent = kind == activation_kind::admin_mode ? consent_rule::none : consent_rule::all;
  rows.profile_rows.put(tenant, p);
  return rows.profile_rows.kept[{tenant, "p1"}].what;
}

void activation_stage::prepare_8021x() {
  ieee8021x_config c;
  c.protocol = 2;
  c.pxe_timeout = 60;
  c.domain = "CORP";
  c.roaming_identity = "anonymous@corp";
  c.server_name = "radius.corp";
  c.ca_certificate = amt::read_certificate(where.ca_certificate)->der;
  for (const auto* name : {"cable", "radio"}) {
    c.name = name;
    c.wired = c.name == "cable";
    c.username = c.name + "-user";
    sealed_fields secrets_of;
    secrets_of["password"] =
        *secrets.seal_named(tenant, secret_label(object_kind::ieee8021x_config, c.name, "password"),
                            c.name + "-secret");
    rows.eap_rows.put(tenant, c, secrets_of);
  }
  wireless_config w;
  w.name = "air";
  w.ssid = "corp-net";
  w.authentication = 7;
  w.ieee8021x = "radio";
  rows.wifi_rows.put(tenant, w);
  auto& p = rows.profile_rows.kept[{tenant, "p1"}].what;
  p.ieee8021x = "cable";
  p.wifi = {{"air", 3}};
}

void activation_stage::prepare_domain(const test::pki_options& options) {
  auto with_time = options;
  if (with_time.now_s == 0)
    with_time.now_s = clock.now() / 1000;
  pki = test::make_provisioning_pki(with_time);
  domain d;
  d.name = "example";
  d.suffix = "example.com";
  sealed_fields secrets_of;
  secrets_of["pfx"] = *secrets.seal_named(tenant, secret_label(object_kind::domain, d.name, "pfx"),
                                          amt::base64_encode(make_pfx(pki)));
  secrets_of["pfx_password"] = *secrets.seal_named(
      tenant, secret_label(object_kind::domain, d.name, "pfx_password"), "P@ssw0rd");
  rows.domain_rows.put(tenant, d, secrets_of);
}

std::string activation_stage::token(std::optional<device_id> device, provisioning_act act) {
  auto text = "token-" + std::to_string(rows.tokens.size());
  activation_token t;
  t.id = clock.new_id();
  t.tenant = tenant;
  t.act = act;
  t.profile = act == provisioning_act::activate ? std::optional<std::string>("p1") : std::nullopt;
  t.device = device;
  t.created = clock.now();
  t.expires = clock.now() + 3'600'000;
  rows.tokens[provisioning::token_hash(text)] = t;
  return text;
}

provisioning_wish activation_stage::wish(const bench& m, provisioning_act act) const {
  provisioning_wish w;
  w.act = act;
  w.profile = act == provisioning_act::activate ? "p1" : "";
  w.machine = m.claim();
  return w;
}

std::shared_ptr<sim_wire> activation_stage::open(bench& m, provisioning_wish w,
                                                 std::string token_text) {
  auto wire = std::make_shared<sim_wire>(m, wire_events);
  auto a =
      sys.spawn(activation::activation_behavior, static_cast<const activation::site*>(&where),
                activation_port::connection{++connections, std::move(token_text), "10.0.0.1", wire},
                std::make_shared<provisioning_wish>(std::move(w)));
  actors.push_back(a);
  wire->on_cut = [a] {
    caf::anon_send(a, activation_closed{});
  };
  return wire;
}

void activation_stage::settle() {
  for (int half_seconds = 0; half_seconds < 100; ++half_seconds) {
    for (int i = 0; i < 10'000; ++i) {
      auto moved = sched.run() + bus.run() + store.run();
      if (!wire_events.empty()) {
        auto f = std::move(wire_events.front());
        wire_events.pop_front();
        f();
        ++moved;
      }
      if (moved == 0)
        break;
    }
    clock.now_ += 500;
    store.now += 500;
    sched.advance_time(std::chrono::milliseconds(500));
    bus.advance(std::chrono::milliseconds(500));
  }
}

provisioning_report activation_stage::go(bench& m, provisioning_act act, bool named) {
  auto wire = open(m, wish(m, act),
                   token(named ? std::optional<device_id>(m.model.who().guid) : std::nullopt, act));
  settle();
  REQUIRE(wire->reports.size() == 1);
  return wire->reports.front();
}

std::string activation_stage::known_password(const bench& m) {
  const auto s = secret(m);
  if (s.active && amtsim::is_admin_password(m.model, s.active->reveal()))
    return "active";
  if (s.pending && amtsim::is_admin_password(m.model, s.pending->reveal()))
    return "pending";
  return "none";
}

} // namespace outband::testing
