// Is a record what its run wrote?  It is held against its own facts, and against the files beside
// it, before anybody shows it.
//
//   OP3D_ASSIGN_OR_RETURN(CheckedRecord read, ReadCheckedRecord("results/runs/ucf101-split1"));
//   if (read.check.Edited()) std::puts(DescribeEdit("ucf101-split1", read.check).c_str());
//
// What this shows, and what not.  The checksum in a record (RunRecord.content_sha256) shows every
// change of a field after the run: a figure, a seed, a split.  Records from before the checksum are
// held against their own facts alone, which shows a figure that the others contradict, but no other
// seed.  Both show accidents and edits; neither is a signature: whoever changes every fact that
// hangs together and computes the checksum again passes.  Whether a run took place at all is shown
// by doing it again (//benchmarks:reproduce).
//
// All functions are thread-safe.
#ifndef OP3D_RESULTS_RECORD_RECORD_CHECK_H_
#define OP3D_RESULTS_RECORD_RECORD_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

struct RecordCheck {
  // Why the record is not what its run wrote, a sentence each without a full stop.  Empty = nothing
  // was found.
  std::vector<std::string> faults;
  // Of a full-scale record: why its figures are not of the official dataset, and must not be held
  // against published ones though nobody has edited anything.  "" = they may be.
  std::string not_official;

  bool Edited() const { return !faults.empty(); }
};

struct CheckedRecord {
  RunRecord record;
  RecordCheck check;
};

// Which files beside the record it is held against.
enum class CheckBeside {
  // The run's settings, lists of videos and scores; reads the scores file whole.
  kAll,
  kSettings,
};

// Reads as ReadRecord() and checks: the record's checksum, Contradictions(), NotOfficial(); of a
// run's folder also the settings that the run started with, and by their checksums the lists of
// videos and the scores, where they are there.  The errors of ReadRecord(); a record that was
// edited is not an error.
absl::StatusOr<CheckedRecord> ReadCheckedRecord(const std::string& path,
                                                CheckBeside beside = CheckBeside::kAll);

// Facts of a valid record that cannot hold together: a share that is not a number of videos over
// videos, another top-1 than the classes and right videos give, a test of another number of videos
// than the list has, other epochs or frames than a row's plan takes, lists that do not add up, a
// miniature that says it is full scale.  What the record does not state is not checked.
std::vector<std::string> Contradictions(const RunRecord& record);

// RecordCheck.not_official: held against the shipped facts of the dataset (data/datasets): list,
// number of classes and of listed videos, share of them that was there, network.
std::string NotOfficial(const RunRecord& record);

// "run-7 was edited by hand or damaged and gets no verdict: <first fault> (and 2 more)."
std::string DescribeEdit(absl::string_view name, const RecordCheck& check);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_RECORD_CHECK_H_
