#include "op3d/torch/precision.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "op3d/base/status_macros.h"
#include "op3d/gpu/gpu_probe.h"
#include "op3d/torch/torch_status.h"

namespace op3d {
namespace {

constexpr Precision kAll[] = {Precision::kFloat32, Precision::kTf32, Precision::kBfloat16,
                              Precision::kFloat16, Precision::kFloat64};

constexpr char kAuto[] = "auto";
// Conversions of weights and features cost more than a smaller gain.
constexpr double kWorthIt = 1.3;

// The least of a few repeats.
double GemmSeconds(int64_t side, at::ScalarType type, const at::Device& device) {
  at::NoGradGuard no_grad;
  const at::Tensor a = at::ones({side, side}, at::TensorOptions(type).device(device));
  double best = 0;
  for (int i = 0; i < 4; ++i) {
    const auto start = std::chrono::steady_clock::now();
    a.mm(a)[0][0].item<double>();  // waits for a GPU
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (i > 0) best = i == 1 ? seconds.count() : std::min(best, seconds.count());
  }
  return best;
}

PrecisionChoice Measure(const at::Device& device) {
  // Small on a CPU: without bf16 instructions it takes many times as long as with fp32.
  const int64_t side = device.is_cuda() ? 4096 : 384;
  const double fp32 = GemmSeconds(side, at::kFloat, device);
  const double bf16 = GemmSeconds(side, at::kBFloat16, device);
  PrecisionChoice choice;
  choice.precision = fp32 / bf16 >= kWorthIt ? Precision::kBfloat16 : Precision::kFloat32;
  choice.reason =
      absl::StrFormat("precision %s: a matrix product in bf16 takes %.2f times as long as in fp32",
                      PrecisionName(choice.precision), bf16 / fp32);
  return choice;
}

}  // namespace

std::string PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return "fp32";
    case Precision::kTf32:
      return "tf32";
    case Precision::kBfloat16:
      return "bf16";
    case Precision::kFloat16:
      return "fp16";
    case Precision::kFloat64:
      return "fp64";
  }
  return "";
}

c10::ScalarType ComputingType(Precision precision) {
  switch (precision) {
    case Precision::kBfloat16:
      return at::kBFloat16;
    case Precision::kFloat16:
      return at::kHalf;
    case Precision::kFloat64:
      return at::kDouble;
    case Precision::kFloat32:
    case Precision::kTf32:
      break;
  }
  return at::kFloat;
}

absl::StatusOr<Precision> ParsePrecision(absl::string_view name) {
  if (name.empty()) return Precision::kFloat32;
  for (const Precision precision : kAll) {
    if (name == PrecisionName(precision)) return precision;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("precision '", name, "' is none of fp32, bf16, fp64, tf32, fp16",
                   name == kAuto ? "; auto must be decided before a training starts" : ""));
}

absl::StatusOr<PrecisionChoice> ChoosePrecision(absl::string_view wanted,
                                                const std::string& device) {
  PrecisionChoice choice;
  if (wanted == kAuto) {
    OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
      choice = Measure(at::Device(device));
      return absl::OkStatus();
    }));
    return choice;
  }
  const absl::StatusOr<Precision> precision = ParsePrecision(wanted);
  if (!precision.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("precision '", wanted, "' is none of fp32, bf16, fp64, tf32, fp16, auto"));
  }
  const bool for_gpus = *precision == Precision::kTf32 || *precision == Precision::kFloat16;
  if (for_gpus && !absl::StartsWith(device, "cuda")) {
    return absl::InvalidArgumentError(
        absl::StrCat("precision '", wanted, "' is for CUDA devices; use fp32 or bf16 on a CPU"));
  }
  choice.precision = *precision;
  choice.reason = absl::StrCat("precision ", PrecisionName(*precision));
  if (*precision == Precision::kBfloat16 && absl::StartsWith(device, "cuda")) {
    if (const gpu::GpuFacts facts = gpu::ProbeGpu(); facts.major < 8) {
      absl::StrAppend(&choice.reason, ": '", facts.name,
                      "' has no instructions for it, and cuDNN no convolutions; fp16 is faster");
    }
  }
  return choice;
}

}  // namespace op3d
