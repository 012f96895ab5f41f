#include "tests/e2e/provisioning_site.hpp"

#include "tests/support/ports.hpp"
#include "tests/support/tempdir.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <openssl/evp.h>
#include <stdexcept>

namespace outband::e2e {

namespace {

/// Made by the simulator before the server starts: what its machines show instead of Intel's.
std::string on_die_root() {
  static const test::tempdir folder;
  return folder.path() + "/on-die.pem";
}

std::string settings(const provisioning_site::options& o, std::uint16_t cira, std::uint16_t https) {
  return "cira: {bind: 127.0.0.1, port: " + std::to_string(cira) +
         ", common_name: " + provisioning_site::server_name +
         "}\n"
         "https: {bind: 127.0.0.1, port: " +
         std::to_string(https) +
         ", names: [localhost, 127.0.0.1]}\n"
         "activation: {settle: " +
         o.settle + (o.firmware == "amt19" ? ", on_die_ca_file: " + on_die_root() : std::string()) +
         "}\n";
}

std::string base64(const std::string& octets) {
  std::string out(4 * ((octets.size() + 2) / 3) + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                reinterpret_cast<const unsigned char*>(octets.data()),
                                static_cast<int>(octets.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

} // namespace

provisioning_site& provisioning_site::get() {
  static provisioning_site one(options{});
  return one;
}

provisioning_site& provisioning_site::behind_tls() {
  static provisioning_site one([] {
    options o;
    o.firmware = "amt19";
    return o;
  }());
  return one;
}

provisioning_site::provisioning_site(const options& o)
    : provisioning_site(o, test::free_port(), test::free_port()) {}

provisioning_site::provisioning_site(const options& how, std::uint16_t cira_port,
                                     std::uint16_t https_port)
    : stage(settings(how, cira_port, https_port)), https_port_(https_port),
      server_(std::make_unique<e2e::server>(config())), pki_(test::make_provisioning_pki()),
      mei_(folder() + "/mei") {
  talk_to(https_port);
  std::filesystem::create_directory(mei_);
  machine_options o;
  o.root_ca = https_ca_;
  o.devices_file = folder() + "/devices.json";
  o.count = how.count;
  const auto root = folder() + "/provisioning-root.pem";
  std::ofstream(root) << test::certificate_pem(pki_.chain.back());
  o.more.insert(o.more.end(),
                {"--profile", how.firmware, "--factory", "--mei-dir", mei_, "--lms-port", "0",
                 "--lms-tls-port", "0", "--trust-root", root, "--pki-suffix", "example.com",
                 "--resolve",
                 std::string(server_name) + "=127.0.0.1:" + std::to_string(cira_port)});
  const bool on_die = how.firmware == "amt19";
  if (on_die)
    o.more.insert(o.more.end(), {"--write-on-die-root", on_die_root(), "--port-restart-ms", "500"});
  const auto start_machines = [&] {
    set_machines(std::make_unique<e2e::machines>(o));
  };
  // The server's ports are free until it takes them, and machines take any: the server is first,
  // unless it reads a root of theirs at its start.
  if (on_die)
    start_machines();
  server_->start();
  if (!until([&] { return ready(); }))
    throw std::runtime_error("the server does not become ready: " + server_log());
  if (!on_die)
    start_machines();
  sign_in_admin();
  if (how.call_home)
    fleet().connect(); // as soon as they know whom
  upload_domain();
}

provisioning_site::~provisioning_site() = default;

void provisioning_site::upload_domain() const {
  const auto made = call(&admin(), "POST", "/api/v1/admin/domains",
                         json{{"profileName", "example"},
                              {"domainSuffix", "example.com"},
                              {"provisioningCert", base64(test::make_pfx(pki_))},
                              {"provisioningCertStorageFormat", "string"},
                              {"provisioningCertPassword", "P@ssw0rd"}}
                             .dump());
  if (made.status != 201)
    throw std::runtime_error("no domain: " + made.body);
}

std::string provisioning_site::url(const std::string& operation, const std::string& profile,
                                   const std::string& guid) const {
  json body{{"operation", operation}};
  if (!profile.empty())
    body["profile"] = profile;
  if (!guid.empty())
    body["guid"] = guid;
  const auto made = call(&admin(), "POST", "/api/v1/admin/activation-tokens", body.dump());
  if (made.status != 201)
    throw std::runtime_error("no token: " + made.body);
  return "wss://localhost:" + std::to_string(https_port_) + "/activate/" +
         made.parsed().at("token").get<std::string>();
}

test::rpc_options provisioning_site::rpc(const machine& m, const std::string& url) const {
  test::rpc_options o;
  o.url = url;
  o.ca_pem = test::read_file(https_ca());
  o.mei_path = mei_ + "/" + m.guid + ".mei";
  const auto is = truth(m.guid);
  o.lms_port = is.value("lms_port", 0);
  o.lms_tls_port = is.value("lms_tls_port", 0);
  o.hostname = m.hostname;
  return o;
}

json provisioning_site::activation(const machine& m) const {
  const auto told = call(&admin(), "GET", "/api/v1/admin/activations/" + m.guid);
  if (told.status != 200)
    throw std::runtime_error("GET activation: " + std::to_string(told.status) + " " + told.body);
  return told.parsed();
}

} // namespace outband::e2e
