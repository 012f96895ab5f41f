/// A disk without room, for a PostgreSQL that is started with this preloaded: while the file named
/// by FULL_DISK_FLAG exists, whatever would make a table or an index longer ends with ENOSPC, as
/// where no block is free. What is there can be written again, read and removed. The log of
/// transactions is taken to be on another volume.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

bool no_room(int fd, off64_t end) {
  const char* flag = std::getenv("FULL_DISK_FLAG");
  if (flag == nullptr || ::access(flag, F_OK) != 0)
    return false;
  struct stat is {};
  if (::fstat(fd, &is) != 0 || !S_ISREG(is.st_mode) || end <= is.st_size)
    return false;
  char name[32], path[1024];
  std::snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  const auto n = ::readlink(name, path, sizeof path - 1);
  if (n <= 0)
    return false;
  path[n] = '\0';
  return std::strstr(path, "/base/") != nullptr;
}

template <class F> F* real(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

ssize_t full() {
  errno = ENOSPC;
  return -1;
}

off64_t length(const iovec* parts, int count) {
  off64_t out = 0;
  for (int i = 0; i < count; ++i)
    out += static_cast<off64_t>(parts[i].iov_len);
  return out;
}

} // namespace

extern "C" {

ssize_t pwrite(int fd, const void* data, size_t n, off_t at) {
  static auto* const next = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return no_room(fd, at + static_cast<off_t>(n)) ? full() : next(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void* data, size_t n, off64_t at) {
  static auto* const next = real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return no_room(fd, at + static_cast<off64_t>(n)) ? full() : next(fd, data, n, at);
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  static auto* const next = real<ssize_t(int, const iovec*, int, off_t)>("pwritev");
  return no_room(fd, at + length(parts, count)) ? full() : next(fd, parts, count, at);
}

ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t at) {
  static auto* const next = real<ssize_t(int, const iovec*, int, off64_t)>("pwritev64");
  return no_room(fd, at + length(parts, count)) ? full() : next(fd, parts, count, at);
}

int posix_fallocate(int fd, off_t at, off_t n) {
  static auto* const next = real<int(int, off_t, off_t)>("posix_fallocate");
  return no_room(fd, at + n) ? ENOSPC : next(fd, at, n);
}

int posix_fallocate64(int fd, off64_t at, off64_t n) {
  static auto* const next = real<int(int, off64_t, off64_t)>("posix_fallocate64");
  return no_room(fd, at + n) ? ENOSPC : next(fd, at, n);
}
}
