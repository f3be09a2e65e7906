#include "op3d/base/training_failure.h"

#include <utility>

#include "absl/strings/cord.h"

namespace op3d {
namespace {

constexpr char kPayload[] = "op3d/training_failure";

}  // namespace

absl::Status MarkTrainingFailure(absl::Status status, absl::string_view what) {
  status.SetPayload(kPayload, absl::Cord(what));
  return status;
}

absl::optional<std::string> TrainingFailureOf(const absl::Status& status) {
  const absl::optional<absl::Cord> what = status.GetPayload(kPayload);
  if (!what) return absl::nullopt;
  return std::string(*what);
}

}  // namespace op3d
