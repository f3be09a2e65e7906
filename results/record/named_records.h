// Reads records by the name of their run, from a command line or from a folder of runs.
//
//   OP3D_ASSIGN_OR_RETURN(RecordFolder found, ReadRecordFolder("results/recorded"));
#ifndef OP3D_RESULTS_RECORD_NAMED_RECORDS_H_
#define OP3D_RESULTS_RECORD_NAMED_RECORDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "results/record/record_check.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

// A record, its name (usually its folder's), and whether it is unchanged.
struct NamedRecord {
  std::string name;
  RunRecord record;
  RecordCheck check = {};
};

// Why the figures of two records say nothing about each other, in one sentence without a full stop:
// they are of different datasets or scales.  "" = they may be compared.
std::string DescribeOtherSet(const NamedRecord& a, const NamedRecord& b);

struct RecordFolder {
  // Sorted by name.
  std::vector<NamedRecord> records;
  // "NAME has no record yet", "left out: <why NAME's cannot be read>".
  std::vector<std::string> problems;
};

// Run folders or record files as the user named them (UserPath()); a name that is neither is
// looked up among the recorded runs (RecordedFolder()).  Each is checked (ReadCheckedRecord()).
// Errors of ReadRecord() for the first that cannot be read; NotFound lists the recorded runs.
absl::StatusOr<std::vector<NamedRecord>> ReadNamedRecords(absl::Span<const std::string> words);

// The path of the record for such a word: a folder or a file.
absl::StatusOr<std::string> FindRun(const std::string& word);

// One sentence for each record that was edited.
std::vector<std::string> DescribeEdits(absl::Span<const NamedRecord> records);

// Aborted (exit code 1) if any of them was edited; for programs that have shown the others.
absl::Status RefuseEdited(absl::Span<const NamedRecord> records);

// Every run in `folder`; empty if there is no such folder.
absl::StatusOr<RecordFolder> ReadRecordFolder(const std::string& folder);

// The folder of the recorded runs: in the workspace, or if the program was not started in one,
// among its own files.  NotFound if there is neither.
absl::StatusOr<std::string> RecordedFolder();

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_NAMED_RECORDS_H_
