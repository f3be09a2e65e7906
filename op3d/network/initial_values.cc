#include "op3d/network/initial_values.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"

namespace op3d {
namespace {

// Box-Muller with both numbers of each pair: half the cost of RandomStream::Gaussian, and a large
// network draws 100 million.
void FillNormal(double deviation, RandomStream* stream, absl::Span<float> values) {
  constexpr double kTurn = 6.283185307179586;
  for (size_t i = 0; i < values.size(); i += 2) {
    const double radius = deviation * std::sqrt(-2.0 * std::log(1.0 - stream->Uniform()));
    const double angle = kTurn * stream->Uniform();
    values[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < values.size()) values[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

}  // namespace

void FillInitialValues(const StateEntry& entry, uint64_t seed, absl::Span<float> values) {
  RandomStream stream(seed, absl::StrCat("network.init.", entry.name), {});
  switch (entry.kind) {
    case EntryKind::kConvolutionWeight: {
      int64_t fan_out = entry.shape[0];
      for (size_t i = 2; i < entry.shape.size(); ++i) fan_out *= entry.shape[i];
      const double kaiming = std::sqrt(2.0 / static_cast<double>(fan_out));
      FillNormal(entry.initial_deviation > 0 ? entry.initial_deviation : kaiming, &stream, values);
      break;
    }
    case EntryKind::kLinearWeight:
    case EntryKind::kLinearBias: {
      const double range = 1.0 / std::sqrt(static_cast<double>(entry.fan_in));
      for (float& value : values) value = static_cast<float>(stream.Uniform(-range, range));
      break;
    }
    case EntryKind::kNormWeight:
    case EntryKind::kRunningVariance:
      std::fill(values.begin(), values.end(), 1.0f);
      break;
    case EntryKind::kZeroLinearWeight:
    case EntryKind::kNormBias:
    case EntryKind::kRunningMean:
    case EntryKind::kBatchCounter:
      std::fill(values.begin(), values.end(), 0.0f);
      break;
  }
}

}  // namespace op3d
