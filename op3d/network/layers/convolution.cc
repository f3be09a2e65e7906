#include "op3d/network/layers/convolution.h"

#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "op3d/gpu/convolutions.h"
#include "op3d/network/layers/weight_gradient.h"

namespace op3d {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Products with a matrix this narrow are slow in BLAS (up to 3 times in the backward pass); the
// convolution kernel is not.
constexpr int64_t kNarrow = 8;

// From this number of channels on, WeightGradient is faster than LibTorch's kernel on CPUs.
constexpr int64_t kWide = 64;

using Integers = std::vector<int64_t>;

// Rows as channels-last images; `shape` is [A, B, D, C].
at::Tensor ImagesOf(const at::Tensor& rows, const Integers& shape) {
  return rows.view(shape).permute({0, 3, 1, 2});
}

// Every (step[1], step[2])-th position of each image, as [A, B', D', C]: a view.
at::Tensor Picked(const at::Tensor& rows, const Integers& shape, const Integers& step) {
  return rows.view(shape).slice(1, 0, c10::nullopt, step[0]).slice(2, 0, c10::nullopt, step[1]);
}

// The functions below are single nodes of the graph; plain autograd would need one for every
// change of view, and small networks spend their time on nodes.

// rows [.., in] times weight [out, in, 1, 1, 1], at every `step`-th position of images `shape`.
struct PointwiseFunction : torch::autograd::Function<PointwiseFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& rows,
                            const at::Tensor& weight, const Integers& shape, const Integers& step) {
    const bool all = step[0] == 1 && step[1] == 1;
    const at::Tensor input = all ? rows : Picked(rows, shape, step).reshape({-1, shape[3]});
    context->save_for_backward({input, weight});
    context->saved_data["shape"] = shape;
    context->saved_data["step"] = step;
    return input.mm(weight.view({weight.size(0), weight.size(1)}).t());
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    const Integers shape = context->saved_data["shape"].toIntVector();
    const Integers step = context->saved_data["step"].toIntVector();
    const at::Tensor weight_gradient = gradients[0].t().mm(input).view(weight.sizes());
    at::Tensor rows = gradients[0].mm(weight.view({weight.size(0), weight.size(1)}));
    if (step[0] != 1 || step[1] != 1) {
      const at::Tensor spread =
          at::zeros({shape[0] * shape[1] * shape[2], shape[3]}, rows.options());
      at::Tensor places = Picked(spread, shape, step);
      places.copy_(rows.view(places.sizes()));
      rows = spread;
    }
    return {rows, weight_gradient, {}, {}};
  }
};

// A 2-D convolution of the images stored in `rows`.  `kernel` is the weight's shape for it.
struct WindowFunction : torch::autograd::Function<WindowFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& rows,
                            const at::Tensor& weight, const Integers& shape, const Integers& kernel,
                            const Integers& stride, const Integers& padding, int64_t groups) {
    const at::Tensor images =
        at::convolution(ImagesOf(rows, shape), weight.view(kernel), {}, stride, padding, {1, 1},
                        /*transposed=*/false, {0, 0}, groups);
    context->save_for_backward({rows, weight});
    context->saved_data["shape"] = shape;
    context->saved_data["kernel"] = kernel;
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    context->saved_data["groups"] = groups;
    context->saved_data["output"] =
        Integers{images.size(0), images.size(2), images.size(3), images.size(1)};
    return RowsOf(images);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    auto& data = context->saved_data;
    const Integers shape = data["shape"].toIntVector(), output = data["output"].toIntVector(),
                   kernel = data["kernel"].toIntVector(), stride = data["stride"].toIntVector(),
                   padding = data["padding"].toIntVector();
    const int64_t groups = data["groups"].toInt();
    const at::Tensor gradient = gradients[0].contiguous();
    const bool input_wanted = context->needs_input_grad(0);
    const bool products = saved[0].is_cpu() && saved[0].scalar_type() != at::kBFloat16 &&
                          groups == 1 && shape[3] >= kWide;
    at::Tensor input, weight, bias;
    if (input_wanted || !products) {
      std::tie(input, weight, bias) = at::convolution_backward(
          ImagesOf(gradient, output), ImagesOf(saved[0], shape), saved[1].view(kernel),
          c10::nullopt, stride, padding, {1, 1}, /*transposed=*/false, {0, 0}, groups,
          {input_wanted, !products, false});
    }
    if (products) {
      weight = WeightGradient(gradient.view(output), saved[0].view(shape), {kernel[2], kernel[3]},
                              stride, padding);
    }
    if (input_wanted) input = RowsOf(input);
    return {input, weight.reshape(saved[1].sizes()), {}, {}, {}, {}, {}};
  }
};

}  // namespace

Convolution::Convolution(const ConvolutionDefinition& definition, const TensorTable& tensors)
    : definition_(definition), weight_(tensors.at(definition.name + ".weight")) {}

// On a GPU 1xKxK and Kx1x1 may be faster in 3-D; measured once for each shape.
bool Convolution::RunsAsClips(const FeatureMap& input) const {
  const ConvolutionDefinition& d = definition_;
  gpu::ConvolutionShape shape;
  shape.input = {input.clips, input.size[0], input.size[1], input.size[2], input.channels()};
  shape.out_channels = d.out_channels;
  for (int i = 0; i < 3; ++i) {
    shape.kernel[i] = d.kernel[i];
    shape.stride[i] = d.stride[i];
    shape.padding[i] = d.padding[i];
  }
  shape.groups = d.groups;
  return gpu::RunsAsClips(input.rows, &shape);
}

bool Convolution::MustWiden(const FeatureMap& input, const Size3& output) const {
  const ConvolutionDefinition& d = definition_;
  return input.rows.scalar_type() == at::kBFloat16 && input.rows.is_cpu() &&
         (d.stride[1] > 1 || d.stride[2] > 1) && output[2] == 1;
}

FeatureMap Convolution::Apply(const FeatureMap& input) const {
  const ConvolutionDefinition& d = definition_;
  FeatureMap output;
  output.clips = input.clips;
  output.size = OutputSize(input.size, d.kernel, d.stride, d.padding);
  if (MustWiden(input, output.size)) {
    FeatureMap wide = input;
    wide.rows = input.rows.to(at::kFloat);
    wide = Apply(wide);
    wide.rows = wide.rows.to(at::kBFloat16);
    return wide;
  }
  const at::Tensor weight = weight_.to(input.rows.scalar_type());
  const int64_t channels = input.channels(), frames = input.size[0];
  const Integers images = {input.clips * frames, input.size[1], input.size[2], channels};
  const bool in_time = d.kernel[0] > 1;
  const bool in_space = d.kernel[1] > 1 || d.kernel[2] > 1;
  const bool one_kind = in_time != in_space;
  if ((in_time && in_space) || (one_kind && input.rows.is_cuda() && RunsAsClips(input))) {
    const at::Tensor clips =
        at::convolution(input.Clips(), weight, {}, d.stride, d.padding, {1, 1, 1},
                        /*transposed=*/false, {0, 0, 0}, d.groups);
    output.rows = clips.permute({0, 2, 3, 4, 1}).reshape({-1, d.out_channels});
  } else if (in_time) {
    at::Tensor rows = input.rows;
    if (d.stride[1] > 1 || d.stride[2] > 1) {
      rows = Picked(rows, images, {d.stride[1], d.stride[2]}).reshape({-1, channels});
    }
    output.rows =
        WindowFunction::apply(rows, weight, Integers{input.clips, frames, output.area(), channels},
                              Integers{d.out_channels, weight.size(1), d.kernel[0], 1},
                              Integers{d.stride[0], 1}, Integers{d.padding[0], 0}, d.groups);
  } else if (in_space || d.groups > 1 || std::min(d.in_channels, d.out_channels) <= kNarrow) {
    output.rows = WindowFunction::apply(
        input.rows, weight, images,
        Integers{d.out_channels, weight.size(1), d.kernel[1], d.kernel[2]},
        Integers{d.stride[1], d.stride[2]}, Integers{d.padding[1], d.padding[2]}, d.groups);
  } else {
    output.rows =
        PointwiseFunction::apply(input.rows, weight, images, Integers{d.stride[1], d.stride[2]});
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
  // [N * T', H, W, C * taps], the kernel's own order of C and taps.
  const at::Tensor rows =
      clips.narrow(2, 0, output.size[0] * taps)
          .reshape({output.clips, channels, output.size[0], taps, size[1], size[2]})
          .permute({0, 2, 4, 5, 1, 3})
          .reshape({-1, channels * taps});
  output.rows = WindowFunction::apply(
      rows, weight_.to(clips.scalar_type()),
      Integers{output.clips * output.size[0], size[1], size[2], channels * taps},
      Integers{d.out_channels, channels * taps, d.kernel[1], d.kernel[2]},
      Integers{d.stride[1], d.stride[2]}, Integers{d.padding[1], d.padding[2]}, 1);
  return output;
}

}  // namespace op3d
