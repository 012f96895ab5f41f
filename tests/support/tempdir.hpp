/// A folder that is gone, with all that is in it, when the object is.
#pragma once

#include <string>
#include <string_view>

namespace outband::test {

class tempdir {
public:
  tempdir();
  ~tempdir();
  tempdir(const tempdir&) = delete;
  tempdir& operator=(const tempdir&) = delete;

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const;
  /// Writes a file (mode 0600) and returns its path.
  std::string write(std::string_view name, std::string_view content) const;

private:
  std::string path_;
};

std::string read_file(const std::string& path);

} // namespace outband::test
