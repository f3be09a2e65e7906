// The official lists of Kinetics: `label,youtube_id,time_start,time_end,split`.
//
//   OP3D_ASSIGN_OR_RETURN(std::vector<KineticsClip> clips, ParseKineticsCsv(text, "val.csv"));
//   clips[0].Name();                                  // "0wR5jVB-WPk_000417_000427"
//
// The header names the columns, in any order; further columns (`is_cc`) are ignored.
// Test lists have no `label`.
#ifndef OP3D_DATA_ANNOTATION_FORMAT_KINETICS_CSV_H_
#define OP3D_DATA_ANNOTATION_FORMAT_KINETICS_CSV_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

// One row: about ten seconds of a YouTube video.
struct KineticsClip {
  // Empty in a test list, and in a row without an annotation.
  std::string label;
  std::string youtube_id;
  // In the YouTube video, in seconds; 0 <= start < end.
  int64_t start_seconds = 0;
  int64_t end_seconds = 0;
  // "train", "val", "test".
  std::string split;
  // Where the row starts, from 1.
  int64_t line = 0;

  // The file's name without its ending: id_start_end, times with six digits.
  std::string Name() const;
  // The name that some downloaders use: times without leading zeros.
  std::string ShortName() const;
};

// In the order of the list.  InvalidArgument, "`source`:line: ..." with the text found: a column
// missing from the header (a list of another dataset is recognised and named), a row with too few
// fields, an impossible id or time, a clip listed twice, no row at all.
absl::StatusOr<std::vector<KineticsClip>> ParseKineticsCsv(absl::string_view text,
                                                           absl::string_view source);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_FORMAT_KINETICS_CSV_H_
