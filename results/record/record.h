// The record of one run, on disk as record.textproto in the run's folder.
//
//   OP3D_ASSIGN_OR_RETURN(RunRecord record, ReadRecord("results/runs/kinetics400-2024-05-01"));
//   OP3D_RETURN_IF_ERROR(WriteRecord(folder, record));
#ifndef OP3D_RESULTS_RECORD_RECORD_H_
#define OP3D_RESULTS_RECORD_RECORD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

// The version that this code writes, and the newest that it reads.
inline constexpr int kRecordSchemaVersion = 1;

// The record's path: `path`/record.textproto if `path` is a folder, otherwise `path` itself.
std::string RecordPath(const std::string& path);

// Reads a run's folder or a record file and validates it.  NotFound if there is none,
// InvalidArgument if it is not a valid record (also when the file was cut off, or has fields that
// this program does not know), FailedPrecondition if a newer op3d wrote it; the message names the
// file.  A record whose right videos contradict its test can be read, so
// that record_check.h can show it.
absl::StatusOr<RunRecord> ReadRecord(const std::string& path);

// Whether the checksum in a record (RunRecord.content_sha256) fits its content.
enum class Seal {
  // A record from before there was one.
  kNone,
  kFits,
  // The record was changed after it was written.
  kBroken,
};

struct StoredRecord {
  // Without the checksum, which belongs to the file.
  RunRecord record;
  Seal seal = Seal::kNone;
};

// As ReadRecord(), with the state of the checksum.
absl::StatusOr<StoredRecord> ReadStoredRecord(const std::string& path);

// Writes it atomically to `path` (an existing folder, or a file's name); a compact record with
// small messages and lists on one line each.  Sets the schema version and the checksum of the
// content, so never call it with a record that was edited by hand (record_check.h).
// InvalidArgument, with nothing written, if the record is not valid.
absl::Status WriteRecord(const std::string& path, RunRecord record);

// Requirements for every record: a benchmark and a scale; shares in [0, 1] and counts that fit each
// other; recipes with different names, each with a different role if roles are set; curves that
// continue epoch by epoch from 0, between states of their graph.  A run that has not reached its
// tests yet is valid.  InvalidArgument names the place.
absl::Status ValidateRecord(const RunRecord& record);

// The record without the fields that differ between equal runs: environment, time split, seconds.
RunRecord CanonicalRecord(RunRecord record);

// What decides a run, as text: its settings without seed, official split and derived reasons.  Runs
// with the same text are repeats of one another.
std::string DecisiveSettings(const RunRecord& record);

// SHA-256 of the record as it was read: the same for each reading of one file, another one after any
// change.
std::string RecordSha256(const RunRecord& record);

// Identifies the videos of the test: CRC-32 of the evaluation list, 0 if the record has none.
uint32_t TestVideos(const RunRecord& record);

// TestResult.right: `ranks` holds for each video the number of classes ahead of its own
// (Metrics.ranks); a video is right at 0.
//
//   PackRight({0, 2, 0});   // "a0"
std::string PackRight(absl::Span<const int64_t> ranks);

// The reverse: one entry per video, empty if `right` was not stored or is for another number of
// videos.
std::vector<bool> UnpackRight(const TestResult& test);

// InvalidArgument if `right` is for another number of videos, or if its number of right videos
// contradicts top-1.
absl::Status CheckRight(const TestResult& test);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_RECORD_H_
