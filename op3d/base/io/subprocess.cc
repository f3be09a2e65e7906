#include "op3d/base/io/subprocess.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "op3d/base/file.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d {
namespace {

// The environment of the child, "NAME=value" each.
std::vector<std::string> Environment(const SubprocessOptions& options) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const absl::string_view text = *entry;
    if (options.variables.count(std::string(text.substr(0, text.find('=')))) == 0) {
      entries.emplace_back(text);
    }
  }
  for (const auto& [name, value] : options.variables) {
    if (value.has_value()) entries.push_back(absl::StrCat(name, "=", *value));
  }
  return entries;
}

std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What the child needs between fork and exec, where only system calls are safe.
struct Plan {
  const SubprocessOptions& options;
  char* const* arguments;
  char* const* environment;
  int input;
  int output;
  pid_t parent;
};

[[noreturn]] void BecomeProgram(const Plan& plan) {
  if (plan.options.own_group) ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(127);  // it died before it could be watched
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) ::signal(signal, SIG_DFL);
  const std::string& folder = plan.options.folder;
  if (!folder.empty() && ::chdir(folder.c_str()) != 0) ::_exit(126);
  if (!plan.options.log.empty()) {
    const int log =
        ::open(plan.options.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0 || ::dup2(log, STDOUT_FILENO) < 0 || ::dup2(log, STDERR_FILENO) < 0) ::_exit(126);
  }
  if (plan.options.pipes &&
      (::dup2(plan.input, STDIN_FILENO) < 0 || ::dup2(plan.output, STDOUT_FILENO) < 0)) {
    ::_exit(127);
  }
  if (plan.options.largest_file.has_value()) {
    const rlim_t bytes = static_cast<rlim_t>(*plan.options.largest_file);
    const rlimit limit = {bytes, bytes};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ::execve(plan.arguments[0], plan.arguments, plan.environment);
  ::_exit(127);
}

void Close(int* descriptor) {
  if (*descriptor >= 0) ::close(*descriptor);
  *descriptor = -1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Subprocess>> Subprocess::Start(const SubprocessOptions& options) {
  if (options.command.empty()) return absl::InvalidArgumentError("the command is empty");
  std::vector<std::string> words = options.command, variables = Environment(options);
  const std::vector<char*> arguments = Pointers(&words), environment = Pointers(&variables);
  std::unique_ptr<Subprocess> child(new Subprocess(options));
  int to_child[2] = {-1, -1}, from_child[2] = {-1, -1};
  // A child that has ended is an error to be returned.
  if (options.pipes) IgnoreBrokenPipes();
  const bool ready =
      !options.pipes || (::pipe2(to_child, O_CLOEXEC) == 0 && ::pipe2(from_child, O_CLOEXEC) == 0);
  const pid_t parent = ::getpid();
  if (ready) child->pid_ = ::fork();
  if (child->pid_ == 0) {
    BecomeProgram(
        {options, arguments.data(), environment.data(), to_child[0], from_child[1], parent});
  }
  const int error = errno;
  Close(&to_child[0]);
  Close(&from_child[1]);
  child->input_ = to_child[1];
  child->output_ = from_child[0];
  if (child->pid_ < 0) {
    child->ended_ = true;
    return ErrnoStatus(error, "cannot start", options.command.back());
  }
  if (options.own_group) ::setpgid(child->pid_, child->pid_);  // also here: whichever comes first
  return child;
}

Subprocess::~Subprocess() {
  CloseInput();
  // Also the processes that it started and did not end.
  if (pid_ > 0 && (own_group_ || !Ended())) Signal(SIGKILL);
  if (pid_ > 0) Wait();
  Close(&output_);
}

void Subprocess::CloseInput() { Close(&input_); }

void Subprocess::Signal(int signal) {
  // The number of a process that was waited for may be another's by now; a group's lasts while one
  // of its members runs.
  if (own_group_ || !ended_) ::kill(own_group_ ? -pid_ : pid_, signal);
}

bool Subprocess::Ended() {
  if (ended_) return true;
  const pid_t done = ::waitpid(pid_, &status_, WNOHANG);
  ended_ = done == pid_ || (done < 0 && errno == ECHILD);
  return ended_;
}

bool Subprocess::WaitFor(absl::Duration patience) {
  for (const absl::Time until = absl::Now() + patience; !Ended();) {
    if (absl::Now() >= until) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

int Subprocess::Wait() {
  while (!ended_) {
    const pid_t done = ::waitpid(pid_, &status_, 0);
    ended_ = done == pid_ || (done < 0 && errno == ECHILD);
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
}

}  // namespace op3d
