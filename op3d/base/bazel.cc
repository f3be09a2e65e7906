#include "op3d/base/bazel.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"

namespace op3d {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string UserPath(absl::string_view path) {
  // A folder's name as a shell completes it: "runs/a/".
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path.empty()) return "";
  const std::string folder = Environment("BUILD_WORKING_DIRECTORY");
  return folder.empty() ? std::string(path) : JoinPath(folder, path);
}

std::string WorkspaceFolder() {
  const std::string folder = Environment("BUILD_WORKSPACE_DIRECTORY");
  return folder.empty() ? std::filesystem::current_path().string() : folder;
}

absl::StatusOr<std::string> RunfilePath(absl::string_view path) {
  // `bazel run` and `bazel test` start programs in <binary>.runfiles/op3d; a program started by
  // hand finds the same folder next to itself.  A test's own tree is preferred to the one next to a
  // program that the test starts: that one may be from an older build, because Bazel only updates
  // it when the program itself is requested.
  std::error_code error;
  const std::string test_tree = Environment("TEST_SRCDIR");
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", error).string();
  std::vector<std::string> folders = {std::filesystem::current_path().string()};
  if (!test_tree.empty()) folders.push_back(JoinPath(test_tree, "op3d"));
  folders.push_back(absl::StrCat(self, ".runfiles/op3d"));
  for (const std::string& folder : folders) {
    const std::string candidate = JoinPath(folder, path);
    if (std::filesystem::exists(candidate, error)) return candidate;
  }
  return absl::NotFoundError(absl::StrCat("the program's own file ", path,
                                          " is not next to it; start it with ./bazelw run"));
}

std::string TestFolder(absl::string_view name) {
  const std::string root = Environment("TEST_TMPDIR");
  const std::string folder =
      JoinPath(root.empty() ? std::filesystem::temp_directory_path().string() : root, name);
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  std::filesystem::create_directories(folder, error);
  return folder;
}

}  // namespace op3d
