#include "op3d/network/convolution.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/mm.h>

#include <algorithm>

namespace op3d {
namespace {

// Products with a matrix this narrow are slow in BLAS (backward up to 3 times); the convolution
// kernel is not.
constexpr int64_t kNarrow = 8;

}  // namespace

Convolution::Convolution(const ConvolutionDefinition& definition, const TensorTable& tensors)
    : definition_(definition), weight_(tensors.at(definition.name + ".weight")) {}

at::Tensor Convolution::PointwiseRows(const FeatureMap& input) const {
  const Size3& stride = definition_.stride;
  const at::Tensor weight = weight_.view({weight_.size(0), weight_.size(1)}).t();
  if (stride[1] == 1 && stride[2] == 1) return input.rows.mm(weight);
  const int64_t channels = input.channels();
  const at::Tensor picked =
      input.rows.view({input.clips * input.size[0], input.size[1], input.size[2], channels})
          .slice(1, 0, c10::nullopt, stride[1])
          .slice(2, 0, c10::nullopt, stride[2]);
  return picked.reshape({-1, channels}).mm(weight);
}

FeatureMap Convolution::Apply(const FeatureMap& input) const {
  const ConvolutionDefinition& d = definition_;
  FeatureMap output;
  output.clips = input.clips;
  output.size = OutputSize(input.size, d.kernel, d.stride, d.padding);
  const bool in_space = d.kernel[1] > 1 || d.kernel[2] > 1;
  const bool in_time = d.kernel[0] > 1;
  const bool pointwise = !in_space && !in_time;
  if (pointwise && d.groups == 1 && std::min(d.in_channels, d.out_channels) > kNarrow) {
    output.rows = PointwiseRows(input);
  } else if (in_space || pointwise) {
    const at::Tensor kernel = weight_.squeeze(2);
    output.rows = RowsOf(at::conv2d(input.Images(), kernel, {}, {d.stride[1], d.stride[2]},
                                    {d.padding[1], d.padding[2]}, 1, d.groups));
  } else {
    FeatureMap picked = input;
    if (d.stride[1] > 1 || d.stride[2] > 1) {
      picked.rows = input.Images()
                        .slice(2, 0, c10::nullopt, d.stride[1])
                        .slice(3, 0, c10::nullopt, d.stride[2])
                        .permute({0, 2, 3, 1})
                        .reshape({-1, input.channels()});
      picked.size = {input.size[0], output.size[1], output.size[2]};
    }
    const at::Tensor kernel = weight_.squeeze(4);
    output.rows = RowsOf(at::conv2d(picked.Sequences(), kernel, {}, {d.stride[0], 1},
                                    {d.padding[0], 0}, 1, d.groups));
  }
  return output;
}

FeatureMap Convolution::ApplyToClips(const at::Tensor& clips) const {
  const ConvolutionDefinition& d = definition_;
  const int64_t taps = d.kernel[0], channels = clips.size(1);
  const Size3 size = {clips.size(2), clips.size(3), clips.size(4)};
  FeatureMap output;
  output.clips = clips.size(0);
  output.size = OutputSize(size, d.kernel, d.stride, d.padding);
  // [N * T', C * taps, H, W], the kernel's own order of C and taps.  Channels first: whole images
  // are copied, and with so few channels LibTorch's kernel is faster this way.
  const at::Tensor images =
      clips.narrow(2, 0, output.size[0] * taps)
          .reshape({output.clips, channels, output.size[0], taps, size[1], size[2]})
          .permute({0, 2, 1, 3, 4, 5})
          .reshape({output.clips * output.size[0], channels * taps, size[1], size[2]});
  const at::Tensor kernel =
      weight_.view({weight_.size(0), channels * taps, d.kernel[1], d.kernel[2]});
  output.rows = RowsOf(
      at::conv2d(images, kernel, {}, {d.stride[1], d.stride[2]}, {d.padding[1], d.padding[2]}));
  return output;
}

}  // namespace op3d
