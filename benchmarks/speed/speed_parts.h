// What //benchmarks:speed measures: the parts, their programs and the rows of each mode.
//
//   SpeedSelection selection;
//   selection.mode = SpeedMode::kQuick;
//   selection.clip = clip_path;
//   OP3D_ASSIGN_OR_RETURN(SpeedSuite suite, SelectSpeedParts(selection));
#ifndef OP3D_BENCHMARKS_SPEED_SPEED_PARTS_H_
#define OP3D_BENCHMARKS_SPEED_SPEED_PARTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "benchmarks/speed/speed_suite.h"

namespace op3d::benchmarks {

enum class SpeedMode {
  // A moment of the smallest rows: for tests; its figures mean nothing.
  kSmoke,
  // The rows that matter most, in a few minutes.
  kQuick,
  // All rows, with the larger networks and the peers.
  kFull,
};

// "smoke", "quick", "full".
std::string SpeedModeName(SpeedMode mode);

// InvalidArgument for another word.
absl::StatusOr<SpeedMode> ParseSpeedMode(absl::string_view name);

// "data, video, ...": all names, for messages and help.
std::string SpeedPartNames();

struct SpeedSelection {
  SpeedMode mode = SpeedMode::kQuick;
  // Names of parts; empty = all, the peers' only in full mode.
  std::vector<std::string> parts;
  // Least seconds per row; 0 = the mode's own.
  double min_seconds = 0;
  // The file that yardsticks decode.
  std::string clip;
  // What is read by the parts that read videos; empty = only the clip.
  std::vector<std::string> videos;
  // The Python with the peers; empty = their parts are left out.
  std::string peers_python;
  // Whether this processor computes in bf16; otherwise those rows take ten times as long and are
  // left out.
  bool bfloat16 = false;
};

// The yardsticks and parts, with `turns` of the mode (1 or 5); limit and folder are the caller's.
// InvalidArgument for an unknown part, one that is named twice, or a peers' part that is named
// without peers_python.
absl::StatusOr<SpeedSuite> SelectSpeedParts(const SpeedSelection& selection);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_SPEED_SPEED_PARTS_H_
