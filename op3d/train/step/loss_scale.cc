#include "op3d/train/step/loss_scale.h"

#include <algorithm>
#include <cmath>

namespace op3d {
namespace {

constexpr double kLeast = 1, kMost = 1 << 24;
constexpr int64_t kGoodSteps = 2000;

}  // namespace

absl::Status LossScale::Update(bool finite) {
  if (!finite) {
    good_steps = 0;
    if (factor <= kLeast) {
      return absl::InternalError(
          "the gradients are not finite in fp16 without a loss scale either");
    }
    factor /= 2;
    return absl::OkStatus();
  }
  if (++good_steps < kGoodSteps) return absl::OkStatus();
  good_steps = 0;
  factor = std::min(2 * factor, kMost);
  return absl::OkStatus();
}

bool LossScale::valid() const {
  int exponent = 0;
  return factor >= kLeast && factor <= kMost && std::frexp(factor, &exponent) == 0.5 &&
         good_steps >= 0 && good_steps < kGoodSteps;
}

}  // namespace op3d
