#include "op3d/network/layers/row_sums.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "op3d/gpu/rows.h"

namespace op3d {
namespace {

// Loops over a row, without branches, so that the compiler vectorises them.
template <typename Scalar>
void SumRow(const Scalar* a, const Scalar* b, const Scalar* p, int64_t channels, Scalar floor,
            Scalar* output) {
  if (b != nullptr && p != nullptr) {
    for (int64_t i = 0; i < channels; ++i) output[i] = a[i] + b[i] + p[i];
  } else if (b != nullptr) {
    for (int64_t i = 0; i < channels; ++i) output[i] = a[i] + b[i];
  } else {
    for (int64_t i = 0; i < channels; ++i) output[i] = a[i] + p[i];
  }
  // A NaN must stay one.
  for (int64_t i = 0; i < channels; ++i) output[i] = output[i] < floor ? floor : output[i];
}

float Wide(uint16_t value) {
  const uint32_t bits = static_cast<uint32_t>(value) << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof wide);
  return wide;
}

// To the nearest even; a NaN stays one.
uint16_t Narrow(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  return static_cast<uint16_t>(value == value ? rounded : 0x7FC0);
}

// bfloat16 as its bits; rounded after each sum, as tensors are.  Sums alone are the same with every
// instruction set.
__attribute__((target_clones("avx2", "default"))) void SumRow(const uint16_t* a, const uint16_t* b,
                                                              const uint16_t* p, int64_t channels,
                                                              float floor, uint16_t* output) {
  const auto store = [&](int64_t i, float sum) { output[i] = Narrow(sum < floor ? floor : sum); };
  if (b != nullptr && p != nullptr) {
    for (int64_t i = 0; i < channels; ++i)
      store(i, Wide(Narrow(Wide(a[i]) + Wide(b[i]))) + Wide(p[i]));
  } else if (b != nullptr) {
    for (int64_t i = 0; i < channels; ++i) store(i, Wide(a[i]) + Wide(b[i]));
  } else {
    for (int64_t i = 0; i < channels; ++i) store(i, Wide(a[i]) + Wide(p[i]));
  }
}

template <typename Scalar, typename Floor = Scalar>
void SumAll(const at::Tensor& a, const at::Tensor& b, const at::Tensor& per_clip,
            Activation activation, const at::Tensor& output) {
  const auto values_of = [](const at::Tensor& tensor) {
    return tensor.defined() ? static_cast<const Scalar*>(tensor.const_data_ptr()) : nullptr;
  };
  const Scalar *a_values = values_of(a), *b_values = values_of(b), *p_values = values_of(per_clip);
  Scalar* values = static_cast<Scalar*>(output.mutable_data_ptr());
  const int64_t channels = a.size(1);
  const int64_t volume = per_clip.defined() ? a.size(0) / per_clip.size(0) : 1;
  const Floor floor =
      activation == Activation::kRelu ? Floor{0} : -std::numeric_limits<Floor>::infinity();
  constexpr int64_t kGrain = 32768;
  at::parallel_for(0, a.size(0), std::max<int64_t>(1, kGrain / channels),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t row = begin; row < end; ++row) {
                       const int64_t at = row * channels;
                       SumRow(a_values + at, b_values == nullptr ? nullptr : b_values + at,
                              p_values == nullptr ? nullptr : p_values + row / volume * channels,
                              channels, floor, values + at);
                     }
                   });
}

}  // namespace

void SumRows(const at::Tensor& a, const at::Tensor& b, const at::Tensor& per_clip,
             Activation activation, at::Tensor* output) {
  if (gpu::RunsOnGpu(a) && (!b.defined() || (b.is_contiguous() && b.dtype() == a.dtype()))) {
    return gpu::SumRowsOf(a, b, per_clip, activation == Activation::kRelu, output);
  }
  const at::Tensor clips = per_clip.defined() ? per_clip.to(a.scalar_type()) : per_clip;
  const bool plain = a.is_cpu() && a.is_contiguous() && (!b.defined() || b.is_contiguous()) &&
                     (b.defined() || clips.defined()) &&
                     (!clips.defined() || clips.is_contiguous()) &&
                     (!b.defined() || b.scalar_type() == a.scalar_type()) &&
                     (!output->defined() || output->scalar_type() == a.scalar_type());
  if (plain && a.scalar_type() == at::kFloat) {
    if (!output->defined()) *output = at::empty_like(a);
    return SumAll<float>(a, b, clips, activation, *output);
  }
  if (plain && a.scalar_type() == at::kDouble) {
    if (!output->defined()) *output = at::empty_like(a);
    return SumAll<double>(a, b, clips, activation, *output);
  }
  if (plain && a.scalar_type() == at::kBFloat16) {
    if (!output->defined()) *output = at::empty_like(a);
    return SumAll<uint16_t, float>(a, b, clips, activation, *output);
  }
  if (!output->defined()) *output = a.clone();
  if (b.defined()) output->add_(b);
  if (clips.defined()) {
    output->view({clips.size(0), -1, a.size(1)}).add_(clips.unsqueeze(1));
  }
  if (activation == Activation::kRelu) output->relu_();
}

}  // namespace op3d
