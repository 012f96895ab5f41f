#include "gateway/auth/files.hpp"

#include "gateway/auth/auth.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace outband::auth {

namespace {
failure because(const std::string& what, const std::string& path) {
  return fail(problem::internal, what + " " + path + ": " + std::strerror(errno));
}
} // namespace

status write_file(const std::string& path, std::string_view text, unsigned mode) {
  auto draft = path + ".new";
  ::unlink(draft.c_str());
  int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0)
    return because("cannot write", draft);
  ::fchmod(fd, mode); // whatever the umask
  bool ok = true;
  while (ok && !text.empty()) {
    auto n = ::write(fd, text.data(), text.size());
    ok = n > 0 || (n < 0 && errno == EINTR);
    text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  ok = ok && ::fsync(fd) == 0;
  auto saved = errno;
  ::close(fd);
  errno = saved;
  if (!ok || ::rename(draft.c_str(), path.c_str()) != 0) {
    auto f = because("cannot write", path);
    ::unlink(draft.c_str());
    return f;
  }
  return success();
}

result<std::string> read_private_file(const std::string& path) {
  struct ::stat st {};
  if (::stat(path.c_str(), &st) != 0)
    return errno == ENOENT ? fail(problem::not_found, "there is no " + path)
                           : because("cannot read", path);
  if (st.st_mode & 077)
    return fail(problem::forbidden,
                path + " can be read by others; its mode must be 0600 (chmod 600 " + path + ")");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in)
    return because("cannot read", path);
  return text.str();
}

result<ticket::signing_key> load_or_make_key(const std::string& file) {
  auto text = read_private_file(file);
  if (!text && text.error().what != problem::not_found)
    return text.error();
  auto key = text ? ticket::signing_key::from_pem(*text) : ticket::signing_key::generate();
  if (!key)
    return fail(problem::malformed, file + ": " + key.error().detail, "auth.key_file");
  if (!text)
    if (auto ok = write_file(file, key->private_pem(), 0600); !ok)
      return ok.error();
  if (auto ok = write_file(file + ".pub", key->public_pem(), 0644); !ok)
    return ok.error();
  return key;
}

} // namespace outband::auth
