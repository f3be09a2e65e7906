// The precision in which a network computes.
//
//   OP3D_ASSIGN_OR_RETURN(PrecisionChoice choice, ChoosePrecision("auto", "cpu"));
//   Progress::Print(choice.reason);      // "fp32: a matrix product in bf16 is 2.0x slower ..."
//   Use(choice.precision);               // what Network::SetPrecision() takes
//
//   fp32  single precision throughout
//   tf32  the same with products rounded to 10 bits on the GPU's tensor cores; CUDA only
//   bf16  convolutions and features in bfloat16; weights, their gradients, BatchNorm's statistics,
//         everything after the global averages and the logits in single precision
//   fp16  the same with float16: more digits, but numbers end at 65504, so that training scales its
//         loss (op3d/train/step/loss_scale.h); for users CUDA only
//   fp64  double precision throughout
#ifndef OP3D_TORCH_PRECISION_H_
#define OP3D_TORCH_PRECISION_H_

#include <c10/core/ScalarType.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

enum class Precision { kFloat32, kTf32, kBfloat16, kFloat16, kFloat64 };

// "fp32", "tf32", "bf16", "fp16", "fp64".
std::string PrecisionName(Precision precision);

// The type of convolutions and features: float, double, bfloat16 or float16.
c10::ScalarType ComputingType(Precision precision);

// The precision with that name; empty means fp32.  InvalidArgument for other words, also "auto".
absl::StatusOr<Precision> ParsePrecision(absl::string_view name);

struct PrecisionChoice {
  Precision precision = Precision::kFloat32;
  // For the user; for "auto" it includes the measurement.
  std::string reason;
};

// From a user's word, which may be "auto", for "cpu" or "cuda[:N]".  Auto measures matrix products
// on the device and chooses bf16 if it is at least 1.3 times as fast as fp32.
// A measured choice may differ from run to run: resolve it once and record the result.
// InvalidArgument for another word and for tf32 and fp16 on a CPU.
absl::StatusOr<PrecisionChoice> ChoosePrecision(absl::string_view wanted,
                                                const std::string& device);

}  // namespace op3d

#endif  // OP3D_TORCH_PRECISION_H_
