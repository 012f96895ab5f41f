#include "gateway/net/certificates.hpp"

#include "gateway/net/x509.hpp"
#include "messages/domain/text.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace outband::net {

namespace {

namespace fs = std::filesystem;
using usage = certificate_spec::usage;

constexpr std::int64_t day = 24 * 60 * 60;
constexpr std::int64_t year = 365 * day;
constexpr std::int64_t root_life = 30 * year;
constexpr std::int64_t cira_life = 10 * year; // replaced only when a server starts
constexpr std::int64_t leaf_life = 820 * day; // some HTTPS clients refuse more than 825
constexpr std::int64_t renew_before = 60 * day;
constexpr std::uintmax_t max_file = 256 << 10;

failure file_failure(const std::string& what, const fs::path& path) {
  return fail(problem::internal, what + ": " + std::strerror(errno), path.string());
}

/// In words of the file it was found in.
failure in_file(const failure& f, const fs::path& path) {
  return fail(f.what, f.detail, path.string());
}

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const { return fd_; }

private:
  int fd_;
};

status sync_folder(const fs::path& folder) {
  const descriptor fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (fd.get() < 0 || ::fsync(fd.get()) != 0)
    return file_failure("cannot be synchronised", folder);
  return success();
}

/// The old file or the new one, never a part of it, also after a power failure.
status write_whole(const fs::path& path, const std::string& text, mode_t mode) {
  auto partial = path;
  partial += ".new";
  ::unlink(partial.c_str());
  {
    const descriptor fd{::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
    if (fd.get() < 0)
      return file_failure("cannot be created", partial);
    for (std::size_t done = 0; done < text.size();) {
      const auto n = ::write(fd.get(), text.data() + done, text.size() - done);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return file_failure("cannot be written", partial);
      done += static_cast<std::size_t>(n);
    }
    if (::fsync(fd.get()) != 0)
      return file_failure("cannot be synchronised", partial);
  }
  if (::rename(partial.c_str(), path.c_str()) != 0)
    return file_failure("cannot be put in place", path);
  return sync_folder(path.parent_path());
}

result<std::string> read_whole(const fs::path& path) {
  std::error_code ec;
  const auto size = fs::file_size(path, ec);
  if (ec)
    return fail(problem::not_found, "cannot be read: " + ec.message(), path.string());
  if (size > max_file)
    return fail(problem::too_large, "more than 256 KiB", path.string());
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  if (!in)
    return fail(problem::not_found, "cannot be read", path.string());
  return text.str();
}

bool present(const fs::path& path) {
  std::error_code ec;
  return fs::exists(path, ec);
}

class folder {
public:
  folder(fs::path path, std::int64_t now) : path_(std::move(path)), now_(now) {}

  identity at(const std::string& name) const {
    identity id;
    id.certificate_path = path_ / (name + ".crt");
    id.key_path = path_ / (name + ".key");
    return id;
  }

  status read(identity& id) const {
    auto chain = read_whole(id.certificate_path);
    if (!chain)
      return chain.error();
    auto key = read_whole(id.key_path);
    if (!key)
      return key.error();
    id.chain_pem = std::move(*chain);
    id.key_pem = std::move(*key);
    const auto facts = read_certificate(id.chain_pem);
    if (!facts)
      return in_file(facts.error(), id.certificate_path);
    id.not_after = facts->not_after;
    if (auto pair = check_pair(id.chain_pem, id.key_pem); !pair)
      return in_file(pair.error(), id.key_path);
    return success();
  }

  /// The key first: without its certificate it means nothing to anyone.
  status write(identity& id, std::string chain, std::string key) const {
    if (auto ok = write_whole(id.key_path, key, 0600); !ok)
      return ok;
    if (auto ok = write_whole(id.certificate_path, chain, 0644); !ok)
      return ok;
    id.chain_pem = std::move(chain);
    id.key_pem = std::move(key);
    const auto facts = read_certificate(id.chain_pem);
    if (!facts)
      return facts.error();
    id.not_after = facts->not_after;
    return success();
  }

  result<identity> authority(const std::string& name, const std::string& name_prefix,
                             key_kind kind) const {
    auto id = at(name);
    if (present(id.certificate_path)) {
      if (auto ok = read(id); !ok)
        return fail(ok.error().what,
                    ok.error().detail + "; restore the file from a backup, or delete " +
                        id.certificate_path.string() +
                        " for a new authority, which all machines must then be told to trust",
                    ok.error().field);
      if (id.not_after <= now_)
        return fail(problem::expired, "the authority has expired", id.certificate_path.string());
      return id;
    }
    auto key = make_key(kind);
    if (!key)
      return key.error();
    auto certificate = make_self_signed(
        {name_prefix + random_hex(), {}, usage::authority, now_ - year, now_ + root_life}, *key);
    if (!certificate)
      return certificate.error();
    if (auto ok = write(id, std::move(*certificate), std::move(*key)); !ok)
      return ok.error();
    return id;
  }

  result<identity> leaf(const std::string& name, certificate_spec spec, key_kind kind, int bits,
                        const identity& by) const {
    auto id = at(name);
    if (present(id.certificate_path) && read(id) && still_good(id, spec, bits, by))
      return id;
    auto key = make_key(kind);
    if (!key)
      return key.error();
    const auto life = spec.what == usage::cira_server ? cira_life : leaf_life;
    spec.not_before = now_ - (spec.what == usage::cira_server ? year : day);
    spec.not_after = std::min(now_ + life, by.not_after);
    auto certificate = make_certificate(spec, *key, {by.chain_pem, by.key_pem});
    if (!certificate)
      return certificate.error();
    if (auto ok = write(id, *certificate + by.chain_pem, std::move(*key)); !ok)
      return ok.error();
    return id;
  }

private:
  bool still_good(const identity& id, const certificate_spec& spec, int bits,
                  const identity& by) const {
    const auto facts = read_certificate(id.chain_pem);
    // An authority near its own end gives shorter lives; do not renew at every start for that.
    const auto renew_at = std::min(facts ? facts->not_after : 0, by.not_after) - renew_before;
    return facts && facts->common_name == spec.common_name && facts->alt_names == spec.alt_names &&
           facts->key_bits == bits &&
           (now_ < renew_at || (now_ < facts->not_after && facts->not_after == by.not_after)) &&
           check_chain(id.chain_pem, by.chain_pem, now_).ok();
  }

  static std::string random_hex() {
    unsigned char octets[3];
    if (RAND_bytes(octets, sizeof octets) != 1)
      return "000000";
    return to_hex(octets, sizeof octets);
  }

  fs::path path_;
  std::int64_t now_;
};

struct checked {
  identity id;
  std::string root_pem;
};

result<checked> load_given(const given_identity& given, const std::string& cira_name,
                           std::int64_t now) {
  checked out;
  out.id.certificate_path = given.certificate;
  out.id.key_path = given.key;
  if (given.key.empty())
    return fail(problem::malformed, "a certificate file needs a key file",
                given.certificate.string());
  if (auto ok = folder{{}, now}.read(out.id); !ok)
    return ok.error();
  const auto facts = *read_certificate(out.id.chain_pem);
  if (facts.not_after <= now)
    return fail(problem::expired, "the certificate has expired", given.certificate.string());
  if (facts.not_before > now)
    return fail(problem::malformed, "the certificate is not valid yet: check this server's clock",
                given.certificate.string());
  if (!cira_name.empty() && facts.common_name != cira_name)
    return fail(problem::malformed,
                "its common name is '" + facts.common_name + "', but machines are told '" +
                    cira_name + "': they would refuse it",
                given.certificate.string());
  const auto chain = split_pem(out.id.chain_pem);
  if (!given.ca.empty()) {
    auto ca = read_whole(given.ca);
    if (!ca)
      return ca.error();
    out.root_pem = std::move(*ca);
  } else if (const auto last = read_certificate(chain.back()); last && last->self_signed) {
    out.root_pem = chain.back();
  }
  if (out.root_pem.empty()) {
    if (!cira_name.empty())
      return fail(problem::malformed,
                  "the chain does not end with its root, which machines need: append it, or give "
                  "it as the CA file",
                  given.certificate.string());
    return out; // HTTPS from a public authority: browsers know the root
  }
  if (auto ok = check_chain(out.id.chain_pem, out.root_pem, now); !ok)
    return in_file(ok.error(), given.certificate);
  // AMT wants the root in the handshake (MeshCentral issue 6281).
  const auto last = read_certificate(chain.back());
  if (!cira_name.empty() && last && !last->self_signed)
    out.id.chain_pem += split_pem(out.root_pem).front();
  return out;
}

std::string fingerprint(const std::string& pem) {
  const auto facts = read_certificate(pem);
  return facts ? facts->sha256 : std::string{};
}

} // namespace

result<certificates> certificates::open(const certificate_options& o, std::int64_t now) {
  if (o.directory.empty())
    return fail(problem::malformed, "no data directory is configured", "directory");
  if (o.cira_key_bits != 2048 && o.cira_key_bits != 3072)
    return fail(problem::malformed, "must be 2048 or 3072", "cira_key_bits");
  if (o.node_name.empty() || o.bus_names.empty() || o.https_names.empty() || o.cira_name.empty())
    return fail(problem::malformed, "cira_name, https_names, bus_names and node_name are needed",
                "names");
  // It becomes a file name and a level of a common name.
  if (!std::all_of(o.node_name.begin(), o.node_name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
      }))
    return fail(problem::malformed, "only a-z, 0-9 and '-' are allowed", "node_name");
  std::error_code ec;
  fs::create_directories(o.directory, ec);
  if (ec)
    return fail(problem::internal, "cannot be created: " + ec.message(), o.directory.string());
  fs::permissions(o.directory, fs::perms::owner_all, ec);
  const descriptor lock{::open((o.directory / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX) != 0)
    return file_failure("cannot be locked", o.directory / "lock");

  certificates all;
  const folder files{o.directory, now};
  const bool own_cira = o.cira.certificate.empty();
  const bool own_https = o.https.certificate.empty();
  if (own_cira || own_https) {
    auto root = files.authority("cira-root", "OutbandRoot-", key_kind::rsa3072);
    if (!root)
      return root.error();
    if (own_cira) {
      const auto kind = o.cira_key_bits == 3072 ? key_kind::rsa3072 : key_kind::rsa2048;
      auto id = files.leaf("cira", {o.cira_name, {o.cira_name}, usage::cira_server}, kind,
                           o.cira_key_bits, *root);
      if (!id)
        return id.error();
      all.cira_ = std::move(*id);
      all.cira_root_pem_ = root->chain_pem;
      all.cira_root_key_pem_ = root->key_pem;
    }
    if (own_https) {
      auto id = files.leaf("https", {o.https_names.front(), o.https_names, usage::server},
                           key_kind::p256, 256, *root);
      if (!id)
        return id.error();
      all.https_ = std::move(*id);
      all.https_root_pem_ = root->chain_pem;
    }
  }
  if (!own_cira) {
    auto given = load_given(o.cira, o.cira_name, now);
    if (!given)
      return given.error();
    all.cira_ = std::move(given->id);
    all.cira_root_pem_ = std::move(given->root_pem);
  }
  if (!own_https) {
    auto given = load_given(o.https, {}, now);
    if (!given)
      return given.error();
    all.https_ = std::move(given->id);
    all.https_root_pem_ = std::move(given->root_pem);
  }
  all.site_fingerprint_ =
      fingerprint(all.https_root_pem_.empty() ? all.https_.chain_pem : all.https_root_pem_);

  auto bus_ca = files.authority("bus-ca", "OutbandBus-", key_kind::p256);
  if (!bus_ca)
    return bus_ca.error();
  auto server = files.leaf("bus-server", {o.bus_names.front(), o.bus_names, usage::server},
                           key_kind::p256, 256, *bus_ca);
  if (!server)
    return server.error();
  auto node = files.leaf("node-" + o.node_name, {"-/inst/" + o.node_name, {}, usage::client},
                         key_kind::p256, 256, *bus_ca);
  if (!node)
    return node.error();
  all.bus_ca_ = std::move(*bus_ca);
  all.bus_server_ = std::move(*server);
  all.bus_node_ = std::move(*node);
  return all;
}

result<std::string> certificates::issue_bus_client(const std::string& common_name,
                                                   const std::string& request_pem, std::int64_t now,
                                                   int days) const {
  if (days < 1 || days > 3650)
    return fail(problem::malformed, "must be 1 to 3650", "days");
  return sign_request(
      {common_name, {}, usage::client, now - day, std::min(now + days * day, bus_ca_.not_after)},
      request_pem, {bus_ca_.chain_pem, bus_ca_.key_pem});
}

} // namespace outband::net
