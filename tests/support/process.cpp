#include "tests/support/process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace outband::test {

namespace {

[[noreturn]] void fail_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct identity {
  uid_t uid = 0;
  gid_t gid = 0;
};

std::optional<identity> look_up(const std::string& user) {
  if (user.empty() || ::geteuid() != 0)
    return std::nullopt;
  auto* entry = ::getpwnam(user.c_str());
  if (!entry)
    throw std::runtime_error("no such user: " + user);
  return identity{entry->pw_uid, entry->pw_gid};
}

std::vector<std::string>
merged_environment(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> out;
  for (const auto& [name, value] : added)
    out.push_back(name + "=" + value);
  for (char** e = environ; *e; ++e) {
    std::string entry(*e);
    auto name = entry.substr(0, entry.find('='));
    bool replaced = false;
    for (const auto& a : added)
      replaced = replaced || a.first == name;
    if (!replaced)
      out.push_back(std::move(entry));
  }
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (auto& s : strings)
    out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

} // namespace

process::process(std::vector<std::string> argv, process_options options) {
  if (argv.empty() || argv.front().empty())
    throw std::runtime_error("no program to start");
  auto as = look_up(options.user);
  // All memory is taken before fork: the child of a threaded process may only make system calls.
  auto environment = merged_environment(options.environment);
  auto env = pointers(environment);
  auto args = pointers(argv);
  int pipe_fds[2];
  if (::pipe2(pipe_fds, O_CLOEXEC) != 0)
    fail_errno("pipe2");
  auto parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0)
    fail_errno("fork");
  if (pid_ == 0) {
    ::dup2(pipe_fds[1], STDOUT_FILENO);
    ::dup2(pipe_fds[1], STDERR_FILENO);
    int none = ::open("/dev/null", O_RDONLY);
    ::dup2(none, STDIN_FILENO);
    if (as && (::setgroups(0, nullptr) != 0 || ::setgid(as->gid) != 0 || ::setuid(as->uid) != 0))
      ::_exit(126);
    if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0)
      ::_exit(126);
    // After setuid, which clears it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
      ::_exit(126);
    ::execvpe(args[0], args.data(), env.data());
    ::_exit(127);
  }
  ::close(pipe_fds[1]);
  reader_ = std::thread([this, fd = pipe_fds[0]] { read_all(fd); });
  waiter_ = std::thread([this] { reap(); });
}

process::~process() {
  if (!wait(std::chrono::milliseconds(0))) {
    signal(SIGKILL);
    wait(patience);
  }
  waiter_.join();
  reader_.join();
}

void process::read_all(int fd) {
  char buffer[4096];
  for (;;) {
    auto n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    std::lock_guard<std::mutex> lock(mutex_);
    if (n <= 0) {
      output_ended_ = true;
      changed_.notify_all();
      break;
    }
    output_.append(buffer, static_cast<std::size_t>(n));
    changed_.notify_all();
  }
  ::close(fd);
}

bool process::running() {
  return !wait(std::chrono::milliseconds(0));
}

void process::signal(int number) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!status_)
    ::kill(pid_, number);
}

/// The process id stays ours until the status is known, so signal() never hits another process.
void process::reap() {
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  std::lock_guard<std::mutex> lock(mutex_);
  int raw = 0;
  ::waitpid(pid_, &raw, 0);
  status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  changed_.notify_all();
}

std::optional<int> process::wait(std::chrono::milliseconds deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, deadline, [this] { return status_.has_value(); });
  return status_;
}

int process::stop() {
  signal(SIGTERM);
  if (auto status = wait(patience))
    return *status;
  signal(SIGKILL);
  return wait(patience).value_or(-1);
}

std::string process::output() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return output_;
}

bool process::wait_output(const std::string& text, std::chrono::milliseconds deadline,
                          std::size_t from) const {
  std::unique_lock<std::mutex> lock(mutex_);
  auto there = [&] {
    return output_.find(text, from) != std::string::npos;
  };
  changed_.wait_for(lock, deadline, [&] { return there() || output_ended_; });
  return there();
}

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path ? path : "") + ":/usr/sbin:/usr/bin:/sbin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    auto candidate = folder + "/" + name;
    if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return {};
}

} // namespace outband::test
