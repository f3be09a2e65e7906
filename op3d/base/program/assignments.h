// A flag that may be given several times: --set=path.to.field=value.
//
//   ABSL_FLAG(op3d::Assignments, set, {}, "path.to.field=value overrides a setting");
//   for (const std::string& assignment : absl::GetFlag(FLAGS_set).values) Use(assignment);
//
// Use one such flag per program: all of them add to one list, in order.
#ifndef OP3D_BASE_PROGRAM_ASSIGNMENTS_H_
#define OP3D_BASE_PROGRAM_ASSIGNMENTS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace op3d {

struct Assignments {
  std::vector<std::string> values;
};

// Called by Abseil's flags.  A text without '=' is an error.
bool AbslParseFlag(absl::string_view text, Assignments* assignments, std::string* error);
std::string AbslUnparseFlag(const Assignments& assignments);

}  // namespace op3d

#endif  // OP3D_BASE_PROGRAM_ASSIGNMENTS_H_
