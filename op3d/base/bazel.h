// Where a program started by Bazel finds its own files and its user's: the only reader of Bazel's
// environment variables.
#ifndef OP3D_BASE_BAZEL_H_
#define OP3D_BASE_BAZEL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// A path as the user meant it: relative ones count from the folder the user called from, which
// under `bazel run` is not the current one.  Absolute and empty paths stay.
std::string UserPath(absl::string_view path);

// The root of the workspace under `bazel run`; the current folder otherwise.
std::string WorkspaceFolder();

// A file or folder of the program's `data`, by its path in the workspace
// ("data/datasets/kinetics400.textproto").  NotFound when the program was started outside its
// runfiles tree.
absl::StatusOr<std::string> RunfilePath(absl::string_view path);

// For tests: a fresh, empty folder; removed with the test's own.
std::string TestFolder(absl::string_view name);

}  // namespace op3d

#endif  // OP3D_BASE_BAZEL_H_
