// Early return on errors, for functions that return absl::Status or absl::StatusOr.
//
//   absl::StatusOr<Plan> Load(const std::string& path) {
//     OP3D_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
//     OP3D_RETURN_IF_ERROR(Check(text));
//     ...
//   }
#ifndef OP3D_BASE_STATUS_MACROS_H_
#define OP3D_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#define OP3D_RETURN_IF_ERROR(expression)                                                \
  do {                                                                                  \
    if (absl::Status op3d_status = (expression); !op3d_status.ok()) return op3d_status; \
  } while (false)

#define OP3D_ASSIGN_OR_RETURN(target, expression) \
  OP3D_ASSIGN_OR_RETURN_IMPL_(OP3D_CONCAT_(op3d_status_or_, __LINE__), target, expression)

#define OP3D_ASSIGN_OR_RETURN_IMPL_(status_or, target, expression) \
  auto status_or = (expression);                                   \
  if (!status_or.ok()) return status_or.status();                  \
  target = *std::move(status_or)

#define OP3D_CONCAT_(a, b) OP3D_CONCAT_IMPL_(a, b)
#define OP3D_CONCAT_IMPL_(a, b) a##b

namespace op3d {

// `status` with "`prefix`: " before its message; an OK status is not changed.
absl::Status Annotate(const absl::Status& status, absl::string_view prefix);

// The exit code of a program for `status`: 0 done; 2 for wrong use or bad input
// (invalid argument, not found, failed precondition, out of range, already exists); 130 or 143
// if a signal ended it (cancelled); 1 for everything else.
int ExitCode(const absl::Status& status);

}  // namespace op3d

#endif  // OP3D_BASE_STATUS_MACROS_H_
