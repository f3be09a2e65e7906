#include "op3d/gpu/convolutions.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "op3d/gpu/gpu_probe.h"

namespace op3d::gpu {
namespace {

ConvolutionChoices& Choices() {
  static ConvolutionChoices* const choices = [] {
    const std::string device = ProbeGpu().name;
    return new ConvolutionChoices(device, ConvolutionChoicesPath(device));
  }();
  return *choices;
}

std::string TypeName(at::ScalarType type) {
  if (type == at::kBFloat16) return "bf16";
  if (type == at::kHalf) return "fp16";
  return at::globalContext().allowTF32CuDNN() ? "tf32" : "fp32";
}

at::ScalarType TypeOf(const std::string& name) {
  if (name == "bf16") return at::kBFloat16;
  return name == "fp16" ? at::kHalf : at::kFloat;
}

void Wait(at::Device device) {
  if (device.is_cuda()) {
    c10::impl::VirtualGuardImpl(device.type())
        .synchronizeDevice(device.has_index() ? device.index() : 0);
  }
}

using Integers = std::vector<int64_t>;

// A convolution in the forms of op3d/network/layers/convolution.cc.
struct Problem {
  at::Tensor input, weight;
  Integers stride, padding, dilation, no_padding;
};

Problem MakeProblem(const ConvolutionShape& shape, ConvolutionForm form, at::Device device) {
  const auto [clips, frames, height, width, channels] = shape.input;
  const at::TensorOptions options = at::TensorOptions(TypeOf(shape.type)).device(device);
  const int64_t inner = channels / shape.groups;
  // No generator: the GPU's may be part of a recording, and the CPU's takes longer than the convolution.
  const auto noise = [&](at::IntArrayRef sizes) {
    return at::arange(c10::multiply_integers(sizes), options.dtype(at::kFloat))
        .sin_()
        .to(options.dtype())
        .view(sizes);
  };
  Problem p;
  if (form == ConvolutionForm::kClips) {
    p.input = noise({clips, frames, height, width, channels}).permute({0, 4, 1, 2, 3});
    p.weight =
        noise({shape.out_channels, inner, shape.kernel[0], shape.kernel[1], shape.kernel[2]});
    p.stride.assign(shape.stride.begin(), shape.stride.end());
    p.padding.assign(shape.padding.begin(), shape.padding.end());
  } else if (shape.kernel[0] > 1) {
    // Spatial strides pick pixels before it.
    const int64_t area = ((height - 1) / shape.stride[1] + 1) * ((width - 1) / shape.stride[2] + 1);
    p.input = noise({clips, frames, area, channels}).permute({0, 3, 1, 2});
    p.weight = noise({shape.out_channels, inner, shape.kernel[0], 1});
    p.stride = {shape.stride[0], 1};
    p.padding = {shape.padding[0], 0};
  } else {
    p.input = noise({clips * frames, height, width, channels}).permute({0, 3, 1, 2});
    p.weight = noise({shape.out_channels, inner, shape.kernel[1], shape.kernel[2]});
    p.stride = {shape.stride[1], shape.stride[2]};
    p.padding = {shape.padding[1], shape.padding[2]};
  }
  p.dilation.assign(p.stride.size(), 1);
  p.no_padding.assign(p.stride.size(), 0);
  return p;
}

}  // namespace

void SetDeterministic(bool deterministic) {
  at::Context& context = at::globalContext();
  context.setDeterministicCuDNN(deterministic);
  context.setBenchmarkCuDNN(!deterministic);
  // A warning where LibTorch has no deterministic kernel: the run is then not stopped.
  context.setDeterministicAlgorithms(deterministic, /*warn_only=*/true);
  // Otherwise it fills every new tensor with NaN: one more write, and a launch, for each.
  context.setDeterministicFillUninitializedMemory(false);
  Choices().SetDeterministic(deterministic);
}

bool RunsAsClips(const at::Tensor& rows, ConvolutionShape* shape) {
  if (!rows.is_cuda()) return false;
  shape->type = TypeName(rows.scalar_type());
  shape->training = at::GradMode::is_enabled();
  return Choices().Choose(*shape, [&](ConvolutionForm form) {
    return MeasureConvolution(*shape, form, rows.device());
  }) == ConvolutionForm::kClips;
}

double MeasureConvolution(const ConvolutionShape& shape, ConvolutionForm form, at::Device device) {
  at::NoGradGuard no_grad;
  double best = std::numeric_limits<double>::infinity();
  try {
    const Problem p = MakeProblem(shape, form, device);
    // cuDNN searches in the first run.
    for (int run = 0; run < 4; ++run) {
      Wait(device);
      const auto start = std::chrono::steady_clock::now();
      const at::Tensor output =
          at::convolution(p.input, p.weight, {}, p.stride, p.padding, p.dilation,
                          /*transposed=*/false, p.no_padding, shape.groups);
      if (shape.training) {
        at::convolution_backward(output, p.input, p.weight, c10::nullopt, p.stride, p.padding,
                                 p.dilation, /*transposed=*/false, p.no_padding, shape.groups,
                                 {true, true, false});
      }
      Wait(device);
      const double seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (run > 0) best = std::min(best, seconds);
    }
  } catch (const c10::OutOfMemoryError&) {
    return std::numeric_limits<double>::quiet_NaN();
  } catch (const c10::Error&) {
    return std::numeric_limits<double>::infinity();
  }
  return best;
}

}  // namespace op3d::gpu
