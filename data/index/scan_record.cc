#include "data/index/scan_record.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "data/index/index.pb.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

void EncodeNumbers(const std::vector<int64_t>& numbers, NumberSequence* sequence) {
  if (numbers.empty()) return;
  sequence->set_first(numbers[0]);
  for (size_t i = 1; i < numbers.size(); ++i) {
    const int64_t step = numbers[i] - numbers[i - 1];
    const int last = sequence->steps_size() - 1;
    if (last >= 0 && sequence->steps(last) == step) {
      sequence->set_runs(last, sequence->runs(last) + 1);
    } else {
      sequence->add_steps(step);
      sequence->add_runs(1);
    }
  }
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the kept scan is damaged: ", what));
}

// `count` strictly increasing numbers; if `count` is -1, any number of them up to `limit`.
absl::StatusOr<std::vector<int64_t>> DecodeNumbers(const NumberSequence& sequence, int64_t count,
                                                   int64_t limit) {
  if (sequence.steps_size() != sequence.runs_size()) return Damaged("steps without runs");
  std::vector<int64_t> numbers = {sequence.first()};
  for (int i = 0; i < sequence.steps_size(); ++i) {
    const int64_t step = sequence.steps(i);
    const int64_t run = sequence.runs(i);
    if (step <= 0 || run <= 0) return Damaged("it does not increase");
    if (run > limit - static_cast<int64_t>(numbers.size())) return Damaged("too many numbers");
    for (int64_t k = 0; k < run; ++k) {
      int64_t next = 0;
      if (__builtin_add_overflow(numbers.back(), step, &next)) return Damaged("a time overflows");
      numbers.push_back(next);
    }
  }
  if (count >= 0 && static_cast<int64_t>(numbers.size()) != count) {
    return Damaged(absl::StrCat(numbers.size(), " times of ", count, " frames"));
  }
  return numbers;
}

absl::Status CheckInfo(const ScanRecord& record, int64_t max_frames) {
  if (record.frames() < 1 || record.width() < 1 || record.height() < 1) {
    return Damaged("a video without frames");
  }
  if (record.rotation() % 90 != 0 || record.rotation() < 0 || record.rotation() > 270) {
    return Damaged(absl::StrCat("a turn of ", record.rotation(), " degrees"));
  }
  if (record.reorder_depth() < 0 || record.reorder_depth() > 64) {
    return Damaged(absl::StrCat(record.reorder_depth(), " frames out of order"));
  }
  if (record.frames() > max_frames) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a video of ", record.frames(), " frames, more than loader.max_frames of ", max_frames));
  }
  return absl::OkStatus();
}

absl::Status DecodeIndex(const ScanRecord& record, VideoScan* scan) {
  FrameIndex& index = scan->index;
  OP3D_ASSIGN_OR_RETURN(index.times,
                        DecodeNumbers(record.times(), record.frames(), record.frames()));
  if (record.has_entries()) {
    OP3D_ASSIGN_OR_RETURN(index.entries, DecodeNumbers(record.entries(), -1, record.frames()));
    if (index.entries.front() < 0 || index.entries.back() >= record.frames()) {
      return Damaged("a key frame outside of the video");
    }
  }
  index.time_unit = record.time_unit();
  index.reorder_depth = record.reorder_depth();
  index.doubt = record.doubt();
  index.unpacked = record.unpacked();
  scan->info.pts_seconds = index.Seconds();
  return absl::OkStatus();
}

}  // namespace

std::string EncodeScan(const VideoScan& scan) {
  ScanRecord record;
  record.set_frames(scan.info.frames);
  record.set_width(scan.info.width);
  record.set_height(scan.info.height);
  record.set_rotation(scan.info.rotation);
  record.set_codec(scan.info.codec);
  for (const std::string& warning : scan.info.warnings) record.add_warnings(warning);
  if (!scan.index.times.empty()) EncodeNumbers(scan.index.times, record.mutable_times());
  if (!scan.index.entries.empty()) EncodeNumbers(scan.index.entries, record.mutable_entries());
  record.set_time_unit(scan.index.time_unit);
  record.set_reorder_depth(scan.index.reorder_depth);
  record.set_doubt(scan.index.doubt);
  record.set_unpacked(scan.index.unpacked);
  return record.SerializeAsString();
}

absl::StatusOr<VideoScan> DecodeScan(absl::string_view bytes, int64_t max_frames) {
  ScanRecord record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Damaged("not a record");
  }
  OP3D_RETURN_IF_ERROR(CheckInfo(record, max_frames));
  VideoScan scan;
  scan.info.frames = record.frames();
  scan.info.width = record.width();
  scan.info.height = record.height();
  scan.info.rotation = record.rotation();
  scan.info.codec = record.codec();
  scan.info.warnings.assign(record.warnings().begin(), record.warnings().end());
  if (record.has_times()) OP3D_RETURN_IF_ERROR(DecodeIndex(record, &scan));
  return scan;
}

}  // namespace op3d::data
