#include "results/record/named_records.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "results/record/format.h"
#include "results/record/record.h"

namespace op3d::results {
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
    OP3D_ASSIGN_OR_RETURN(const std::string path, FindRun(word));
    OP3D_ASSIGN_OR_RETURN(CheckedRecord read, ReadCheckedRecord(path));
    records.push_back({RunName(path), std::move(read.record), std::move(read.check)});
  }
  return records;
}

absl::StatusOr<std::string> FindRun(const std::string& word) {
  const std::string path = UserPath(word);
  if (FolderExists(path) || FileExists(path)) return path;
  const absl::StatusOr<std::string> recorded = RecordedFolder();
  const bool bare = word.find('/') == std::string::npos && !word.empty();
  if (!recorded.ok() || !bare) {
    return absl::NotFoundError(
        absl::StrCat("there is no run ", path, "; give a run's folder or its record.textproto"));
  }
  const std::string there = JoinPath(*recorded, word);
  if (FolderExists(there)) return there;
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(*recorded));
  return absl::NotFoundError(absl::StrCat(
      "there is no run ", path, "; give a run's folder, its record.textproto, or a recorded run: ",
      absl::StrJoin(names, ", ")));
}

std::string DescribeOtherSet(const NamedRecord& a, const NamedRecord& b) {
  const BenchmarkSettings &one = a.record.settings(), &other = b.record.settings();
  const auto sentence = [&](const std::string& first, const std::string& second) {
    return absl::StrCat(a.name, " is a run ", first, " and ", b.name, " one ", second,
                        ": their figures say nothing about each other");
  };
  if (one.scale() != other.scale()) {
    const auto at = [](BenchmarkSettings::Scale scale) {
      return absl::StrCat(scale == BenchmarkSettings::OWN ? "on " : "at ", ScaleText(scale));
    };
    return sentence(at(one.scale()), at(other.scale()));
  }
  if (one.benchmark() == other.benchmark()) return "";
  return sentence(absl::StrCat("on ", BenchmarkTitle(one.benchmark(), one.scale())),
                  absl::StrCat("on ", BenchmarkTitle(other.benchmark(), other.scale())));
}

std::vector<std::string> DescribeEdits(absl::Span<const NamedRecord> records) {
  std::vector<std::string> sentences;
  for (const NamedRecord& named : records) {
    if (named.check.Edited()) sentences.push_back(DescribeEdit(named.name, named.check));
  }
  return sentences;
}

absl::Status RefuseEdited(absl::Span<const NamedRecord> records) {
  const std::vector<std::string> sentences = DescribeEdits(records);
  if (sentences.empty()) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat(absl::StrJoin(sentences, "\n"), "\nUndo the change, or run it again."));
}

absl::StatusOr<RecordFolder> ReadRecordFolder(const std::string& folder) {
  RecordFolder found;
  if (!FolderExists(folder)) return found;
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
  for (const std::string& name : names) {
    const std::string run = JoinPath(folder, name);
    if (!FolderExists(run)) continue;
    absl::StatusOr<CheckedRecord> read = ReadCheckedRecord(run);
    if (read.ok()) {
      found.records.push_back({name, std::move(read->record), std::move(read->check)});
    } else if (absl::IsNotFound(read.status())) {
      found.problems.push_back(absl::StrCat(run, " has no record yet"));
    } else {
      found.problems.push_back(absl::StrCat("left out: ", read.status().message()));
    }
  }
  return found;
}

absl::StatusOr<std::string> RecordedFolder() {
  const std::string folder = JoinPath(WorkspaceFolder(), "results/recorded");
  return FolderExists(folder) ? folder : RunfilePath("results/recorded");
}

}  // namespace op3d::results
