#include "op3d/base/program/commit.h"

#include <vector>

#include "absl/strings/str_split.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"

namespace op3d {

namespace {

// Commit, and "modified" or nothing.
std::vector<std::string> CommitLines() {
  const absl::StatusOr<std::string> path = RunfilePath("tools/commit.txt");
  if (!path.ok()) return {};
  return absl::StrSplit(ReadFile(*path).value_or(""), absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

}  // namespace

std::string BuildCommit() {
  const std::vector<std::string> lines = CommitLines();
  return lines.empty() ? "unknown" : lines[0];
}

bool BuildIsModified() {
  const std::vector<std::string> lines = CommitLines();
  return lines.size() > 1 && lines[1] == "modified";
}

}  // namespace op3d
