// Reads performance curves written by programs: comma-separated tables and op3d's own logs.
//
//   epoch,performance          Wall time,Step,Value           {"event":"epoch","state":1,"epoch":1,
//   0,0.012                    1700000000,390,0.012            "performance":0.304, ...}
//   1,0.304                    1700000060,780,0.304
//
// The second is TensorBoard's download, the third a line of log.jsonl or of a search's journal.
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
  // The numbers are steps, not epochs; an epoch may have many steps.
  bool steps = false;
};

// Reads a curve with any start, evenly spaced.
//
// A table: the first line names the columns, in any case; it must contain `epoch` or `step` and
// `performance` or `value`.  Other columns and empty lines are ignored; both kinds of line ends are
// accepted.
//
// Lines of JSON: every object with "epoch" and "performance", from log.jsonl or a journal.  If the
// file has several curves, `which` selects one: a state's number ("2"), an edge ("S1-S2")
// or pool and edge ("cs S1-S2").
//
// Values outside [0, 1] are accepted, because they can be fitted; `warnings`, which may be null,
// gets one sentence for the first value below 0 and one for the first above 1, with `source` and
// the line.
//
// InvalidArgument names `source` and the line: missing columns, a field that is not a finite
// number, epochs that do not increase by the same number from line to line, no epoch at all.
// NotFound for a curve that does not exist, listing those that do.  Thread-safe.
absl::StatusOr<CurveFile> ParseCurveFile(absl::string_view text, absl::string_view source,
                                         absl::string_view which = "",
                                         std::vector<std::string>* warnings = nullptr);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_KNEE_CURVE_FILE_H_
