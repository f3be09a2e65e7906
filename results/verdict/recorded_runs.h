// The recorded runs and sweeps: adds one, and writes the part of results/README.md that shows them.
//
//   OP3D_ASSIGN_OR_RETURN(Kept kept, KeepRun("results/runs/hmdb51-7", "results/recorded", ""));
//   OP3D_RETURN_IF_ERROR(UpdateReadme("results"));
#ifndef OP3D_RESULTS_VERDICT_RECORDED_RUNS_H_
#define OP3D_RESULTS_VERDICT_RECORDED_RUNS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "results/record/named_records.h"
#include "results/table/sweep_table.h"

namespace op3d::results {

// The size limit of a recorded run's record, in bytes.
inline constexpr int64_t kMostKeptBytes = 100000;

// "hmdb51_miniature_seed1", "ucf101_split2_seed3".
std::string KeptName(const BenchmarkSettings& settings);

struct Kept {
  // The folder, and the size of the record in it.
  std::string path;
  int64_t bytes = 0;
};

// Writes CompactRecord() of a run's record (a folder or file) to a new folder in `folder`,
// with the lists of videos that the record names.  `name` "" = KeptName().  An existing run with
// this name and the same set, seed and test list is replaced; AlreadyExists for another
// one.  InvalidArgument if the record is not valid, was edited by hand (record_check.h), or none
// of its recipes has been tested.
absl::StatusOr<Kept> KeepRun(const std::string& run, const std::string& folder, std::string name);

// Writes the finished runs of a sweep (the folder that holds sweep.textproto) as KeepRun() does, to
// VARIANT/SEED and so on in `folder`/`name`, and the sweep's file.  Runs kept earlier stay or are
// replaced.  `bytes`: of the largest record.  NotFound if there is no finished run; the errors of
// KeepRun().
absl::StatusOr<Kept> KeepSweep(const std::string& sweep, const std::string& folder,
                               const std::string& name);

// What the repository shows.
struct RecordedRuns {
  std::vector<NamedRecord> runs;
  // With the names of their folders.
  std::vector<std::pair<std::string, SweepRuns>> sweeps;
};

// Reads `results`/recorded and `results`/sweeps.  InvalidArgument, naming it, for a record that cannot
// be read or was edited.
absl::StatusOr<RecordedRuns> ReadRecordedRuns(const std::string& results);

// The part of the README, including its markers: one line per run with the top-1 of each row, one
// table per scale, the verdict (verdict.h) if there is one, and one table per sweep.
std::string RecordedSection(const RecordedRuns& recorded);

// `text` with that part replaced.  FailedPrecondition if it lacks the two marker lines.
absl::StatusOr<std::string> ReplaceRecordedSection(absl::string_view text,
                                                   const RecordedRuns& recorded);

// Writes `results`/README.md again if the records change it.
absl::Status UpdateReadme(const std::string& results);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_VERDICT_RECORDED_RUNS_H_
