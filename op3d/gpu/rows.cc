#include "op3d/gpu/rows.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "op3d/gpu/kernel_runner.h"
#include "op3d/gpu/kernels/row_kernels.h"

namespace op3d::gpu {
namespace {

// LibTorch's bfloat16 and float16 are 16 bits too.
template <typename T>
T* Data(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

bool HasKernels(const at::Tensor& rows) {
  const at::ScalarType type = rows.scalar_type();
  return rows.dim() == 2 && rows.is_contiguous() &&
         (type == at::kFloat || type == at::kBFloat16 || type == at::kHalf);
}

void CheckRows(const at::Tensor& rows) {
  TORCH_CHECK(HasKernels(rows), "rows must be a contiguous matrix in float, bfloat16 or float16");
}

void CheckLike(const at::Tensor& other, const at::Tensor& rows) {
  if (!other.defined()) return;
  TORCH_CHECK(other.sizes() == rows.sizes() && other.is_contiguous() &&
                  other.scalar_type() == rows.scalar_type(),
              "the second matrix must have the shape, type and layout of the first one");
}

bool Aligned(const at::Tensor& tensor) {
  return !tensor.defined() || reinterpret_cast<uintptr_t>(tensor.data_ptr()) % 16 == 0;
}

// Calls `run(T{})` with the rows' type.
template <typename Run>
void WithType(const at::Tensor& rows, const Run& run) {
  if (rows.scalar_type() == at::kFloat) return run(float{});
  if (rows.scalar_type() == at::kHalf) return run(Fp16{});
  run(Bf16{});
}

// Calls `run(T{}, std::integral_constant<int, pack>{})` with the rows' type and the widest pack
// that all of these tensors allow.
template <typename Run>
void WithPack(const at::Tensor& rows, std::initializer_list<at::Tensor> all, const Run& run) {
  bool aligned = true;
  for (const at::Tensor& tensor : all) aligned = aligned && Aligned(tensor);
  WithType(rows, [&](auto value) {
    using T = decltype(value);
    constexpr int kPack = kWidePack<T>;
    if (aligned && rows.size(1) % kPack == 0) {
      run(value, std::integral_constant<int, kPack>{});
    } else {
      run(value, std::integral_constant<int, 1>{});
    }
  });
}

at::Tensor Floats(at::IntArrayRef sizes, const at::Tensor& like) {
  return at::empty(sizes, like.options().dtype(at::kFloat));
}

at::Tensor Partials(const TileShape& shape, int sums, const at::Tensor& like) {
  return at::empty({shape.partials(sums)}, like.options().dtype(at::kDouble));
}

}  // namespace

bool RunsOnGpu(const at::Tensor& rows) {
#ifdef OP3D_CUDA
  return rows.is_cuda() && rows.numel() > 0 && HasKernels(rows);
#else
  (void)rows;
  return false;
#endif
}

void SumRowsOf(const at::Tensor& a, const at::Tensor& b, const at::Tensor& per_clip, bool relu,
               at::Tensor* output) {
  CheckRows(a);
  CheckLike(b, a);
  if (!output->defined()) *output = at::empty_like(a);
  CheckLike(*output, a);
  const at::Tensor clips = per_clip.defined() ? per_clip.to(at::kFloat).contiguous() : per_clip;
  const int64_t volume = clips.defined() ? a.size(0) / clips.size(0) : 1;
  WithPack(a, {a, b, *output}, [&](auto type, auto pack) {
    using T = decltype(type);
    RunPoints(SumRows<T, decltype(pack)::value>{Data<const T>(a), Data<const T>(b),
                                                Data<const float>(clips), Data<T>(*output),
                                                a.size(0), a.size(1), volume, relu},
              a.device());
  });
}

at::Tensor ReluGradientOf(const at::Tensor& gradient, const at::Tensor& output) {
  CheckRows(output);
  const at::Tensor given = gradient.contiguous();
  CheckLike(given, output);
  at::Tensor result = at::empty_like(output);
  WithPack(output, {given, output, result}, [&](auto type, auto pack) {
    using T = decltype(type);
    RunPoints(ReluGradient<T, decltype(pack)::value>{Data<const T>(given), Data<const T>(output),
                                                     Data<T>(result), output.numel()},
              output.device());
  });
  return result;
}

at::Tensor ClipTotals(const at::Tensor& rows, int64_t clips, double factor) {
  CheckRows(rows);
  TORCH_CHECK(clips > 0 && rows.size(0) % clips == 0, rows.size(0), " rows of ", clips, " clips");
  const TileShape shape = MakeTileShape(clips, rows.size(0) / clips, rows.size(1));
  const at::Tensor partial = Partials(shape, 1, rows);
  at::Tensor totals = Floats({clips, rows.size(1)}, rows);
  WithType(rows, [&](auto type) {
    using T = decltype(type);
    RunTiles(
        ColumnSums<PlainSum<T>>{{Data<const T>(rows), rows.size(1)}, shape, Data<double>(partial)},
        rows.device());
  });
  RunPoints(ScaledTotals{Data<const double>(partial), shape, factor, Data<float>(totals)},
            rows.device());
  return totals;
}

NormOutput Normalise(const at::Tensor& rows, const at::Tensor& shortcut, const at::Tensor& weight,
                     const at::Tensor& bias, const at::Tensor& running_mean,
                     const at::Tensor& running_variance, const NormOptions& options) {
  CheckRows(rows);
  CheckLike(shortcut, rows);
  for (const at::Tensor& one : {weight, bias, running_mean, running_variance}) {
    TORCH_CHECK(!one.defined() || (one.scalar_type() == at::kFloat && one.is_contiguous()),
                "a normalisation on a GPU needs float weights and statistics");
  }
  const int64_t channels = rows.size(1);
  NormOutput output = {at::empty_like(rows), Floats({channels}, rows), Floats({channels}, rows)};
  const at::Tensor scale = Floats({channels}, rows), offset = Floats({channels}, rows);
  const float epsilon = static_cast<float>(options.epsilon);
  if (options.batch_statistics) {
    const TileShape shape = MakeTileShape(1, rows.size(0), channels);
    const at::Tensor partial = Partials(shape, 2, rows);
    WithType(rows, [&](auto type) {
      using T = decltype(type);
      RunTiles(
          ColumnSums<NormMoments<T>>{{Data<const T>(rows), channels}, shape, Data<double>(partial)},
          rows.device());
      RunPoints(NormStatistics<T>{Data<const double>(partial), shape, Data<const T>(rows),
                                  Data<const float>(weight), Data<const float>(bias),
                                  static_cast<float>(options.momentum), epsilon,
                                  options.moves ? Data<float>(running_mean) : nullptr,
                                  options.moves ? Data<float>(running_variance) : nullptr,
                                  Data<float>(output.mean), Data<float>(output.inverse_deviation),
                                  Data<float>(scale), Data<float>(offset)},
                rows.device());
    });
  } else {
    RunPoints(
        FrozenStatistics{Data<const float>(weight), Data<const float>(bias),
                         Data<const float>(running_mean), Data<const float>(running_variance),
                         epsilon, Data<float>(output.mean), Data<float>(output.inverse_deviation),
                         Data<float>(scale), Data<float>(offset), channels},
        rows.device());
  }
  WithPack(rows, {rows, shortcut, output.rows}, [&](auto type, auto pack) {
    using T = decltype(type);
    RunPoints(ApplyNorm<T, decltype(pack)::value>{Data<const T>(rows), Data<const T>(shortcut),
                                                  Data<const float>(scale),
                                                  Data<const float>(offset), Data<T>(output.rows),
                                                  rows.size(0), channels, options.relu},
              rows.device());
  });
  return output;
}

NormGradient NormaliseBackward(const at::Tensor& gradient, const at::Tensor& output,
                               const at::Tensor& rows, const at::Tensor& weight,
                               const at::Tensor& mean, const at::Tensor& inverse_deviation,
                               bool batch_statistics, bool shortcut_wanted) {
  CheckRows(rows);
  const at::Tensor given = gradient.contiguous();
  CheckLike(given, rows);
  CheckLike(output, rows);
  const int64_t channels = rows.size(1);
  const TileShape shape = MakeTileShape(1, rows.size(0), channels);
  const at::Tensor partial = Partials(shape, 2, rows);
  NormGradient result = {at::empty_like(rows), Floats({channels}, rows), Floats({channels}, rows),
                         shortcut_wanted ? at::empty_like(rows) : at::Tensor()};
  const at::Tensor factor = Floats({channels}, rows), shift = Floats({channels}, rows),
                   slope = Floats({channels}, rows);
  WithType(rows, [&](auto type) {
    using T = decltype(type);
    RunTiles(ColumnSums<NormGradients<T>>{{Data<const T>(given), Data<const T>(output),
                                           Data<const T>(rows), Data<const float>(mean), channels},
                                          shape,
                                          Data<double>(partial)},
             rows.device());
  });
  RunPoints(NormGradientSums{Data<const double>(partial), shape, Data<const float>(weight),
                             Data<const float>(inverse_deviation), batch_statistics,
                             Data<float>(result.weight), Data<float>(result.bias),
                             Data<float>(factor), Data<float>(shift), Data<float>(slope)},
            rows.device());
  WithPack(rows, {given, output, rows, result.rows, result.shortcut}, [&](auto type, auto pack) {
    using T = decltype(type);
    RunPoints(
        NormInputGradient<T, decltype(pack)::value>{
            Data<const T>(given), Data<const T>(output), Data<const T>(rows),
            Data<const float>(mean), Data<const float>(factor), Data<const float>(shift),
            Data<const float>(slope), Data<T>(result.rows), Data<T>(result.shortcut), rows.size(0),
            channels},
        rows.device());
  });
  return result;
}

}  // namespace op3d::gpu
