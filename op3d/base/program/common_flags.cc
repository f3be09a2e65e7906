#include "op3d/base/program/common_flags.h"

#include <algorithm>
#include <thread>  // NOLINT: the number of cores

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"

namespace op3d {

absl::StatusOr<int> ThreadsOf(int threads, int processes) {
  OP3D_RETURN_IF_ERROR(RequireIn("--threads", threads, 0, 1024));
  if (threads > 0) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / processes);
}

absl::StatusOr<std::optional<int>> SplitOf(const std::string& split) {
  if (split.empty()) return std::nullopt;
  int number = 0;
  if (absl::SimpleAtoi(split, &number)) return number;
  return absl::InvalidArgumentError(
      absl::StrCat("--split=", split, " is neither the number of an official split nor 'all'"));
}

std::string DefaultRunFolder(absl::string_view name) {
  const std::string date = absl::FormatTime("%Y-%m-%d", absl::Now(), absl::LocalTimeZone());
  return JoinPath(WorkspaceFolder(), absl::StrCat("results/runs/", name, "-", date));
}

absl::Status SayHowToGoOn(const absl::Status& status, const std::string& folder,
                          const std::string& output_dir) {
  if (status.ok() || ExitCode(status) == 2 || !FileExists(JoinPath(folder, "settings.textproto"))) {
    return status;
  }
  return absl::Status(status.code(), absl::StrCat(status.message(), "\nWhat is done is saved in ",
                                                  folder, "; the same command with --output_dir=",
                                                  output_dir, " resumes the run."));
}

}  // namespace op3d
