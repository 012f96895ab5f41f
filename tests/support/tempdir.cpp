#include "tests/support/tempdir.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <unistd.h>

namespace outband::test {

tempdir::tempdir() {
  std::string name = (std::filesystem::temp_directory_path() / "outband-test-XXXXXX").string();
  if (!::mkdtemp(name.data()))
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
  path_ = name;
}

tempdir::~tempdir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string tempdir::file(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

std::string tempdir::write(std::string_view name, std::string_view content) const {
  auto path = file(name);
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    throw std::system_error(errno, std::generic_category(), path);
  while (!content.empty()) {
    auto n = ::write(fd, content.data(), content.size());
    if (n < 0) {
      ::close(fd);
      throw std::system_error(errno, std::generic_category(), path);
    }
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  ::close(fd);
  return path;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw std::runtime_error("cannot read " + path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

} // namespace outband::test
