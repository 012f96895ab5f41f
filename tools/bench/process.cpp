#include "tools/bench/process.hpp"

#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace outband::bench {

namespace {

/// The fields of /proc/PID/stat after the name, which may hold anything; [0] is field 3.
std::vector<std::string> stat_of(const std::string& pid) {
  std::ifstream in("/proc/" + pid + "/stat");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto name_end = text.rfind(')');
  std::vector<std::string> out;
  if (name_end == std::string::npos)
    return out;
  std::istringstream words(text.substr(name_end + 1));
  for (std::string w; words >> w;)
    out.push_back(w);
  return out;
}

double ticks(const std::vector<std::string>& stat, std::size_t at) {
  static const auto hertz = static_cast<double>(sysconf(_SC_CLK_TCK));
  return at < stat.size() ? std::stod(stat[at]) / hertz : 0;
}

/// schedstat counts nanoseconds per thread; absent in some kernels.
std::optional<double> fine_seconds(const std::string& pid) {
  const auto folder = "/proc/" + pid + "/task";
  DIR* tasks = opendir(folder.c_str());
  if (tasks == nullptr)
    return std::nullopt;
  double sum = 0;
  bool any = false;
  while (const dirent* e = readdir(tasks)) {
    if (e->d_name[0] == '.')
      continue;
    std::ifstream in(folder + "/" + e->d_name + "/schedstat");
    double ns = 0;
    if (in >> ns) {
      sum += ns / 1e9;
      any = any || ns > 0;
    }
  }
  closedir(tasks);
  return any ? std::optional(sum) : std::nullopt;
}

} // namespace

double cpu_seconds(pid_t pid, bool with_children) {
  const auto name = std::to_string(pid);
  const auto mine = stat_of(name);
  double out = ticks(mine, 11) + ticks(mine, 12);
  if (!with_children) {
    const auto fine = fine_seconds(name);
    // Threads that ended are in stat only; ours live as long as their process.
    return fine ? *fine : out;
  }
  out += ticks(mine, 13) + ticks(mine, 14);
  if (DIR* all = opendir("/proc")) {
    while (const dirent* e = readdir(all)) {
      if (e->d_name[0] < '0' || e->d_name[0] > '9')
        continue;
      const auto s = stat_of(e->d_name);
      if (s.size() > 1 && s[1] == name)
        out += ticks(s, 11) + ticks(s, 12);
    }
    closedir(all);
  }
  return out;
}

std::uint64_t memory_octets(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string word; in >> word;)
    if (word == "Pss:") {
      std::uint64_t kilo = 0;
      in >> kilo;
      return kilo * 1024;
    }
  return 0;
}

machine_facts this_machine() {
  machine_facts out;
  out.cores = static_cast<int>(std::thread::hardware_concurrency());
  std::ifstream cpu("/proc/cpuinfo");
  for (std::string line; out.cpu.empty() && std::getline(cpu, line);)
    if (line.compare(0, 10, "model name") == 0)
      out.cpu = line.substr(line.find(':') + 2);
  out.memory_octets = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  utsname u{};
  if (uname(&u) == 0)
    out.kernel = std::string(u.sysname) + " " + u.release;
  return out;
}

child::child(loop& io, const std::vector<std::string>& command) : io_(io) {
  int down[2], up[2];
  if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(down[0], STDIN_FILENO);
    dup2(up[1], STDOUT_FILENO);
    std::vector<char*> words;
    for (const auto& w : command)
      words.push_back(const_cast<char*>(w.c_str()));
    words.push_back(nullptr);
    execv(words[0], words.data());
    _exit(127);
  }
  close(down[0]);
  close(up[1]);
  in_ = down[1];
  out_ = up[0];
  if (pid_ < 0)
    throw std::runtime_error("cannot start " + command.at(0));
  io_.add_level(out_, *this);
}

child::~child() {
  close(in_);
  io_.remove(out_);
  close(out_);
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void child::ready(std::uint32_t) {
  char buffer[4096];
  const auto n = read(out_, buffer, sizeof buffer);
  if (n <= 0) {
    over_ = true;
    io_.remove(out_);
    return;
  }
  text_.append(buffer, static_cast<std::size_t>(n));
  for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
    auto line = text_.substr(0, end);
    text_.erase(0, end + 1);
    if (on_line)
      on_line(line);
    else
      lines_.push_back(std::move(line));
  }
}

std::string child::wait_line(clock::duration patience) {
  io_.run_until([this] { return over_ || !lines_.empty(); }, patience);
  if (lines_.empty())
    return {};
  auto out = lines_.front();
  lines_.erase(lines_.begin());
  return out;
}

std::string child::ask(const std::string& order, clock::duration patience) {
  const auto line = order + "\n";
  if (write(in_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return {};
  return wait_line(patience);
}

} // namespace outband::bench
