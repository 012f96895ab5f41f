#include "tools/amtsim/state_file.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

namespace outband::amtsim {

namespace {

bool read_texts(const nlohmann::json& from, flash& into) {
  if (!from.is_object())
    return false;
  for (const auto& [topic, texts] : from.items()) {
    if (!texts.is_object())
      return false;
    for (const auto& [name, text] : texts.items()) {
      if (!text.is_string())
        return false;
      into[topic][name] = text.get<std::string>();
    }
  }
  return true;
}

} // namespace

std::unordered_map<device_id, kept_state> read_state(const std::string& path) {
  std::unordered_map<device_id, kept_state> out;
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return out;
  std::stringstream text;
  text << in.rdbuf();
  const auto doc = nlohmann::json::parse(text.str(), nullptr, false);
  const auto bad = [&path](const std::string& what) {
    return std::runtime_error("state file '" + path + "': " + what);
  };
  if (!doc.is_object() || doc.value("version", 0) != 1 || !doc.contains("machines") ||
      !doc["machines"].is_object())
    throw bad("is not a version 1 state file");
  for (const auto& [key, value] : doc["machines"].items()) {
    const auto guid = parse_uuid(key);
    if (!guid || !value.is_object() ||
        !value.value("power", nlohmann::json{}).is_number_integer() ||
        !value.value("boots", nlohmann::json{}).is_number_unsigned())
      throw bad("the entry '" + key.substr(0, 40) + "' is not of the right form");
    const auto power = power_state_from_code(value["power"].get<int>());
    if (level_of(power) == power_level::unknown)
      throw bad("the entry '" + key + "' has no power state that a machine can be in");
    flash kept;
    if (value.contains("flash") && !read_texts(value["flash"], kept))
      throw bad("the entry '" + key + "' has a flash that is not of texts");
    out[*guid] = {power, value["boots"].get<std::uint64_t>(), std::move(kept)};
  }
  return out;
}

std::string write_state(const std::string& path, const std::vector<machine_report>& machines) {
  auto entries = nlohmann::json::object();
  for (const auto& m : machines) {
    auto& entry = entries[to_string(m.guid)];
    entry = {{"power", static_cast<int>(m.power)}, {"boots", m.boots}};
    if (!m.kept.empty())
      entry["flash"] = m.kept;
  }
  const nlohmann::json doc{{"version", 1}, {"machines", std::move(entries)}};
  using json = nlohmann::json;
  return write_file(path, doc.dump(-1, ' ', false, json::error_handler_t::replace) + "\n", 0600);
}

std::string write_file(const std::string& path, const std::string& content, unsigned mode) {
  const auto temporary = path + ".new";
  const auto complaint = [&path](const char* what) {
    return "'" + path + "' cannot be written: " + what + ": " + std::strerror(errno);
  };
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0)
    return complaint("open");
  std::size_t done = 0;
  while (done < content.size()) {
    const auto n = ::write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      auto why = complaint("write");
      ::close(fd);
      return why;
    }
    done += static_cast<std::size_t>(n);
  }
  if (::fsync(fd) != 0) {
    auto why = complaint("fsync");
    ::close(fd);
    return why;
  }
  ::close(fd);
  if (std::rename(temporary.c_str(), path.c_str()) != 0)
    return complaint("rename");
  return {};
}

} // namespace outband::amtsim
