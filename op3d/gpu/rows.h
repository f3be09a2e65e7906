// The row kernels (kernels/row_kernels.h) on tensors: sums with ReLU, sums of clips, and batch
// normalisation with ReLU and a shortcut.
//
//   RunsOnGpu(rows) ? Normalise(rows, {}, weight, bias, running_mean, running_variance, options)
//
// Rows are [rows, C], contiguous, float, bfloat16 or float16; everything per channel is float.  The
// layers use these functions for tensors on a GPU; they also take tensors on the CPU, where tests
// compare them with the layers' own arithmetic.  Nothing here records gradients.  Thread-safe.
#ifndef OP3D_GPU_ROWS_H_
#define OP3D_GPU_ROWS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace op3d::gpu {

// True if `rows` is on a GPU, this program has kernels for it, and it has a type and layout for
// them.  Always false without --config=cuda.
bool RunsOnGpu(const at::Tensor& rows);

// Exactly op3d::SumRows (op3d/network/layers/row_sums.h), except that a sum in 16 bits is rounded
// once.
void SumRowsOf(const at::Tensor& a, const at::Tensor& b, const at::Tensor& per_clip, bool relu,
               at::Tensor* output);

// `gradient` where `output` is above 0, else 0; both [rows, C].
at::Tensor ReluGradientOf(const at::Tensor& gradient, const at::Tensor& output);

// [clips, C] in float: the sum of each clip's rows times `factor`.
at::Tensor ClipTotals(const at::Tensor& rows, int64_t clips, double factor);

struct NormOptions {
  // The batch's statistics instead of the running ones.
  bool batch_statistics = true;
  // With the batch's statistics: update the running ones.
  bool moves = true;
  double momentum = 0.1;
  double epsilon = 1e-5;
  bool relu = false;
};

struct NormOutput {
  at::Tensor rows;
  // For NormaliseBackward, [C].
  at::Tensor mean, inverse_deviation;
};

// Normalises the columns of `rows`, adds `shortcut` (may be undefined), then ReLU.  At least one row,
// with the batch's statistics two.
NormOutput Normalise(const at::Tensor& rows, const at::Tensor& shortcut, const at::Tensor& weight,
                     const at::Tensor& bias, const at::Tensor& running_mean,
                     const at::Tensor& running_variance, const NormOptions& options);

struct NormGradient {
  at::Tensor rows, weight, bias;
  // Only if wanted.
  at::Tensor shortcut;
};

// `output` is Normalise's result if there was a ReLU, else undefined; `rows` its input.
NormGradient NormaliseBackward(const at::Tensor& gradient, const at::Tensor& output,
                               const at::Tensor& rows, const at::Tensor& weight,
                               const at::Tensor& mean, const at::Tensor& inverse_deviation,
                               bool batch_statistics, bool shortcut_wanted);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_ROWS_H_
