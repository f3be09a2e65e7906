// Records by the name of their run, from words on a command line or from a folder of runs.
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

// A record and what to call it, usually its folder's name, and whether it is what its run wrote.
struct NamedRecord {
  std::string name;
  RunRecord record;
  RecordCheck check = {};
};

struct RecordFolder {
  // By name.
  std::vector<NamedRecord> records;
  // "NAME has no record yet", "left out: <why NAME's cannot be read>".
  std::vector<std::string> problems;
};

// Run folders or record files as the user named them (UserPath()); a bare name that is neither is
// looked for among the recorded runs (RecordedFolder()).  Each is checked (ReadCheckedRecord()).
// The first that cannot be read is the error, as of ReadRecord(); NotFound names the recorded runs.
absl::StatusOr<std::vector<NamedRecord>> ReadNamedRecords(absl::Span<const std::string> words);

// Where such a word's record lies: a folder or a file.
absl::StatusOr<std::string> FindRun(const std::string& word);

// A sentence for each record that was edited.
std::vector<std::string> DescribeEdits(absl::Span<const NamedRecord> records);

// Aborted (exit code 1) when any of them was: what a program ends with that has shown the others.
absl::Status RefuseEdited(absl::Span<const NamedRecord> records);

// Every run in `folder`; none when there is no such folder.
absl::StatusOr<RecordFolder> ReadRecordFolder(const std::string& folder);

// Where the runs that are kept with the sources lie: in the workspace, and where a program was not
// started in one, among its own files.  NotFound when there is neither.
absl::StatusOr<std::string> RecordedFolder();

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_NAMED_RECORDS_H_
