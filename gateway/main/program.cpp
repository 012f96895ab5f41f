#include "gateway/main/program.hpp"

#include "actors/audit_log.hpp"
#include "actors/legacy_events.hpp"
#include "actors/node.hpp"
#include "actors/secrets/builtin_secrets.hpp"
#include "actors/secrets/key_file.hpp"
#include "actors/store/database.hpp"
#include "actors/store/migrations.hpp"
#include "actors/store/pg_cluster.hpp"
#include "actors/store/pg_direct.hpp"
#include "actors/store/pg_outbox.hpp"
#include "actors/store/pg_provisioning.hpp"
#include "actors/store/pg_removals.hpp"
#include "actors/store/pg_secret_rows.hpp"
#include "actors/store/pg_store.hpp"
#include "bus/broker_figures.hpp"
#include "bus/mqtt_endpoint.hpp"
#include "bus/routed_endpoint.hpp"
#include "gateway/activation/routes.hpp"
#include "gateway/auth/auth.hpp"
#include "gateway/auth/worker.hpp"
#include "gateway/cira/listener.hpp"
#include "gateway/direct/dialer.hpp"
#include "gateway/http/mqtt_proxy.hpp"
#include "gateway/http/server.hpp"
#include "gateway/main/activation_door.hpp"
#include "gateway/main/activation_options.hpp"
#include "gateway/main/announcer.hpp"
#include "gateway/main/backlog.hpp"
#include "gateway/main/clock.hpp"
#include "gateway/main/controlling.hpp"
#include "gateway/main/managers.hpp"
#include "gateway/main/metrics.hpp"
#include "gateway/main/program_settings.hpp"
#include "gateway/main/watching.hpp"
#include "gateway/net/io_pool.hpp"
#include "gateway/net/tls_context.hpp"
#include "gateway/rest/rest.hpp"
#include "messages/bus/topics.hpp"
#include "messages/domain/text.hpp"
#include "messages/rest/target.hpp"

#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <future>
#include <unistd.h>

namespace outband {

namespace {

constexpr const char* version = "0.1.0";

void run_later(net::io_pool& io, std::chrono::milliseconds after, std::function<void()> f) {
  auto timer = std::make_shared<boost::asio::steady_timer>(io.next(), after);
  timer->async_wait([timer, f = std::move(f)](boost::system::error_code ec) {
    if (!ec)
      f();
  });
}

} // namespace

/// In the order of construction; destroyed the other way round.
struct program::parts {
  parts(const config::settings& s, const site_files& site, const std::string& redirection_key)
      : self(announcement_of(s, clock)), io(static_cast<std::size_t>(s.integer("threads.io"))),
        db(database_options(s)), store(db), cluster(db), direct(db), provisioning(db), removals(db),
        outbox(db), secret_rows(db), audit(store, clock, audit_options(s, io)),
        mqtt(mqtt_options_of(s, site, self, clock)),
        legacy(mqtt, clock, {s.flag("legacy.mps_events"), s.flag("legacy.rps_events")}),
        internal(mqtt, {bus::node_reply_topic(s.text("node.name"))}),
        auth(store, clock, site.signing_key, auth_options(s, redirection_key)) {}

  static announcement announcement_of(const config::settings& s, clock_port& clock) {
    announcement who;
    who.node = s.text("node.name");
    who.incarnation = clock.new_id();
    who.roles = s.list("roles");
    return who;
  }
  static store::pg_options database_options(const config::settings& s) {
    store::pg_options o;
    o.dsn = s.text("database.dsn");
    o.instance = s.text("node.name");
    o.keep_audit = std::chrono::hours(24 * s.integer("audit.keep_days"));
    o.log = [](std::string_view line) {
      spdlog::warn("{}", line);
    };
    return o;
  }
  static audit_log::options audit_options(const config::settings& s, net::io_pool& pool) {
    audit_log::options o;
    o.node = s.text("node.name");
    o.mirror_json = s.flag("bus.mirror_json");
    o.later = [&pool](std::chrono::milliseconds after, std::function<void()> f) {
      run_later(pool, after, std::move(f));
    };
    return o;
  }
  static auth::options auth_options(const config::settings& s, const std::string& redirection_key) {
    auth::options o;
    o.issuer = s.text("auth.issuer");
    o.token_lifetime = seconds(s, "auth.token_lifetime");
    o.ticket_lifetime = seconds(s, "auth.bus_ticket_lifetime");
    o.default_tenant = s.text("auth.default_tenant");
    o.failures = static_cast<int>(s.integer("limits.login_failures"));
    o.window = s.duration("limits.login_window");
    o.built_in = s.flag("auth.built_in");
    o.redirection_lifetime = seconds(s, "auth.redirection_lifetime");
    o.redirection_key = redirection_key;
    return o;
  }

  system_clock clock;
  announcement self;
  net::io_pool io;
  store::database db;
  store::pg_store store;
  store::pg_cluster cluster;
  store::pg_direct direct;
  store::pg_provisioning provisioning;
  store::pg_removals removals;
  store::pg_outbox outbox;
  store::pg_secret_rows secret_rows;
  audit_log audit;
  std::unique_ptr<secrets::builtin_secrets> secrets;
  backlog_watch backlog{outbox};
  bus::mqtt_endpoint mqtt;
  bus::broker_figures broker{mqtt};
  legacy_events legacy;
  bus::routed_endpoint internal;
  link_directory directory;
  actor_counters counters;
  activation::counters activations;
  activation_door provisioner;
  std::atomic<bool> resigning{false};
  auth::service auth;
  auth::worker heavy{16};
  std::unique_ptr<controlling> control;
  std::unique_ptr<announcer> announced;
  std::unique_ptr<node> actors;
  std::unique_ptr<cira::listener> machines;
  std::unique_ptr<direct::dialer> dialer;
  web::handler api; ///< REST, for whatever listener serves all or some of it
  std::unique_ptr<web::server> web;
  std::unique_ptr<web::server> managers;      ///< EMF's
  std::unique_ptr<web::server> watchers;      ///< of /metrics
  std::atomic<web::server*> serving{nullptr}; ///< `web`, for who is called by it
};

program::program(config::settings settings, site_files site)
    : settings_(std::move(settings)), site_(std::move(site)) {}

program::~program() {
  stop();
}

/// Whatever the order in which the parts of a site start, none has to be started twice.
status program::reach_database(const patience& wait) {
  for (bool told = false;; told = true) {
    auto migrated = store::migrate(settings_.text("database.dsn"));
    if (migrated) {
      if (migrated->from != migrated->to)
        spdlog::info("database schema brought from version {} to {}", migrated->from, migrated->to);
      return success();
    }
    if (migrated.error().what != problem::store_unavailable)
      return migrated.error();
    if (!told)
      spdlog::warn("waiting for the database: {}", to_string(migrated.error()));
    if (!wait(std::chrono::seconds(1)))
      return migrated.error();
  }
}

status program::enrol(const patience& wait) {
  auto& p = *parts_;
  for (;;) {
    auto done = std::make_shared<std::promise<result<nothing>>>();
    p.cluster.enrol({p.self.node, p.self.incarnation},
                    [done](result<nothing> r) { done->set_value(std::move(r)); });
    auto enrolled = done->get_future().get();
    if (enrolled)
      return success();
    spdlog::warn("not enrolled among the nodes: {}", to_string(enrolled.error()));
    if (enrolled.error().what != problem::store_unavailable || !wait(std::chrono::seconds(1)))
      return enrolled.error();
  }
}

/// The others need not wait for our beats to stay away.
void program::retire() {
  auto& p = *parts_;
  auto done = std::make_shared<std::promise<void>>();
  auto over = done->get_future();
  p.cluster.retire({p.self.node, p.self.incarnation}, [done](const result<nothing>& r) {
    if (!r)
      spdlog::warn("not retired: {}", to_string(r.error()));
    done->set_value();
  });
  over.wait_for(std::chrono::seconds(2));
}

/// Machines go to other terminators a few at a time, while this one still answers for the rest.
void program::hand_over() {
  auto& p = *parts_;
  const auto others = p.actors->other_terminators();
  if (others == 0 || p.machines->now().tunnels == 0)
    return;
  if (p.announced)
    p.announced->drain();
  spdlog::info("handing {} tunnels over to {} other terminators", p.machines->now().tunnels,
               others);
  p.machines->drain(settings_.duration("cluster.drain"),
                    [&p] { return p.actors->other_terminators() == 0; });
}

status program::start(const patience& wait) {
  const auto& s = settings_;
  const auto data_dir = std::filesystem::path(s.text("data_dir"));
  if (auto reached = reach_database(wait); !reached)
    return reached;

  auto key =
      secrets::load_or_create_key(or_default(s.text("secrets.key_file"), data_dir / "secrets.key"));
  if (!key)
    return key.error();

  // Whichever node relays must know what another one has signed: all share the secrets' key.
  parts_ = std::make_unique<parts>(
      s, site_,
      ticket::derived_key({reinterpret_cast<const char*>(key->data()), secrets::key_octets},
                          "outband redirection token"));
  auto& p = *parts_;
  while (!p.db.wait_connected(std::chrono::seconds(5)))
    if (!wait(std::chrono::milliseconds(1)))
      return fail(problem::store_unavailable, "no connection", "database.dsn");
  p.secrets = std::make_unique<secrets::builtin_secrets>(*key, p.secret_rows);

  std::promise<result<std::string>> admin;
  auth::ensure_first_admin(p.store, p.auth, p.clock, s.text("auth.admin_name"),
                           secret_text(s.text("auth.admin_password")),
                           (data_dir / "first-admin-password").string(),
                           [&](result<std::string> r) { admin.set_value(std::move(r)); });
  auto first = admin.get_future().get();
  if (!first)
    return first.error();
  if (!first->empty())
    spdlog::info("the first account '{}' was made; its password is in {}",
                 s.text("auth.admin_name"), *first);

  if (auto enrolled = enrol(wait); !enrolled)
    return enrolled;

  // Decisions.
  const auto& roles = s.list("roles");
  auto plays = [&](const char* r) {
    return std::find(roles.begin(), roles.end(), r) != roles.end();
  };
  node_roles what{plays("controller"), plays("terminator"), plays("api")};
  if (plays("provisioner"))
    what.provisioner = provisioner_of(s, site_);
  auto home = home_of(s, site_);
  if (!home)
    return home.error();
  what.home = std::move(*home);
  services with{p.store, p.cluster, *p.secrets, p.clock, p.internal, p.directory, p.counters};
  with.node = s.text("node.name");
  with.incarnation = p.self.incarnation;
  with.times = times_of(s);
  with.cluster_timing = cluster_of(s);
  with.mirror_json = s.flag("bus.mirror_json");
  with.fact_looks =
      std::make_shared<pace>(static_cast<int>(s.integer("facts.rate")), std::chrono::hours(24));
  with.direct = s.flag("direct.enabled") ? &p.direct : nullptr;
  with.provisioning = &p.provisioning;
  with.removals = &p.removals;
  if (s.flag("legacy.mps_events") || s.flag("legacy.rps_events"))
    with.legacy = &p.legacy;
  with.audit = &p.audit;
  p.actors = std::make_unique<node>(with, what, p.mqtt,
                                    static_cast<std::size_t>(s.integer("threads.actors")));
  p.control = std::make_unique<controlling>(mqtt_options_of(s, site_, p.self, p.clock), p.outbox,
                                            p.self, p.clock, p.cluster);
  keeper_hooks hooks;
  hooks.gained = [&p](controller_epoch epoch) {
    p.control->begin(epoch);
  };
  hooks.lost = [&p] {
    p.control->end(p.resigning);
  };
  hooks.superseded = [] {
    spdlog::critical("another process runs under this node's name (node.name); ending");
    kill(getpid(), SIGTERM);
  };
  p.actors->start(std::move(hooks));

  // Machines.
  if (what.terminator) {
    if (auto ok = listen_for_machines(); !ok)
      return ok;
    if (auto ok = connect_to_machines(); !ok)
      return ok;
  }

  // People and systems.
  const bool people = what.api || what.provisioner;
  if (people || s.flag("metrics.enabled"))
    if (auto ok = make_api(what.api); !ok)
      return ok;
  if (people)
    if (auto ok = listen_for_people(what.api); !ok)
      return ok;
  auto watchers = listen_for_watchers(s, p.io, p.api);
  if (!watchers)
    return watchers.error();
  p.watchers = std::move(*watchers);
  p.announced = std::make_unique<announcer>(p.mqtt, p.self, p.clock,
                                            [&p] { return p.counters.links.load(); });
  spdlog::info("outbandd {} is ready: machines on {}, https on {}", version,
               p.machines ? std::to_string(p.machines->ports().front()) : "-",
               p.web ? std::to_string(p.web->port()) : "-");
  return success();
}

status program::listen_for_machines() {
  const auto& s = settings_;
  auto& p = *parts_;
  const auto& own = site_.certificates.cira();
  cira::options o;
  o.accept_alerts = s.flag("facts.alerts");
  o.listen = {{s.text("cira.bind"), port(s, "cira.port"), false}};
  if (s.flag("cira.legacy.enabled"))
    o.listen.push_back({s.text("cira.bind"), port(s, "cira.legacy.port"), true});
  o.keepalive_interval_s = static_cast<std::uint32_t>(seconds(s, "cira.keepalive").count());
  o.late_after = s.duration("cira.late_after");
  o.down_after = s.duration("cira.down_after");
  o.max_tunnels = static_cast<std::size_t>(s.integer("cira.max_tunnels"));
  o.never_block = s.list("cira.never_block");
  auto modern = net::tls_context::make(net::tls_profile::cira, own.chain_pem, own.key_pem);
  if (!modern)
    return modern.error();
  std::optional<net::tls_context> legacy;
  if (s.flag("cira.legacy.enabled")) {
    auto made = net::tls_context::make(net::tls_profile::cira_legacy, own.chain_pem, own.key_pem);
    if (!made)
      return made.error();
    legacy = std::move(*made);
  }
  p.machines = std::make_unique<cira::listener>(p.io, p.actors->terminator(), std::move(o),
                                                std::move(*modern), std::move(legacy));
  return p.machines->start();
}

status program::connect_to_machines() {
  const auto& s = settings_;
  auto& p = *parts_;
  if (!s.flag("direct.enabled"))
    return success();
  direct::options o;
  o.max_devices = static_cast<std::size_t>(s.integer("direct.max_devices"));
  o.max_connecting = static_cast<std::size_t>(s.integer("direct.max_connecting"));
  o.allow_own = s.flag("direct.allow_own");
  o.late_after = s.duration("direct.late_after");
  o.down_after = s.duration("direct.down_after");
  o.longest_pause = s.duration("direct.longest_pause");
  auto made = direct::dialer::make(p.io, p.actors->terminator(), p.actors->direct(), std::move(o));
  if (!made)
    return made.error();
  p.dialer = std::move(*made);
  p.actors->direct().attach(*p.dialer);
  return success();
}

status program::make_api(bool with_page) {
  const auto& s = settings_;
  auto& p = *parts_;
  rest::services r;
  r.store = &p.store;
  r.secrets = p.secrets.get();
  r.direct = s.flag("direct.enabled") ? &p.direct : nullptr;
  r.provisioning = &p.provisioning;
  r.removals = &p.removals;
  r.control = &p.actors->control();
  r.clock = &p.clock;
  r.auth = &p.auth;
  r.audit = &p.audit;
  r.bus_state = [&p]() -> status {
    if (p.mqtt.connected())
      return success();
    return fail(problem::bus_unavailable, p.mqtt.last_error());
  };
  r.heavy = [&p](std::function<void()> work) {
    return p.heavy.post([work = std::move(work)](bool running) {
      if (running)
        work();
    });
  };
  r.later = [&p](std::chrono::milliseconds after, std::function<void()> f) {
    run_later(p.io, after, std::move(f));
  };
  r.more_metrics = [&p] {
    figures f;
    f.version = version;
    f.node = p.self.node;
    f.actors = &p.counters;
    f.database = &p.db.counters();
    f.mqtt = p.mqtt.counters();
    f.broker = p.broker.now();
    const auto& roles = p.self.roles;
    if (p.control && std::find(roles.begin(), roles.end(), "controller") != roles.end())
      f.control = p.control->now();
    if (f.control && f.control->epoch != 0)
      f.backlog = p.backlog.now();
    if (p.machines)
      f.tunnels = p.machines->now();
    if (p.actors && p.actors->activations())
      f.activation = &p.activations;
    if (const auto* web = p.serving.load())
      f.web = web->count();
    f.process = own_process();
    return metrics_text(f);
  };
  r.version = version;
  r.node = s.text("node.name");
  auto ca = broker_ca();
  if (!ca)
    return ca.error();
  r.broker_port = port(s, "broker.port_people");
  r.broker_ca = *ca;
  // A broker on this machine is reached by the name this machine is reached by.
  if (const auto& host = s.text("broker.host"); host != "localhost" && host != "127.0.0.1")
    r.broker_host = host;
  r.cira_ca = site_.certificates.cira_root_pem();
  if (with_page)
    r.page_dir = s.text("https.page_dir");
  r.certificates = certificate_rule_of(s);
  auto api = rest::make_api(std::move(r));
  if (!api)
    return api.error();
  p.api = std::move(*api);
  return success();
}

result<std::string> program::broker_ca() const {
  return config::read_file(
      or_default(settings_.text("broker.ca_file"), site_.certificates.bus_ca_path().string()));
}

/// A node that only provisions has the same listener without routes of its own.
status program::listen_for_people(bool with_api) {
  const auto& s = settings_;
  auto& p = *parts_;
  auto ca = broker_ca();
  if (!ca)
    return ca.error();
  web::mqtt_proxy_options proxy;
  proxy.host = s.text("broker.host");
  proxy.port = port(s, "broker.port_people");
  proxy.ca_pem = *ca;
  proxy.allowed_origins = s.list("https.websocket_origins");
  proxy.per_user = static_cast<std::size_t>(s.integer("limits.mqtt_per_user"));
  proxy.verify = [&p](std::string_view ticket) -> result<web::mqtt_proxy_options::pass> {
    auto pass = p.auth.verify_bus_ticket(ticket);
    if (!pass)
      return pass.error();
    return web::mqtt_proxy_options::pass{pass->username, pass->expires_s};
  };
  proxy.now = [&p] {
    return p.clock.now();
  };
  auto route = web::mqtt_route(std::move(proxy));
  if (!route)
    return route.error();

  web::server_options o;
  o.bind = s.text("https.bind");
  o.port = port(s, "https.port");
  o.max_connections = static_cast<std::size_t>(s.integer("https.max_connections"));
  o.allowed_origins = s.list("https.allowed_origins");
  const auto body = static_cast<std::size_t>(s.integer("limits.body"));
  const auto bulk = static_cast<std::size_t>(s.integer("limits.bulk_body"));
  o.max_body = [body, bulk](const web::request& q) {
    return q.method == web::verb::post && same_text(q.target.path, "/api/v1/devices") ? bulk : body;
  };
  if (s.flag("https.tls")) {
    const auto& own = site_.certificates.https();
    auto tls = net::tls_context::make(net::tls_profile::https, own.chain_pem, own.key_pem);
    if (!tls)
      return tls.error();
    o.tls = std::move(*tls);
  }
  std::vector<web::ws_route> upgrades;
  if (with_api)
    upgrades.push_back(std::move(*route));
  if (auto* activations = p.actors->activations()) {
    auto options = activation_options(s, p.clock);
    if (!options)
      return options.error();
    p.provisioner.lead_to(activations);
    auto routes = activation::make_routes(std::move(*options), p.provisioner, p.activations);
    if (!routes)
      return routes.error();
    for (auto& one : *routes)
      upgrades.push_back(std::move(one));
  }
  web::handler serve = p.api;
  if (!with_api)
    serve = [](const web::request&, const web::responder& reply) {
      reply(web::json_response(404, R"({"error":"not-found","errorDescription":"This node only )"
                                    R"(provisions machines: wss://.../activate/{token}."})"));
    };
  auto server = web::server::start(p.io, std::move(o), std::move(serve), std::move(upgrades));
  if (!server)
    return server.error();
  p.web = std::move(*server);
  p.serving = p.web.get();
  if (!with_api)
    return success();
  auto managers = listen_for_managers(s, site_, p.io, p.api);
  if (!managers)
    return managers.error();
  p.managers = std::move(*managers);
  return success();
}

void program::stop() {
  if (!parts_)
    return;
  auto& p = *parts_;
  spdlog::info("outbandd is stopping");
  // Somebody else controls while we still serve what is open.
  p.resigning = true;
  if (p.actors)
    p.actors->resign();
  if (p.machines && p.actors)
    hand_over();
  p.announced.reset();
  for (const auto& server : {p.web.get(), p.managers.get(), p.watchers.get()})
    if (server)
      server->stop();
  if (p.machines && !p.machines->stop(std::chrono::seconds(3)))
    spdlog::warn("some tunnels did not close in time and were cut off");
  if (p.dialer) {
    p.actors->direct().detach();
    if (!p.dialer->stop(std::chrono::seconds(3)))
      spdlog::warn("some direct connections did not end in time and were cut off");
  }
  p.provisioner.close();
  if (p.actors)
    p.actors->stop();
  p.control.reset();
  retire();
  p.io.stop();
  parts_.reset();
}

} // namespace outband
