// Performance curves as programs write them: comma-separated tables and op3d's own logs.
//
//   epoch,performance          Wall time,Step,Value           {"event":"epoch","state":1,"epoch":1,
//   0,0.012                    1700000000,390,0.012            "performance":0.304, ...}
//   1,0.304                    1700000060,780,0.304
//
// The second is what TensorBoard downloads, the third a line of log.jsonl or of a search's journal.
#ifndef OP3D_PLANNER_KNEE_CURVE_FILE_H_
#define OP3D_PLANNER_KNEE_CURVE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::planner {

struct CurveFile {
  // In the order of the file.
  std::vector<double> performance;
  // performance[i] was measured at epoch (or step) first + i x spacing.
  int64_t first = 0, spacing = 1;
  // They are steps, of which an epoch may have many.
  bool steps = false;
};

// Reads a curve from any start, evenly spaced.
//
// A table: the first line names the columns, in any case of letters; `epoch` or `step` and
// `performance` or `value` must be among them, others are passed over.  Empty lines are too, and
// both kinds of line ends will do.
//
// Lines of JSON: every object with "epoch" and "performance", of log.jsonl or a journal.  A file
// with several curves needs the name of one in `which`: a state's number ("2"), an edge ("S1-S2")
// or pool and edge ("cs S1-S2").
//
// Values that are no shares of right answers are read, as a fit can do with them: the first below 0
// and the first above 1 are a sentence each in `warnings`, which may be null, with `source` and the
// line.
//
// InvalidArgument names `source` and the line: no such columns, a field that is not a number or not a
// finite one, epochs that do not rise by the same number from line to line, no epoch at all.
// NotFound for a curve that is not there, naming those that are.  Thread-safe.
absl::StatusOr<CurveFile> ParseCurveFile(absl::string_view text, absl::string_view source,
                                         absl::string_view which = "",
                                         std::vector<std::string>* warnings = nullptr);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_CURVE_FILE_H_
