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

// The version this code writes, and the newest it reads.
inline constexpr int kRecordSchemaVersion = 1;

// Where the record lies: `path`/record.textproto when `path` is a folder, else `path` itself.
std::string RecordPath(const std::string& path);

// Reads a run's folder or a record file and checks it.  NotFound when there is none,
// InvalidArgument when it is no valid record, FailedPrecondition when a newer op3d wrote it; the
// message names the file.  A record whose right videos contradict its test is read, for
// record_check.h to show.
absl::StatusOr<RunRecord> ReadRecord(const std::string& path);

// What the checksum in a record (RunRecord.content_sha256) says of its content.
enum class Seal {
  // A record from before there was one.
  kNone,
  kFits,
  // The record was changed after it was written.
  kBroken,
};

struct StoredRecord {
  // Without the checksum, which is of the file.
  RunRecord record;
  Seal seal = Seal::kNone;
};

// As ReadRecord(), with what the checksum says.
absl::StatusOr<StoredRecord> ReadStoredRecord(const std::string& path);

// Writes it, all or nothing, to `path` (a folder that exists, or a file's name); a compact one with
// small messages and lists on one line each.  The schema version and the checksum of the content
// are filled in, so it must not be given a record that was changed by hand (record_check.h).
// InvalidArgument, with nothing written, when the record is not valid.
absl::Status WriteRecord(const std::string& path, RunRecord record);

// What every record must be: a benchmark and a scale; shares in [0, 1] and counts that fit each
// other; recipes of different names, each with a role of its own where roles are set; curves that
// go epoch by epoch from 0 between states of their graph.  A run that has not come to its tests yet
// is valid.  InvalidArgument names the place.
absl::Status ValidateRecord(const RunRecord& record);

// The record without what differs between equal runs: environment, time split, seconds.
RunRecord CanonicalRecord(RunRecord record);

// Which videos the run was tested on: CRC-32 of the evaluation list, 0 when the record has none.
uint32_t TestVideos(const RunRecord& record);

// TestResult.right: `ranks` holds for each video how many classes are ahead of its own
// (Metrics.ranks); a video is right at 0.
//
//   PackRight({0, 2, 0});   // "a0"
std::string PackRight(absl::Span<const int64_t> ranks);

// The other way: an entry a video, empty where `right` was not kept or is of another number of
// videos.
std::vector<bool> UnpackRight(const TestResult& test);

// InvalidArgument where `right` is of another number of videos, or names more or fewer than top-1
// says.
absl::Status CheckRight(const TestResult& test);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_RECORD_H_
