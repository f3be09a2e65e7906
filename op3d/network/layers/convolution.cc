#include "op3d/network/layers/convolution.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/Version.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "op3d/gpu/convolutions.h"
#include "op3d/network/layers/weight_gradient.h"
#include "op3d/network/layers/winograd.h"

namespace op3d {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Products with a matrix this narrow are slow in BLAS (up to 3 times in the backward pass); the
// convolution kernel is not.
constexpr int64_t kNarrow = 8;

// True if WeightGradient is faster than LibTorch's kernel.  That kernel is better with AVX-512,
// which a process with portable arithmetic does not use.
bool GradientAsProducts(const at::Tensor& rows, int64_t channels, int64_t groups) {
  static const bool avx512 = at::get_cpu_capability() == "AVX512";
  if (!rows.is_cpu() || groups != 1) return false;
  if (avx512) return channels >= 256;
  return rows.scalar_type() != at::kBFloat16 && channels >= 64;
}

using Integers = std::vector<int64_t>;

// Rows as channels-last images; `shape` is [A, B, D, C].
at::Tensor ImagesOf(const at::Tensor& rows, const Integers& shape) {
  return rows.view(shape).permute({0, 3, 1, 2});
}

// Every (step[1], step[2])-th position of each image, as [A, B', D', C]: a view.
at::Tensor Picked(const at::Tensor& rows, const Integers& shape, const Integers& step) {
  return rows.view(shape).slice(1, 0, c10::nullopt, step[0]).slice(2, 0, c10::nullopt, step[1]);
}

// LibTorch's operators for compiled networks, which have no C++ function.
using Scalars = c10::List<std::optional<at::Scalar>>;

at::Tensor Packed(const at::Tensor& weight, const Integers& stride, const Integers& padding,
                  int64_t groups, at::IntArrayRef input) {
  static const auto pack =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_reorder_convolution_weight", "")
          .typed<at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                            int64_t, at::OptionalIntArrayRef)>();
  return pack.call(weight, padding, stride, Integers(stride.size(), 1), groups, input);
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
    at::Tensor images = ImagesOf(rows, shape);
    const at::IntArrayRef window = at::IntArrayRef(kernel).slice(2);
    if (const auto tile = FasterTile(images, kernel[0], window, stride, padding, groups)) {
      const at::Tensor kernels = WinogradKernels(*tile, weight.view(kernel), WinogradUse::kForward);
      images = Winograd(*tile, images, kernels, kernel[0], {}, {}, Activation::kNone);
    } else {
      images = at::convolution(images, weight.view(kernel), {}, stride, padding, {1, 1},
                               /*transposed=*/false, {0, 0}, groups);
    }
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
    const bool products = GradientAsProducts(saved[0], shape[3], groups);
    const at::Tensor of_output = ImagesOf(gradient, output);
    const at::IntArrayRef window = at::IntArrayRef(kernel).slice(2);
    at::Tensor input, weight, bias;
    const auto tile = input_wanted
                          ? FasterTile(of_output, shape[3], window, stride, padding, groups)
                          : std::nullopt;
    if (tile.has_value()) {
      const at::Tensor kernels =
          WinogradKernels(*tile, saved[1].view(kernel), WinogradUse::kGradient);
      input = Winograd(*tile, of_output, kernels, shape[3], {}, {}, Activation::kNone);
    }
    const bool library_input = input_wanted && !tile.has_value();
    if (library_input || !products) {
      at::Tensor of_library;
      std::tie(of_library, weight, bias) = at::convolution_backward(
          of_output, ImagesOf(saved[0], shape), saved[1].view(kernel), c10::nullopt, stride,
          padding, {1, 1}, /*transposed=*/false, {0, 0}, groups, {library_input, !products, false});
      if (library_input) input = of_library;
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

struct Convolution::Fused {
  // Undefined if not needed.
  at::Tensor bias;
  Integers stride, padding;
  int64_t outputs = 0;

  struct Weight {
    // In the kernels' layout, or transformed if there is a tile.
    at::Tensor values;
    std::optional<WinogradTile> tile;
  };

  // The first input decides on the algorithm.  The kernels' layout depends on the size of the
  // input, though not on the number of images.
  Weight For(const at::Tensor& images, int64_t groups) {
    const Integers size(images.sizes().begin() + 1, images.sizes().end());
    absl::MutexLock lock(&mutex_);
    if (transformed_.values.defined()) return transformed_;
    if (packed_.empty()) {
      transformed_.tile =
          FasterTile(images, outputs, plain.sizes().slice(2), stride, padding, groups);
      if (transformed_.tile.has_value()) {
        transformed_.values = WinogradKernels(*transformed_.tile, plain, WinogradUse::kForward);
        plain = at::Tensor();
        return transformed_;
      }
    }
    at::Tensor& values = packed_[size];
    if (!values.defined()) {
      const at::Tensor weight = plain.defined() ? plain : any_packed_.to_dense();
      values = Packed(weight, stride, padding, groups, images.sizes());
      any_packed_ = values;
      plain = at::Tensor();
    }
    return {values, std::nullopt};
  }

  // Undefined from the first For() on.
  at::Tensor plain;

 private:
  absl::Mutex mutex_;
  Weight transformed_;
  // By the size of the input without its number of images.
  std::map<Integers, at::Tensor> packed_;
  at::Tensor any_packed_;
};

Convolution::Convolution(const ConvolutionDefinition& definition, const TensorTable& tensors)
    : definition_(definition), weight_(tensors.at(definition.name + ".weight")) {}

FeatureMap Convolution::OutputOf(int64_t clips, const Size3& size) const {
  FeatureMap output;
  output.clips = clips;
  output.size = OutputSize(size, definition_.kernel, definition_.stride, definition_.padding);
  return output;
}

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
  FeatureMap output = OutputOf(input.clips, input.size);
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

at::Tensor Convolution::FoldedClips(const at::Tensor& clips, const FeatureMap& output) const {
  const int64_t taps = definition_.kernel[0], channels = clips.size(1);
  const int64_t height = clips.size(3), width = clips.size(4);
  // In memory [N * T', H, W, C * taps], the kernel's own order of C and taps.
  return clips.narrow(2, 0, output.size[0] * taps)
      .reshape({output.clips, channels, output.size[0], taps, height, width})
      .permute({0, 2, 4, 5, 1, 3})
      .reshape({output.clips * output.size[0], height, width, channels * taps})
      .permute({0, 3, 1, 2});
}

FeatureMap Convolution::ApplyToClips(const at::Tensor& clips) const {
  const ConvolutionDefinition& d = definition_;
  FeatureMap output = OutputOf(clips.size(0), {clips.size(2), clips.size(3), clips.size(4)});
  const at::Tensor images = FoldedClips(clips, output);
  output.rows = WindowFunction::apply(
      RowsOf(images), weight_.to(clips.scalar_type()),
      Integers{images.size(0), images.size(2), images.size(3), images.size(1)},
      Integers{d.out_channels, images.size(1), d.kernel[1], d.kernel[2]},
      Integers{d.stride[1], d.stride[2]}, Integers{d.padding[1], d.padding[2]}, 1);
  return output;
}

bool Convolution::CanFuse(at::ScalarType type) {
  if (!at::hasMKLDNN()) return false;
  if (type == at::kFloat) return true;
  static const bool bfloat16 = c10::Dispatcher::singleton()
                                   .findSchemaOrThrow("mkldnn::_is_mkldnn_bf16_supported", "")
                                   .typed<bool()>()
                                   .call();
  return type == at::kBFloat16 && bfloat16;
}

void Convolution::Fuse(const at::Tensor& bias, bool adds_input, FusedInput input) {
  const ConvolutionDefinition& d = definition_;
  const at::ScalarType type = weight_.scalar_type();
  at::Tensor weight = weight_;
  if (adds_input) {
    TORCH_CHECK(d.in_channels == d.out_channels, d.name, ": input and output differ in shape");
    weight = weight.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    weight.select(4, d.kernel[2] / 2)
        .select(3, d.kernel[1] / 2)
        .select(2, d.kernel[0] / 2)
        .unflatten(0, {d.groups, -1})
        .diagonal(0, 1, 2)
        .add_(1);
    weight = weight.to(type);
  }
  const bool in_time = d.kernel[0] > 1, in_space = d.kernel[1] > 1 || d.kernel[2] > 1;
  Integers stride = {d.stride[1], d.stride[2]}, padding = {d.padding[1], d.padding[2]};
  if (input == FusedInput::kClips) {
    weight = weight.reshape({d.out_channels, -1, d.kernel[1], d.kernel[2]});
  } else if (!in_time) {
    weight = weight.squeeze(2);
  } else if (!in_space) {
    weight = weight.squeeze(4);
    stride = {d.stride[0], 1}, padding = {d.padding[0], 0};
  } else {
    stride.insert(stride.begin(), d.stride[0]);
    padding.insert(padding.begin(), d.padding[0]);
  }
  fused_ = std::make_shared<Fused>();
  fused_->plain = weight.contiguous();
  fused_->outputs = d.out_channels;
  fused_->stride = stride;
  fused_->padding = padding;
  if (bias.defined()) fused_->bias = bias.to(type);
  // MustWiden() depends on the input.
  const bool may_widen = type == at::kBFloat16 && (d.stride[1] > 1 || d.stride[2] > 1);
  if (!may_widen) weight_ = at::Tensor();
}

at::Tensor Convolution::CallFused(const at::Tensor& images, Activation activation,
                                  const at::Tensor& sum, const at::Tensor& other_bias) const {
  static const auto convolve =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t,
                            std::string_view, Scalars, std::optional<std::string_view>)>();
  static const auto convolve_onto =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise_", "binary")
          .typed<at::Tensor&(at::Tensor&, const at::Tensor&, const at::Tensor&,
                             const std::optional<at::Tensor>&, at::IntArrayRef, at::IntArrayRef,
                             at::IntArrayRef, int64_t, std::string_view, std::optional<at::Scalar>,
                             std::optional<std::string_view>, Scalars,
                             std::optional<std::string_view>)>();
  const Integers &stride = fused_->stride, &padding = fused_->padding;
  const Integers dilation(stride.size(), 1);
  const at::Tensor of_call =
      other_bias.defined() ? other_bias.to(images.scalar_type()) : fused_->bias;
  const auto [weight, tile] = fused_->For(images, definition_.groups);
  if (tile.has_value()) {
    return Winograd(*tile, images, weight, definition_.out_channels, of_call, sum, activation);
  }
  const std::optional<at::Tensor> bias =
      of_call.defined() ? std::optional<at::Tensor>(of_call) : std::nullopt;
  const bool relu = activation == Activation::kRelu;
  if (!sum.defined()) {
    return convolve.call(images, weight, bias, padding, stride, dilation, definition_.groups,
                         relu ? "relu" : "none", Scalars(), "");
  }
  at::Tensor output = sum;
  convolve_onto.call(output, images, weight, bias, padding, stride, dilation, definition_.groups,
                     "add", 1.0, relu ? std::optional<std::string_view>("relu") : std::nullopt,
                     Scalars(), "");
  return output;
}

FeatureMap Convolution::ApplyFused(const FeatureMap& input, Activation activation,
                                   const FeatureMap* sum, const at::Tensor& bias) const {
  const ConvolutionDefinition& d = definition_;
  FeatureMap output = OutputOf(input.clips, input.size);
  if (MustWiden(input, output.size)) {
    output = Apply(input);
    if (sum != nullptr) output.rows.add_(sum->rows);
    const at::Tensor& added = bias.defined() ? bias : fused_->bias;
    if (added.defined()) output.rows.add_(added);
    if (activation == Activation::kRelu) output.rows.relu_();
    return output;
  }
  const bool in_time = d.kernel[0] > 1, in_space = d.kernel[1] > 1 || d.kernel[2] > 1;
  if (in_time && in_space) {
    const at::Tensor clips =
        CallFused(input.Clips(), activation, sum == nullptr ? at::Tensor() : sum->Clips(), bias);
    output.rows = clips.permute({0, 2, 3, 4, 1}).reshape({-1, d.out_channels});
    return output;
  }
  if (!in_time) {
    output.rows = RowsOf(
        CallFused(input.Images(), activation, sum == nullptr ? at::Tensor() : sum->Images(), bias));
    return output;
  }
  FeatureMap picked = input;
  if (d.stride[1] > 1 || d.stride[2] > 1) {
    const Integers images = {input.clips * input.size[0], input.size[1], input.size[2],
                             input.channels()};
    picked.rows = Picked(input.rows, images, {d.stride[1], d.stride[2]}).reshape({-1, images[3]});
    picked.size = {input.size[0], output.size[1], output.size[2]};
  }
  output.rows = RowsOf(CallFused(picked.Sequences(), activation,
                                 sum == nullptr ? at::Tensor() : sum->Sequences(), bias));
  return output;
}

FeatureMap Convolution::ApplyFusedToClips(const at::Tensor& clips, Activation activation) const {
  FeatureMap output = OutputOf(clips.size(0), {clips.size(2), clips.size(3), clips.size(4)});
  output.rows = RowsOf(CallFused(FoldedClips(clips, output), activation, {}, {}));
  return output;
}

}  // namespace op3d
