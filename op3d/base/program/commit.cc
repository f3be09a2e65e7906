#include "op3d/base/program/commit.h"

#include "absl/strings/ascii.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"

namespace op3d {

std::string BuildCommit() {
  const absl::StatusOr<std::string> path = RunfilePath("tools/commit.txt");
  if (!path.ok()) return "unknown";
  const std::string text = ReadFile(*path).value_or("");
  const absl::string_view commit = absl::StripAsciiWhitespace(text);
  return commit.empty() ? "unknown" : std::string(commit);
}

}  // namespace op3d
