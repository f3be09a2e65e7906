#include "op3d/network/layers/row_sums.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
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

template <typename Scalar>
void SumAll(const at::Tensor& a, const at::Tensor& b, const at::Tensor& per_clip,
            Activation activation, const at::Tensor& output) {
  const Scalar* a_values = a.const_data_ptr<Scalar>();
  const Scalar* b_values = b.defined() ? b.const_data_ptr<Scalar>() : nullptr;
  const Scalar* p_values = per_clip.defined() ? per_clip.const_data_ptr<Scalar>() : nullptr;
  Scalar* values = output.data_ptr<Scalar>();
  const int64_t channels = a.size(1);
  const int64_t volume = per_clip.defined() ? a.size(0) / per_clip.size(0) : 1;
  const Scalar floor =
      activation == Activation::kRelu ? Scalar{0} : -std::numeric_limits<Scalar>::infinity();
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
                     (!clips.defined() || clips.is_contiguous());
  if (plain && a.scalar_type() == at::kFloat) {
    if (!output->defined()) *output = at::empty_like(a);
    return SumAll<float>(a, b, clips, activation, *output);
  }
  if (plain && a.scalar_type() == at::kDouble) {
    if (!output->defined()) *output = at::empty_like(a);
    return SumAll<double>(a, b, clips, activation, *output);
  }
  if (!output->defined()) *output = a.clone();
  if (b.defined()) output->add_(b);
  if (clips.defined()) {
    output->view({clips.size(0), -1, a.size(1)}).add_(clips.unsqueeze(1));
  }
  if (activation == Activation::kRelu) output->relu_();
}

}  // namespace op3d
