#include "actors/secrets/key_file.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace outband::secrets {

namespace {

struct file {
  int fd = -1;
  ~file() {
    if (fd >= 0)
      ::close(fd);
  }
};

failure trouble(const std::string& path, const char* what) {
  return fail(problem::internal, path + ": " + what + ": " + std::strerror(errno));
}

int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return -1;
}

/// Written under another name and linked into place, so that nobody ever reads half a key. The
/// link fails if somebody else was faster; then theirs is the key.
status create(const std::string& path) {
  std::array<unsigned char, key_octets> octets{};
  if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1)
    return fail(problem::internal, "the system has no random numbers");
  static const char hex[] = "0123456789abcdef";
  std::string text;
  for (auto o : octets) {
    text.push_back(hex[o >> 4]);
    text.push_back(hex[o & 15]);
  }
  text.push_back('\n');
  OPENSSL_cleanse(octets.data(), octets.size());

  auto draft = path + ".XXXXXX";
  file f{::mkostemp(draft.data(), O_CLOEXEC)}; // mode 0600
  if (f.fd < 0)
    return trouble(path, "cannot create the master key beside it");
  status done = success();
  if (::write(f.fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(f.fd) != 0)
    done = trouble(path, "cannot write the master key");
  else if (::link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST)
    done = trouble(path, "cannot create the master key");
  OPENSSL_cleanse(text.data(), text.size());
  ::unlink(draft.c_str());
  if (!done)
    return done;
  auto slash = path.rfind('/');
  auto folder = slash == std::string::npos ? std::string(".") : path.substr(0, slash + 1);
  file dir{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (dir.fd < 0 || ::fsync(dir.fd) != 0)
    return trouble(path, "cannot make the master key last");
  return success();
}

} // namespace

result<aes_key> load_or_create_key(const std::string& path) {
  file f{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (f.fd < 0 && errno == ENOENT) {
    if (auto made = create(path); !made)
      return made.error();
    f.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  }
  if (f.fd < 0)
    return trouble(path, "cannot open the master key");
  struct stat info {};
  if (::fstat(f.fd, &info) != 0)
    return trouble(path, "cannot look at the master key");
  if (!S_ISREG(info.st_mode))
    return fail(problem::malformed, path + ": the master key is not a plain file");
  if ((info.st_mode & 077) != 0)
    return fail(problem::forbidden,
                path + ": others may read or write the master key; make it mode 0600 and, if "
                       "somebody may have read it, replace every password it sealed");
  std::array<char, key_octets * 2 + 2> text{};
  auto n = ::read(f.fd, text.data(), text.size());
  if (n < 0)
    return trouble(path, "cannot read the master key");
  auto size = static_cast<std::size_t>(n);
  bool good = size == key_octets * 2 || (size == key_octets * 2 + 1 && text[size - 1] == '\n');
  std::array<std::uint8_t, key_octets> octets{};
  for (std::size_t i = 0; good && i < key_octets; ++i) {
    auto high = digit(text[2 * i]);
    auto low = digit(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    octets[i] = static_cast<std::uint8_t>(good ? high << 4 | low : 0);
  }
  OPENSSL_cleanse(text.data(), text.size());
  if (!good)
    return fail(problem::malformed,
                path + ": the master key must be 64 lower-case hex digits in one line");
  aes_key key(octets);
  OPENSSL_cleanse(octets.data(), octets.size());
  return key;
}

} // namespace outband::secrets
