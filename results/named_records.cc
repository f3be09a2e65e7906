#include "results/named_records.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "results/record.h"

namespace op3d {
namespace {

// "kinetics400-2026-05-01" of .../kinetics400-2026-05-01/record.textproto.
std::string RunName(const std::string& path) {
  std::filesystem::path name(path);
  if (!name.has_filename()) name = name.parent_path();
  if (name.filename() == "record.textproto" && name.has_parent_path()) name = name.parent_path();
  return name.filename().string();
}

}  // namespace

absl::StatusOr<std::vector<NamedRecord>> ReadNamedRecords(absl::Span<const std::string> words) {
  std::vector<NamedRecord> records;
  for (const std::string& word : words) {
    const std::string path = UserPath(word);
    OP3D_ASSIGN_OR_RETURN(RunRecord record, ReadRecord(path));
    records.push_back({RunName(path), std::move(record)});
  }
  return records;
}

absl::StatusOr<RecordFolder> ReadRecordFolder(const std::string& folder) {
  RecordFolder found;
  if (!FolderExists(folder)) return found;
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
  for (const std::string& name : names) {
    const std::string run = JoinPath(folder, name);
    if (!FolderExists(run)) continue;
    absl::StatusOr<RunRecord> record = ReadRecord(run);
    if (record.ok()) {
      found.records.push_back({name, *std::move(record)});
    } else if (absl::IsNotFound(record.status())) {
      found.problems.push_back(absl::StrCat(run, " has no record yet"));
    } else {
      found.problems.push_back(absl::StrCat("left out: ", record.status().message()));
    }
  }
  return found;
}

absl::StatusOr<std::string> RecordedFolder() {
  const std::string folder = JoinPath(WorkspaceFolder(), "results/recorded");
  return FolderExists(folder) ? folder : RunfilePath("results/recorded");
}

}  // namespace op3d
