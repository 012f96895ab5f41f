// The host's connections to its firmware, plain and TLS, as a client of the firmware's web server.
#include "tools/amtsim/local_port.hpp"

#include "messages/http/digest.hpp"
#include "messages/http/writer.hpp"
#include "tests/unit/tools/amtsim/bench_client.hpp"
#include "tests/unit/tools/amtsim/made_chain.hpp"
#include "tools/amtsim/account_state.hpp"
#include "tools/amtsim/classes.hpp"
#include "tools/amtsim/machine.hpp"
#include "tools/amtsim/on_die.hpp"
#include "tools/amtsim/provisioning_chain.hpp"

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace outband::amtsim {
namespace {

using namespace test;

constexpr auto hbs = "IPS_HostBasedSetupService";
constexpr auto setup_name = "AMT_SetupAndConfigurationService";

struct quiet_surroundings final : surroundings {
  void happened(const machine_event&) override {}
  void changed() override {}
};

struct bench {
  explicit bench(bool tls) {
    shared.factory = true;
    shared.dns_suffix = "example.org";
    shared.kind.tls_enforced = tls;
    shared.times.port_restart = sim_time{1};
    if (tls)
      shared.on_die = std::make_shared<const on_die_authority>();
    made.emplace(io, nowhere, who(), &shared, 7, around);
    m().change([](device_model& d, sim_time now) {
      d.set_utc_origin(bench_epoch_s * 1000 - now.count()); // when made_chain's certificates hold
    });
  }
  ~bench() { m().stop(); }
  bench(const bench&) = delete;
  bench& operator=(const bench&) = delete;
  machine& m() { return *made; }
  /// The loop has something to do as long as the condition does not hold.
  void until(const std::function<bool()>& holds) {
    io.restart();
    while (!holds())
      REQUIRE(io.run_one() == 1);
  }

  boost::asio::io_context io;
  settings shared = exact();
  known_server nowhere{
      {}, std::make_shared<const tls_context>("", "", 12), std::make_shared<tls_contexts>(12)};
  quiet_surroundings around;
  std::optional<machine> made;
};

/// What a TLS client shows of itself.
struct shown {
  std::vector<std::string> chain; ///< DER, leaf first; empty: nothing
  owned_key key;
};

class client final : local_peer {
public:
  client(bench& b, std::uint16_t port, const shown& own = {}) : bench_(b) {
    local_peer& me = *this;
    link_ = b.m().open_local(port, me);
    if (port == 16993 && link_)
      begin_tls(own);
  }

  bool connected() const { return link_ != nullptr; }
  bool ended() const { return ended_; }
  bool reset() const { return reset_; }
  const std::string& peer_certificate() const { return peer_; }

  /// Signs in if `user` is not empty; the answer's Body, or an element without a name if the
  /// connection ended instead.
  wsman::node ask(const std::string& soap, const std::string& user = {},
                  const std::string& password = {}) {
    for (int tries = 0; tries < 2; ++tries) {
      std::string authorization;
      if (session_.ready())
        authorization = *session_.authorize(user, password, "POST", "/wsman", "c0ffee", soap);
      const auto answer = exchange(soap, authorization);
      if (!answer)
        return {};
      status = answer->status;
      if (answer->status == 401 && !user.empty() && !session_.ready()) {
        session_.learn(*http::find_challenge(answer->fields));
        reconnect();
        continue;
      }
      if (answer->status != 200)
        return {};
      const auto read = wsman::parse_response(answer->body);
      REQUIRE(read.ok());
      return read->body.children.empty() ? wsman::node{} : read->body.children.front();
    }
    return {};
  }
  bool until_ended() {
    bench_.until([&] { return ended_; });
    return ended_;
  }
  int status = 0;

private:
  void begin_tls(const shown& own) {
    tls_ = {SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
    for (std::size_t i = 0; i < own.chain.size(); ++i) {
      const auto* at = reinterpret_cast<const unsigned char*>(own.chain[i].data());
      X509* c = d2i_X509(nullptr, &at, static_cast<long>(own.chain[i].size()));
      if (i == 0) {
        SSL_CTX_use_certificate(tls_.get(), c);
        X509_free(c);
      } else {
        SSL_CTX_add_extra_chain_cert(tls_.get(), c); // takes it
      }
    }
    if (own.key)
      SSL_CTX_use_PrivateKey(tls_.get(), own.key.get());
    ssl_ = {SSL_new(tls_.get()), SSL_free};
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_.get());
    SSL_do_handshake(ssl_.get());
    flush();
    bench_.until([&] { return ended_ || SSL_is_init_finished(ssl_.get()) == 1; });
    if (X509* c = SSL_get0_peer_certificate(ssl_.get()))
      peer_ = der_of<X509>(i2d_X509, c);
  }
  void flush() {
    std::string out(32768, '\0');
    for (int n = 0; (n = BIO_read(SSL_get_wbio(ssl_.get()), out.data(), 32768)) > 0;)
      link_->feed({out.data(), static_cast<std::size_t>(n)});
  }
  void local_data(std::string_view octets) override {
    if (!ssl_)
      return parser_.feed(octets);
    BIO_write(SSL_get_rbio(ssl_.get()), octets.data(), static_cast<int>(octets.size()));
    if (SSL_is_init_finished(ssl_.get()) == 0)
      SSL_do_handshake(ssl_.get());
    flush();
    std::string plain(16384, '\0');
    for (int n = 0; SSL_is_init_finished(ssl_.get()) == 1 &&
                    (n = SSL_read(ssl_.get(), plain.data(), 16384)) > 0;)
      parser_.feed({plain.data(), static_cast<std::size_t>(n)});
  }
  void local_closed(bool with_reset) override {
    ended_ = true;
    reset_ = with_reset;
  }
  void reconnect() {
    REQUIRE_FALSE(ssl_); // nobody here signs in over TLS twice
    local_peer& me = *this;
    ended_ = false;
    link_ = bench_.m().open_local(16992, me);
    REQUIRE(link_);
    parser_ = http::response_parser();
  }
  std::optional<http::response> exchange(const std::string& soap,
                                         const std::string& authorization) {
    std::string octets;
    REQUIRE(http::write_wsman("127.0.0.1:16992", authorization, soap, octets).ok());
    if (ssl_) {
      SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size()));
      flush();
    } else {
      link_->feed(octets);
    }
    std::optional<http::response> out;
    bench_.until([&] {
      auto item = parser_.next();
      if (auto* whole = std::get_if<http::response>(&item))
        out = *whole;
      return out.has_value() || ended_;
    });
    return out;
  }

  bench& bench_;
  std::unique_ptr<local_connection> link_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> tls_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
  http::response_parser parser_;
  http::digest_session session_;
  std::string peer_;
  bool ended_ = false;
  bool reset_ = false;
};

std::string admin_password(machine& m, const std::string& password) {
  const auto ha1 = http::md5("admin:" + m.who().realm + ":" + password).value();
  return method("AMT_AuthorizationService", "SetAdminAclEntryEx",
                wsman::property("Username", "admin") +
                    wsman::property("DigestPassword", base64(std::string(ha1.begin(), ha1.end()))));
}

TEST_CASE("the local account signs in on a new machine's plain port") {
  bench b(false);
  client c(b, 16992);
  const auto lsa = local_system_account(b.m().model());
  CHECK(c.ask(request(wsman::action::get, hbs), lsa.user, lsa.password)
            .child_text("CurrentControlMode") == "0");
  client wrong(b, 16992);
  CHECK(wrong.ask(request(wsman::action::get, hbs), "admin", "P@ssw0rd").name.empty());
  CHECK(wrong.status == 401);
  CHECK_FALSE(client(b, 16993).connected());
  CHECK_FALSE(client(b, 16994).connected());
}

TEST_CASE("a host has eight connections at a time") {
  bench b(false);
  std::vector<std::unique_ptr<client>> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(std::make_unique<client>(b, std::uint16_t{16992}));
    CHECK(all.back()->connected());
  }
  CHECK_FALSE(client(b, 16992).connected());
  all.pop_back();
  CHECK(client(b, 16992).connected());
}

TEST_CASE("a machine that is switched off in its BIOS has no local ports") {
  bench b(false);
  CHECK(client(b, 16992).connected());
  b.m().change([](device_model& d, sim_time now) { set_operational_state(d, false, now); });
  CHECK_FALSE(client(b, 16992).connected());
  b.m().change([](device_model& d, sim_time now) {
    d.activation.change().may_be_enabled = false;
    CHECK(set_operational_state(d, true, now) == host_status::not_permitted);
  });
}

TEST_CASE("a secure configuration by the owner of the provisioning certificate") {
  bench b(true);
  CHECK_FALSE(client(b, 16992).connected()); // TLS only
  const made_chain chain;
  started_configuration started;
  b.m().change([&](device_model& d, sim_time now) {
    d.activation.change().hashes = *entries_of(chain.certificates.back());
    started = start_configuration_hbased(
        d, hash_algorithm::sha256,
        hash_of(chain.certificates.front(), hash_algorithm::sha256) + std::string(32, '\0'), {},
        now);
  });
  REQUIRE(started.status == host_status::success);
  CHECK(provisioning_state(b.m().model()) == 1);

  client owner(b, 16993, {chain.certificates, made_chain::key(0)});
  CHECK(hash_of(owner.peer_certificate(), started.algorithm) == started.certificate_hash);
  CHECK(owner.ask(request(wsman::action::get, "AMT_GeneralSettings")).child_text("DigestRealm") ==
        who().realm);
  CHECK(returned(owner.ask(method(setup_name, "CommitChanges"))) == "2057"); // no password yet
  CHECK(returned(owner.ask(admin_password(b.m(), "N3w-secret"))) == "0");
  CHECK(returned(owner.ask(method(setup_name, "SetMEBxPassword",
                                  wsman::property("Password", "Str0ng-Pass")))) == "0");
  CHECK(b.m().model().control_mode == 0); // it holds when it is committed
  CHECK(returned(owner.ask(method(setup_name, "CommitChanges"))) == "0");
  CHECK(b.m().model().control_mode == 2);
  CHECK(is_admin_password(b.m().model(), "N3w-secret"));
  CHECK(provisioning_state(b.m().model()) == 2);
  CHECK(owner.until_ended()); // its ports restart
  CHECK(owner.reset());
  while (!client(b, 16993).connected()) // back after a moment of the machine's own clock
    b.io.poll();
}

TEST_CASE("a secure configuration refuses others and can be stopped") {
  bench b(true);
  const made_chain chain;
  const auto begin = [&] {
    b.m().change([&](device_model& d, sim_time now) {
      d.activation.change().hashes = *entries_of(chain.certificates.back());
      CHECK(start_configuration_hbased(d, hash_algorithm::sha256,
                                       hash_of(chain.certificates.front(), hash_algorithm::sha256),
                                       {}, now)
                .status == host_status::success);
    });
  };
  begin();
  const made_chain stranger; // the same keys, other certificates
  client other(b, 16993, {stranger.certificates, made_chain::key(0)});
  CHECK(other.until_ended());
  client nobody(b, 16993);
  CHECK(nobody.until_ended());
  b.m().change([](device_model& d, sim_time) { d.activation.change().dhcp_suffix = "other.org"; });
  client elsewhere(b, 16993, {chain.certificates, made_chain::key(0)});
  CHECK(elsewhere.until_ended());
  b.m().change([](device_model& d, sim_time now) {
    CHECK(stop_configuration(d, now) == host_status::success);
  });
  CHECK(provisioning_state(b.m().model()) == 0);
  client late(b, 16993, {chain.certificates, made_chain::key(0)});
  CHECK(late.ask(request(wsman::action::get, "AMT_GeneralSettings")).name.empty());
  CHECK(late.status == 401);
}

TEST_CASE("whoever showed the certificate of one configuration is nobody in the next") {
  bench b(true);
  const made_chain chain;
  const auto begin_for = [&](const std::string& leaf_hash) {
    b.m().change([&](device_model& d, sim_time now) {
      d.activation.change().hashes = *entries_of(chain.certificates.back());
      REQUIRE(start_configuration_hbased(d, hash_algorithm::sha256, leaf_hash, {}, now).status ==
              host_status::success);
    });
  };
  begin_for(hash_of(chain.certificates.front(), hash_algorithm::sha256));
  client owner(b, 16993, {chain.certificates, made_chain::key(0)});
  CHECK(returned(owner.ask(admin_password(b.m(), "N3w-secret"))) == "0");
  begin_for(std::string(32, 'x'));
  CHECK(owner.ask(admin_password(b.m(), "Th3ir-secret")).name.empty());
  CHECK(owner.status == 401);
  CHECK(b.m().model().activation->pending_admin_ha1.empty());
}

TEST_CASE("an end of a machine's life ends its connections but not those of the next life") {
  bench b(false);
  b.m().change([](device_model& d, sim_time) { d.control_mode = 1; });
  client former(b, 16992);
  REQUIRE(former.connected());
  b.m().change([](device_model& d, sim_time now) {
    REQUIRE(host_unprovision(d, now) == host_status::success);
  });
  client next(b, 16992);
  REQUIRE(next.connected());
  CHECK(former.until_ended());
  b.io.poll(); // what else ended with it
  CHECK_FALSE(next.ended());
}

} // namespace
} // namespace outband::amtsim
