#include "op3d/base/training_failure.h"

#include <optional>
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

std::optional<std::string> TrainingFailureOf(const absl::Status& status) {
  const auto what = status.GetPayload(kPayload);
  if (!what) return std::nullopt;
  return std::string(*what);
}

}  // namespace op3d
