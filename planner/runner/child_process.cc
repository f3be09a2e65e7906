#include "planner/runner/child_process.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "absl/strings/match.h"
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

}  // namespace

std::string LaunchCommand(const std::string& launcher, const std::string& command) {
  const std::string line = absl::StrCat(launcher, launcher.empty() ? "" : " ", command);
  const bool plain = line.find_first_of(";&|()<>{}\n") == std::string::npos;
  // `env` because it may begin with assignments.
  return plain && !absl::StartsWith(line, "exec ") ? absl::StrCat("exec env ", line) : line;
}

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(const std::string& command,
                                                                  const std::string& folder) {
  SubprocessOptions options;
  options.command = {"/bin/sh", "-c", command};
  options.folder = folder;
  options.pipes = true;
  options.own_group = true;
  OP3D_ASSIGN_OR_RETURN(std::unique_ptr<Subprocess> process, Subprocess::Start(options));
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(process)));
}

ChildProcess::~ChildProcess() {
  process_->CloseInput();
  // After an interrupt, do not wait.
  if (process_->WaitFor(CheckInterrupt().ok() ? kPatience : absl::ZeroDuration())) return;
  process_->Signal(SIGTERM);
  process_->WaitFor(kPatience);
}

bool ChildProcess::WasStopped() {
  if (!process_->Ended()) return false;
  const int code = process_->Wait();
  return code == -SIGTERM || code == 128 + SIGTERM;
}

absl::Status ChildProcess::Ended() {
  if (!process_->WaitFor(kPatience)) return absl::UnavailableError("the child closed its output");
  const int code = process_->Wait();
  if (code < 0) {
    return absl::UnavailableError(absl::StrCat("the child was ended by signal ", -code));
  }
  // The same request would only end in the same way again.
  constexpr int kWrongUse = 2, kCannotRun = 126, kNotFound = 127;
  if (code == kWrongUse) {
    return absl::InvalidArgumentError(
        "the child ended with exit code 2, wrong use or bad input; see its output above");
  }
  if (code == kCannotRun || code == kNotFound) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the child's command cannot be run (exit code ", code,
        "): a program of the launcher or of the command ",
        code == kNotFound ? "was not found" : "may not be executed", "; see its output above"));
  }
  return absl::UnavailableError(absl::StrCat("the child ended with exit code ", code));
}

absl::Status ChildProcess::WriteLine(absl::string_view line) {
  const std::string text = absl::StrCat(line, "\n");
  size_t written = 0;
  // A line is much shorter than a pipe's buffer, and the child is reading: this does not block.
  while (written < text.size()) {
    const ssize_t count = ::write(process_->input(), text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EPIPE ? Ended() : ErrnoStatus(errno, "cannot write to", "child");
    written += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ChildProcess::ReadLine(absl::Duration timeout) {
  return ReadLineUntil(absl::Now() + timeout, timeout);
}

absl::StatusOr<std::string> ChildProcess::ReadLineUntil(absl::Time until, absl::Duration timeout) {
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
    pollfd ready = {process_->output(), POLLIN, 0};
    const absl::Duration wait = std::min(kPollInterval, until - absl::Now());
    if (::poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1) <= 0) continue;
    std::array<char, 4096> chunk;
    const ssize_t count = ::read(process_->output(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Ended();
    buffer_.append(chunk.data(), static_cast<size_t>(count));
  }
}

absl::StatusOr<std::string> ChildProcess::ReadAnswer(absl::Duration timeout) {
  const absl::Time until = absl::Now() + timeout;
  for (;;) {
    OP3D_ASSIGN_OR_RETURN(std::string line, ReadLineUntil(until, timeout));
    if (absl::StartsWith(line, "{")) return line;
    // An empty line ends what a child had printed without a newline.
    if (!line.empty()) std::fprintf(stderr, "%s\n", line.c_str());
  }
}

}  // namespace op3d::planner
