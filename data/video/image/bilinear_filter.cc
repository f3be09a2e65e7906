#include "data/video/image/bilinear_filter.h"

#include <algorithm>
#include <cstdlib>

namespace op3d::data {
namespace {

// Weights are whole numbers of this unit until the end.
constexpr int64_t kUnit = int64_t{1} << 54;
// A tail of weights below this share is left out.
constexpr double kNegligible = 0.002;
// A triangle over two samples on either side, at most.
constexpr int kTaps = 3;

struct Weights {
  int position = 0;
  int64_t tap[kTaps] = {};
};

// The triangle around the position `at` of the samples, in units of 2^-17 samples.
Weights Triangle(int64_t at) {
  Weights weights;
  weights.position = static_cast<int>((at - (int64_t{1} << 16)) / (int64_t{1} << 17));
  for (int k = 0; k < kTaps; ++k) {
    const int64_t distance = std::abs((int64_t{weights.position + k} << 17) - at) << 13;
    weights.tap[k] = std::max<int64_t>(0, (int64_t{1} << 30) - distance) * (kUnit >> 30);
  }
  return weights;
}

bool IsNegligible(int64_t sum) { return static_cast<double>(sum) <= kNegligible * kUnit; }

// Removes negligible weights on the left and moves the rest there.
void ShiftLeft(int next_position, bool last, Weights* weights) {
  int64_t sum = 0;
  for (int k = 0; k < kTaps; ++k) {
    sum += weights->tap[0];
    if (!IsNegligible(sum) || (!last && weights->position >= next_position)) return;
    std::move(weights->tap + 1, weights->tap + kTaps, weights->tap);
    weights->tap[kTaps - 1] = 0;
    ++weights->position;
  }
}

// Samples beyond an end are replaced by the one at the end.
void FoldEnds(int samples, Weights* weights) {
  int64_t inside[2] = {0, 0};
  const int position = std::clamp(weights->position, 0, samples - 2);
  for (int k = 0; k < 2; ++k) {
    const int sample = std::clamp(weights->position + k, 0, samples - 1);
    inside[sample - position] += weights->tap[k];
  }
  *weights = {position, {inside[0], inside[1], 0}};
}

int64_t RoundedQuotient(int64_t a, int64_t b) { return (a >= 0 ? a + b / 2 : a - b / 2) / b; }

}  // namespace

std::optional<BilinearFilter> MakeBilinearFilter(int samples, int pixels, int one) {
  if (samples < kTaps + 2) return std::nullopt;
  const int64_t step = ((int64_t{samples} << 16) + pixels / 2) / pixels;
  std::vector<Weights> all;
  // Both pictures are centred: pixel 0 is half a step from the edge.
  for (int64_t i = 0, at = step - (1 << 16); i < pixels; ++i, at += 2 * step) {
    all.push_back(Triangle(at));
  }
  // From the right: a pixel's first sample must not be to the right of the next pixel's.
  for (int i = pixels - 1; i >= 0; --i) {
    const bool last = i == pixels - 1;
    ShiftLeft(last ? 0 : all[i + 1].position, last, &all[i]);
    if (!IsNegligible(all[i].tap[2])) return std::nullopt;
  }
  BilinearFilter filter;
  for (int i = 0; i < pixels; ++i) {
    FoldEnds(samples, &all[i]);
    // The rounding error of one weight is added to the next.
    const int64_t sum = std::max<int64_t>(1, (all[i].tap[0] + all[i].tap[1] + one / 2) / one);
    const int64_t first = RoundedQuotient(all[i].tap[0], sum);
    const int64_t second = RoundedQuotient(all[i].tap[1] + all[i].tap[0] - first * sum, sum);
    filter.position.push_back(all[i].position);
    filter.first.push_back(static_cast<int16_t>(first));
    filter.second.push_back(static_cast<int16_t>(second));
  }
  return filter;
}

}  // namespace op3d::data
