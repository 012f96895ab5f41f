/// Figures as they are found: JSON lines in a file, and one table at the end.
#pragma once

#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace outband::bench {

struct figure {
  std::string name; ///< "connects"
  std::string what; ///< the case: "TLS 1.2"
  std::string unit;
  double ours = 0;
  std::optional<double> floor{}; ///< the same of the bare loop, measured in the same run
  std::string goal{};            ///< in words; empty: none was set
  std::optional<bool> met{};
  std::vector<std::pair<std::string, double>> more{};
  std::string note{};
};

class report {
public:
  /// Throws std::runtime_error if the file cannot be written.
  explicit report(const std::string& file);
  /// The first line. `facts`: member and text.
  void machine(const std::vector<std::pair<std::string, std::string>>& facts);
  void add(figure f);
  std::string table() const;

private:
  std::ofstream out_;
  std::vector<figure> all_;
};

} // namespace outband::bench
