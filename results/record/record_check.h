// Checks that a record is unchanged since its run wrote it, before anybody shows it: by its
// checksum, by its own facts, and by the files in its folder.
//
//   OP3D_ASSIGN_OR_RETURN(CheckedRecord read, ReadCheckedRecord("results/runs/ucf101-split1"));
//   if (read.check.Edited()) std::puts(DescribeEdit("ucf101-split1", read.check).c_str());
//
// What this shows, and what not.  The checksum in a record (RunRecord.content_sha256) shows every
// change of a field after the run: a figure, a seed, a split.  Records from before the checksum are
// only checked for contradictions, which shows a figure that others contradict, but not another
// seed.  Both show accidents and edits; neither is a signature: somebody who changes all related
// facts and computes the checksum again passes.  Only repeating a run
// (//benchmarks:reproduce) shows that it took place.
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
  // Reasons why the record has been changed, one sentence each without a full stop.  Empty =
  // nothing was found.
  std::vector<std::string> faults;
  // For a full-scale record: why its figures are not of the official dataset, so that they must not
  // be compared with published ones although nobody has edited anything.  "" = they may be.
  std::string not_official;

  bool Edited() const { return !faults.empty(); }
};

struct CheckedRecord {
  RunRecord record;
  RecordCheck check;
};

// Which other files of the run are used to check the record.
enum class CheckBeside {
  // The run's settings, lists of videos and scores; reads the whole scores file.
  kAll,
  kSettings,
};

// Reads as ReadRecord() does and checks: the record's checksum, Contradictions(), NotOfficial().
// For a run's folder also the settings with which the run started, and by their checksums the lists
// of videos and the scores, if they exist.  The errors of ReadRecord(); an edited record is not an
// error.
absl::StatusOr<CheckedRecord> ReadCheckedRecord(const std::string& path,
                                                CheckBeside beside = CheckBeside::kAll);

// Facts of a valid record that contradict each other: a share that is not a number of videos
// divided by videos, a top-1 that differs from the classes and right videos, a test with another
// number of videos than the list, other epochs or frames than a row's plan needs, lists that do not
// add up, a miniature that claims to be full scale.  Facts that the record does not state are not
// checked.
std::vector<std::string> Contradictions(const RunRecord& record);

// RecordCheck.not_official: compares with the shipped facts of the dataset (data/datasets): list,
// number of classes and of listed videos, share of them that was used, network.
std::string NotOfficial(const RunRecord& record);

// "run-7 was edited by hand or damaged and gets no verdict: <first fault> (and 2 more)."
std::string DescribeEdit(absl::string_view name, const RecordCheck& check);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_RECORD_CHECK_H_
