#include "planner/runner/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::planner {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(2);
constexpr absl::Duration kPollInterval = absl::Milliseconds(100);
constexpr size_t kLongestLine = 1 << 20;

// A child that has ended should give an error, not a signal that ends this process.
void IgnoreSigpipe() {
  static const bool done = [] {
    struct sigaction now = {};
    if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
      ::signal(SIGPIPE, SIG_IGN);
    }
    return true;
  }();
  static_cast<void>(done);
}

// Runs in the child between fork and exec, so only async-signal-safe calls are allowed.
[[noreturn]] void BecomeCommand(const char* command, const char* folder, int input, int output,
                                pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the parent died before the watch began
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  if (::chdir(folder) != 0) ::_exit(126);
  if (::dup2(input, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0) ::_exit(127);
  ::execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
  ::_exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(const std::string& command,
                                                                  const std::string& folder) {
  IgnoreSigpipe();
  std::array<int, 2> to_child = {-1, -1}, from_child = {-1, -1};
  if (::pipe2(to_child.data(), O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot start", command);
  if (::pipe2(from_child.data(), O_CLOEXEC) != 0) {
    const absl::Status status = ErrnoStatus(errno, "cannot start", command);
    for (int end : to_child) ::close(end);
    return status;
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) BecomeCommand(command.c_str(), folder.c_str(), to_child[0], from_child[1], parent);
  const absl::Status status =
      pid < 0 ? ErrnoStatus(errno, "cannot start", command) : absl::OkStatus();
  ::close(to_child[0]);
  ::close(from_child[1]);
  if (!status.ok()) {
    ::close(to_child[1]);
    ::close(from_child[0]);
    return status;
  }
  ::setpgid(pid, pid);  // also in the parent: either may come first
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, to_child[1], from_child[0]));
}

ChildProcess::~ChildProcess() {
  ::close(input_);
  // After an interrupt, do not wait.
  if (!WaitFor(CheckInterrupt().ok() ? kPatience : absl::ZeroDuration())) {
    ::kill(-pid_, SIGTERM);
    WaitFor(kPatience);
  }
  // Also ends the processes that it started and did not end.
  ::kill(-pid_, SIGKILL);
  if (!ended_) ::waitpid(pid_, &wait_status_, 0);
  ::close(output_);
}

bool ChildProcess::WaitFor(absl::Duration patience) {
  const absl::Time until = absl::Now() + patience;
  while (!ended_) {
    const pid_t done = ::waitpid(pid_, &wait_status_, WNOHANG);
    if (done == pid_ || (done < 0 && errno == ECHILD)) {
      ended_ = true;
    } else if (absl::Now() >= until) {
      return false;
    } else {
      absl::SleepFor(absl::Milliseconds(2));
    }
  }
  return true;
}

absl::Status ChildProcess::Ended() {
  if (!WaitFor(kPatience)) return absl::UnavailableError("the child closed its output");
  if (WIFSIGNALED(wait_status_)) {
    return absl::UnavailableError(
        absl::StrCat("the child was ended by signal ", WTERMSIG(wait_status_)));
  }
  // The same request would only end in the same way again.
  constexpr int kWrongUse = 2;
  if (WEXITSTATUS(wait_status_) == kWrongUse) {
    return absl::InvalidArgumentError(
        "the child ended with exit code 2, wrong use or bad input; see its output above");
  }
  return absl::UnavailableError(
      absl::StrCat("the child ended with exit code ", WEXITSTATUS(wait_status_)));
}

absl::Status ChildProcess::WriteLine(absl::string_view line) {
  const std::string text = absl::StrCat(line, "\n");
  size_t written = 0;
  // A line is much shorter than a pipe's buffer, and the child is reading: this does not block.
  while (written < text.size()) {
    const ssize_t count = ::write(input_, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EPIPE ? Ended() : ErrnoStatus(errno, "cannot write to", "child");
    written += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ChildProcess::ReadLine(absl::Duration timeout) {
  const absl::Time until = absl::Now() + timeout;
  for (;;) {
    const size_t end = buffer_.find('\n');
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (buffer_.size() > kLongestLine) {
      return absl::InvalidArgumentError("the child wrote a line of more than 1 MiB");
    }
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    if (absl::Now() >= until) {
      return absl::DeadlineExceededError(
          absl::StrCat("the child gave no answer within ", absl::FormatDuration(timeout)));
    }
    pollfd ready = {output_, POLLIN, 0};
    const absl::Duration wait = std::min(kPollInterval, until - absl::Now());
    if (::poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1) <= 0) continue;
    std::array<char, 4096> chunk;
    const ssize_t count = ::read(output_, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Ended();
    buffer_.append(chunk.data(), static_cast<size_t>(count));
  }
}

}  // namespace op3d::planner
