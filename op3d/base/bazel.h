// Where a program started by Bazel finds its own files and the user's: only this file reads Bazel's
// environment variables.
#ifndef OP3D_BASE_BAZEL_H_
#define OP3D_BASE_BAZEL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// A path as the user meant it: relative paths start at the folder from which the user called, which
// under `bazel run` is not the current one.  Slashes at the end are left out ("runs/a/").  Other
// absolute paths, and empty ones, are not changed.
std::string UserPath(absl::string_view path);

// The root of the workspace under `bazel run`; the current folder otherwise.
std::string WorkspaceFolder();

// A file or folder of the program's `data`, by its path in the workspace
// ("data/datasets/kinetics400.textproto").  NotFound if the program was started outside its
// runfiles tree.
absl::StatusOr<std::string> RunfilePath(absl::string_view path);

// For tests: a new, empty folder; removed with the test's own.
std::string TestFolder(absl::string_view name);

}  // namespace op3d

#endif  // OP3D_BASE_BAZEL_H_
