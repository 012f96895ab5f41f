#include "gateway/net/certificates.hpp"
#include "gateway/net/tls_context.hpp"
#include "gateway/net/x509.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

using namespace outband::net;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t now = 1'800'000'000; // 2027
constexpr std::int64_t day = 86'400;

class scratch {
public:
  scratch() {
    std::string pattern = (fs::temp_directory_path() / "outband-certificates-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~scratch() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }

private:
  fs::path path_;
};

std::string slurp(const fs::path& p) {
  std::ifstream in{p};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void put(const fs::path& p, const std::string& text) {
  std::ofstream{p} << text;
}

certificate_options options_in(const fs::path& dir) {
  certificate_options o;
  o.directory = dir;
  o.cira_name = "mps.example.com";
  o.https_names = {"outband.example.com", "192.0.2.1"};
  o.bus_names = {"localhost", "127.0.0.1"};
  o.node_name = "n1";
  return o;
}

/// RSA keys take long to make: once for all, then copied.
void premade_in(const fs::path& target) {
  static const scratch made;
  static const bool done = certificates::open(options_in(made / "pki"), now).ok();
  REQUIRE(done);
  fs::copy(made / "pki", target);
}

} // namespace

TEST_CASE("the first start makes every certificate and the second finds them") {
  const scratch dir;
  const auto options = options_in(dir / "pki");
  premade_in(options.directory);
  const auto first = certificates::open(options, now);
  REQUIRE(first.ok());

  SUBCASE("the root is what MPS would make") {
    const auto root = *read_certificate(first->cira_root_pem());
    CHECK(root.common_name.rfind("OutbandRoot-", 0) == 0);
    CHECK(root.common_name.size() == 18);
    CHECK(root.key_bits == 3072);
    CHECK(root.self_signed);
    CHECK(root.not_before == now - 365 * day);
    CHECK(root.not_after == now + 30 * 365 * day);
    CHECK(first->site_fingerprint() == root.sha256);
  }
  SUBCASE("the CIRA certificate carries the name and is sent with its root") {
    const auto leaf = *read_certificate(first->cira().chain_pem);
    CHECK(leaf.common_name == "mps.example.com");
    CHECK(leaf.alt_names == std::vector<std::string>{"mps.example.com"});
    CHECK(leaf.key_bits == 2048);
    REQUIRE(split_pem(first->cira().chain_pem).size() == 2);
    CHECK(split_pem(first->cira().chain_pem)[1] == first->cira_root_pem());
    CHECK(check_chain(first->cira().chain_pem, first->cira_root_pem(), now).ok());
    CHECK(
        tls_context::make(tls_profile::cira, first->cira().chain_pem, first->cira().key_pem).ok());
    CHECK(
        tls_context::make(tls_profile::cira_legacy, first->cira().chain_pem, first->cira().key_pem)
            .ok());
  }
  SUBCASE("the HTTPS certificate names hosts and addresses") {
    const auto leaf = *read_certificate(first->https().chain_pem);
    CHECK(leaf.alt_names == options.https_names);
    CHECK(leaf.key_bits == 256);
    CHECK(tls_context::make(tls_profile::https, first->https().chain_pem, first->https().key_pem)
              .ok());
  }
  SUBCASE("the bus has an authority of its own") {
    CHECK(read_certificate(first->bus_node().chain_pem)->common_name == "-/inst/n1");
    CHECK(check_chain(first->bus_node().chain_pem, first->bus_ca_pem(), now).ok());
    CHECK(check_chain(first->bus_server().chain_pem, first->bus_ca_pem(), now).ok());
    CHECK_FALSE(check_chain(first->bus_node().chain_pem, first->cira_root_pem(), now).ok());
  }
  SUBCASE("keys are for the owner only") {
    for (const auto* id : {&first->cira(), &first->https(), &first->bus_node()}) {
      struct stat s {};
      REQUIRE(::stat(id->key_path.c_str(), &s) == 0);
      CHECK((s.st_mode & 0777) == 0600);
      CHECK(slurp(id->key_path) == id->key_pem);
      CHECK(slurp(id->certificate_path) == id->chain_pem);
    }
  }
  SUBCASE("the second start changes nothing") {
    const auto second = certificates::open(options, now + day);
    REQUIRE(second.ok());
    CHECK(second->cira().chain_pem == first->cira().chain_pem);
    CHECK(second->https().chain_pem == first->https().chain_pem);
    CHECK(second->bus_node().chain_pem == first->bus_node().chain_pem);
  }
  SUBCASE("another name gives a new leaf from the old root") {
    auto renamed = options;
    renamed.cira_name = "cira.example.com";
    const auto second = certificates::open(renamed, now);
    REQUIRE(second.ok());
    CHECK(read_certificate(second->cira().chain_pem)->common_name == "cira.example.com");
    CHECK(second->cira_root_pem() == first->cira_root_pem());
    CHECK(second->https().chain_pem == first->https().chain_pem);
  }
  SUBCASE("a larger key on request") {
    auto larger = options;
    larger.cira_key_bits = 3072;
    const auto second = certificates::open(larger, now);
    REQUIRE(second.ok());
    CHECK(read_certificate(second->cira().chain_pem)->key_bits == 3072);
  }
  SUBCASE("what is about to expire is renewed and the root is kept") {
    const auto later = now + 780 * day; // 40 days before the end of an 820 day life
    const auto second = certificates::open(options, later);
    REQUIRE(second.ok());
    CHECK(second->https().chain_pem != first->https().chain_pem);
    CHECK(read_certificate(second->https().chain_pem)->not_after > later + 800 * day);
    CHECK(second->cira().chain_pem == first->cira().chain_pem);
    CHECK(second->cira_root_pem() == first->cira_root_pem());
  }
  SUBCASE("a leaf interrupted between key and certificate is made anew") {
    put(dir / "pki" / "https.key", *make_key(key_kind::p256));
    const auto second = certificates::open(options, now);
    REQUIRE(second.ok());
    CHECK(check_pair(second->https().chain_pem, second->https().key_pem).ok());
  }
  SUBCASE("a root without its key is an error that says what to do") {
    fs::remove(dir / "pki" / "cira-root.key");
    const auto second = certificates::open(options, now);
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().detail.find("restore") != std::string::npos);
    CHECK(second.error().field.find("cira-root.key") != std::string::npos);
  }
}

TEST_CASE("an agent's certificate has the server's subject and the agent's key") {
  const scratch dir;
  premade_in(dir / "pki");
  const auto pki = certificates::open(options_in(dir / "pki"), now);
  REQUIRE(pki.ok());
  const auto key = *make_key(key_kind::p256);
  const auto request = *make_request("acme/dev/somebody-else", key);
  const auto issued = pki->issue_bus_client("acme/dev/g1", request, now, 365);
  REQUIRE(issued.ok());
  CHECK(read_certificate(*issued)->common_name == "acme/dev/g1");
  CHECK(check_pair(*issued, key).ok());
  CHECK(check_chain(*issued, pki->bus_ca_pem(), now).ok());
  CHECK_FALSE(check_chain(*issued, pki->bus_ca_pem(), now + 366 * day).ok());

  CHECK_FALSE(pki->issue_bus_client("acme/dev/g1", "nonsense", now, 365).ok());
  CHECK_FALSE(pki->issue_bus_client(std::string(65, 'x'), request, now, 365).ok());
  CHECK_FALSE(pki->issue_bus_client("a\nb", request, now, 365).ok());
  CHECK_FALSE(pki->issue_bus_client("acme/dev/g1", request, now, 0).ok());
  auto forged = request;
  const auto at = forged.size() / 2;
  forged[at] = forged[at] == 'A' ? 'B' : 'A';
  CHECK_FALSE(pki->issue_bus_client("acme/dev/g1", forged, now, 365).ok());
}

TEST_CASE("given files are used when they fit and refused with a reason when not") {
  using usage = certificate_spec::usage;
  const scratch dir;
  premade_in(dir / "pki");
  const auto ca_key = *make_key(key_kind::p256);
  const auto ca =
      *make_self_signed({"Corp Root", {}, usage::authority, now - day, now + 3650 * day}, ca_key);
  const auto key = *make_key(key_kind::rsa2048);
  const certificate_spec spec{"mps.example.com", {}, usage::server, now - day, now + 90 * day};
  const auto leaf = *make_certificate(spec, key, {ca, ca_key});
  put(dir / "leaf.crt", leaf);
  put(dir / "chain.crt", leaf + ca);
  put(dir / "leaf.key", key);
  put(dir / "ca.crt", ca);
  auto options = options_in(dir / "pki");
  options.cira = {dir / "chain.crt", dir / "leaf.key", {}};

  SUBCASE("leaf and root in one file") {
    const auto pki = certificates::open(options, now);
    REQUIRE(pki.ok());
    CHECK(pki->cira_root_pem() == ca);
    CHECK(pki->cira().key_path == dir / "leaf.key");
  }
  SUBCASE("the root in a file of its own is sent to machines too") {
    options.cira = {dir / "leaf.crt", dir / "leaf.key", dir / "ca.crt"};
    const auto pki = certificates::open(options, now);
    REQUIRE(pki.ok());
    CHECK(split_pem(pki->cira().chain_pem).size() == 2);
  }
  SUBCASE("without its root") {
    options.cira = {dir / "leaf.crt", dir / "leaf.key", {}};
    const auto pki = certificates::open(options, now);
    REQUIRE_FALSE(pki.ok());
    CHECK(pki.error().detail.find("root") != std::string::npos);
  }
  SUBCASE("HTTPS from a public authority needs no root") {
    options.cira = {};
    options.https = {dir / "leaf.crt", dir / "leaf.key", {}};
    const auto pki = certificates::open(options, now);
    REQUIRE(pki.ok());
    CHECK(pki->https_root_pem().empty());
    CHECK(pki->site_fingerprint() == read_certificate(leaf)->sha256);
  }
  SUBCASE("another key") {
    put(dir / "leaf.key", *make_key(key_kind::rsa2048));
    const auto pki = certificates::open(options, now);
    REQUIRE_FALSE(pki.ok());
    CHECK(pki.error().field == (dir / "leaf.key").string());
    CHECK(pki.error().detail.find("does not belong") != std::string::npos);
  }
  SUBCASE("expired") {
    const auto pki = certificates::open(options, now + 91 * day);
    REQUIRE_FALSE(pki.ok());
    CHECK(pki.error().what == outband::problem::expired);
  }
  SUBCASE("another name than machines are told") {
    options.cira_name = "other.example.com";
    const auto pki = certificates::open(options, now);
    REQUIRE_FALSE(pki.ok());
    CHECK(pki.error().detail.find("mps.example.com") != std::string::npos);
  }
  SUBCASE("a chain that leads elsewhere") {
    const auto other_key = *make_key(key_kind::p256);
    put(dir / "ca.crt",
        *make_self_signed({"Other", {}, usage::authority, now - day, now + 3650 * day}, other_key));
    options.cira = {dir / "leaf.crt", dir / "leaf.key", dir / "ca.crt"};
    CHECK_FALSE(certificates::open(options, now).ok());
  }
  SUBCASE("no such file") {
    options.cira.certificate = dir / "missing.crt";
    const auto pki = certificates::open(options, now);
    REQUIRE_FALSE(pki.ok());
    CHECK(pki.error().field == (dir / "missing.crt").string());
  }
}

TEST_CASE("names that would break a certificate are refused") {
  const auto key = *make_key(key_kind::p256);
  const auto with = [&](std::string cn, std::vector<std::string> names) {
    return make_self_signed(
        {std::move(cn), std::move(names), certificate_spec::usage::server, now, now + day}, key);
  };
  CHECK(with("a", {"a.example", "*.example", "2001:db8::1"}).ok());
  CHECK_FALSE(with("", {}).ok());
  CHECK_FALSE(with("a", {"a,DNS:b"}).ok());
  CHECK_FALSE(with("a", {"a b"}).ok());
  CHECK_FALSE(with("a", {""}).ok());
}
