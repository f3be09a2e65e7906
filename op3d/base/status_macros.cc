#include "op3d/base/status_macros.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d {

absl::Status Annotate(const absl::Status& status, absl::string_view prefix) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(prefix, ": ", status.message()));
  status.ForEachPayload([&annotated](absl::string_view type, const absl::Cord& payload) {
    annotated.SetPayload(type, payload);
  });
  return annotated;
}

int ExitCode(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kAlreadyExists:
      return 2;
    case absl::StatusCode::kCancelled:
      return 128 + InterruptSignal();
    default:
      return 1;
  }
}

}  // namespace op3d
