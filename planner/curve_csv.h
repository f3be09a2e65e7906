// Performance curves as a person keeps them: comma-separated, a line an epoch.
//
//   epoch,performance
//   0,0.012
//   1,0.304
#ifndef OP3D_PLANNER_CURVE_CSV_H_
#define OP3D_PLANNER_CURVE_CSV_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// The performance of epochs 0, 1, 2, ... from `text`.  The first line names the columns; `epoch`
// and `performance` must be among them, others are passed over.  Empty lines are too, and both
// kinds of line ends will do.
//
// A negative performance is read, as a fit can do with it, but no share of right answers is one:
// each is a sentence in `warnings`, which may be null, that names `source` and the line.
//
// InvalidArgument names `source` and the line: no such columns, a field that is no number or not a
// finite one, epochs that are not 0, 1, 2, ... in this order, no epoch at all.  Thread-safe.
absl::StatusOr<std::vector<double>> ParseCurveCsv(absl::string_view text, absl::string_view source,
                                                  std::vector<std::string>* warnings = nullptr);

}  // namespace op3d

#endif  // OP3D_PLANNER_CURVE_CSV_H_
