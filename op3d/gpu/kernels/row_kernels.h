// Kernels on feature maps as matrices of rows (positions) and columns (channels): sums with ReLU,
// sums of columns, and batch normalisation with ReLU and a shortcut, forward and backward.
//
//   // Training, [rows, channels] of float, Bf16 or Fp16; `partial` is scratch memory:
//   ColumnSums<NormMoments<float>> moments = {{x, channels}, MakeTileShape(1, rows, channels), partial};
//   // run moments, then NormStatistics, then ApplyNorm
//   // Backward: ColumnSums<NormGradients<T>>, then NormGradientSums, then NormInputGradient
//
// Sums are made in a fixed order, so two runs give the same bits.  Everything is in single
// precision (sums over tiles in double); T is only what is read and written.
#ifndef OP3D_GPU_KERNELS_ROW_KERNELS_H_
#define OP3D_GPU_KERNELS_ROW_KERNELS_H_

#include <cmath>
#include <cstdint>

#include "op3d/gpu/kernels/host_device.h"

namespace op3d::gpu {

// A NaN stays one.
OP3D_HD float Relu(float value) { return value < 0 ? 0.0f : value; }

// out = a + b + per_clip[row / volume], then ReLU if `relu`, summed in this order.  `b` and
// `per_clip` may be null.  `out` may be `a`.  kPack divides `channels`.
template <typename T, int kPack>
struct SumRows {
  const T* a;
  const T* b;
  const float* per_clip;  // [clips, channels]
  T* out;
  int64_t rows, channels, volume;
  bool relu;

  OP3D_HD int64_t points() const { return rows * channels / kPack; }
  OP3D_HD void operator()(int64_t i) const {
    const int64_t at = i * kPack;
    Pack<T, kPack> sum = LoadPack<kPack>(a + at), other = sum;
    if (b != nullptr) other = LoadPack<kPack>(b + at);
    const float* context = nullptr;
    if (per_clip != nullptr) {
      int64_t channel, unused;
      const int64_t row = Divide(at, channels, &channel);
      context = per_clip + Divide(row, volume, &unused) * channels + channel;
    }
    for (int k = 0; k < kPack; ++k) {
      float value = ToFloat(sum.values[k]);
      if (b != nullptr) value += ToFloat(other.values[k]);
      if (context != nullptr) value += context[k];
      Store(relu ? Relu(value) : value, &sum.values[k]);
    }
    StorePack(sum, out + at);
  }
};

// out = gradient where `output`, the ReLU's result, is not 0 or below; else 0.
template <typename T, int kPack>
struct ReluGradient {
  const T* gradient;
  const T* output;
  T* out;
  int64_t count;  // a multiple of kPack

  OP3D_HD int64_t points() const { return count / kPack; }
  OP3D_HD void operator()(int64_t i) const {
    const int64_t at = i * kPack;
    Pack<T, kPack> values = LoadPack<kPack>(gradient + at);
    const Pack<T, kPack> outputs = LoadPack<kPack>(output + at);
    for (int k = 0; k < kPack; ++k) {
      if (ToFloat(outputs.values[k]) <= 0) Store(0.0f, &values.values[k]);
    }
    StorePack(values, out + at);
  }
};

// How [groups, rows, channels] is divided into tiles: 32 channels times `chunk` rows.
struct TileShape {
  int64_t groups, rows, channels;
  int64_t chunk, chunks, blocks;

  OP3D_HD int64_t tiles() const { return groups * chunks * blocks; }
  // Numbers of `sums` sums for all tiles: the length of ColumnSums.partial.
  OP3D_HD int64_t partials(int sums) const { return groups * chunks * channels * sums; }
};

// At most 128 tiles along the rows, so that adding up their sums stays cheap.
inline TileShape MakeTileShape(int64_t groups, int64_t rows, int64_t channels) {
  constexpr int64_t kLeastRows = 512, kMostChunks = 128;
  TileShape shape = {groups, rows, channels, kLeastRows, 0, (channels + 31) / 32};
  if (rows > kLeastRows * kMostChunks) shape.chunk = (rows + kMostChunks - 1) / kMostChunks;
  shape.chunks = (rows + shape.chunk - 1) / shape.chunk;
  return shape;
}

// For every group and channel the sums over rows of what `Op` adds per row, one partial sum per
// chunk: partial[((group * chunks + chunk) * channels + channel) * Op::kSums + s].
//   Op: static constexpr int kSums;
//       OP3D_HD void Add(int64_t row, int64_t channel, float* sums) const;   // row of all groups
template <typename Op>
struct ColumnSums {
  static constexpr int kLanes = 32, kRowLanes = 8;
  static constexpr int kThreads = kLanes * kRowLanes, kPhases = 2;
  struct Shared {
    float sums[kRowLanes][kLanes][Op::kSums];
  };

  Op op;
  TileShape shape;
  double* partial;

  OP3D_HD int64_t tiles() const { return shape.tiles(); }
  OP3D_HD void Phase(int phase, int64_t tile, int thread, Shared* shared) const {
    const int64_t block = tile % shape.blocks;
    const int64_t chunk = tile / shape.blocks % shape.chunks;
    const int64_t group = tile / shape.blocks / shape.chunks;
    const int lane = thread % kLanes, row_lane = thread / kLanes;
    const int64_t channel = block * kLanes + lane;
    if (channel >= shape.channels) return;
    if (phase == 0) {
      float sums[Op::kSums] = {};
      const int64_t begin = chunk * shape.chunk;
      const int64_t end = begin + shape.chunk < shape.rows ? begin + shape.chunk : shape.rows;
      for (int64_t row = begin + row_lane; row < end; row += kRowLanes) {
        op.Add(group * shape.rows + row, channel, sums);
      }
      for (int s = 0; s < Op::kSums; ++s) shared->sums[row_lane][lane][s] = sums[s];
    } else if (row_lane == 0) {
      for (int s = 0; s < Op::kSums; ++s) {
        double sum = 0;
        for (int r = 0; r < kRowLanes; ++r) sum += double{shared->sums[r][lane][s]};
        partial[((group * shape.chunks + chunk) * shape.channels + channel) * Op::kSums + s] = sum;
      }
    }
  }
};

// The sum over chunks of sum `s` of a channel, in order.
OP3D_HD double TotalOf(const double* partial, const TileShape& shape, int sums, int64_t group,
                       int64_t channel, int s) {
  double total = 0;
  for (int64_t chunk = 0; chunk < shape.chunks; ++chunk) {
    total += partial[((group * shape.chunks + chunk) * shape.channels + channel) * sums + s];
  }
  return total;
}

// Sums of x itself.
template <typename T>
struct PlainSum {
  static constexpr int kSums = 1;
  const T* x;
  int64_t channels;
  OP3D_HD void Add(int64_t row, int64_t channel, float* sums) const {
    sums[0] += ToFloat(x[row * channels + channel]);
  }
};

// out[group, channel] = factor times the sum: means of clips (factor 1 / volume), or sums.
struct ScaledTotals {
  const double* partial;
  TileShape shape;
  double factor;
  float* out;

  OP3D_HD int64_t points() const { return shape.groups * shape.channels; }
  OP3D_HD void operator()(int64_t i) const {
    out[i] = static_cast<float>(
        TotalOf(partial, shape, 1, i / shape.channels, i % shape.channels, 0) * factor);
  }
};

// Sums of x - x[0] and its square per channel; the difference keeps the variance exact where the
// mean is large.
template <typename T>
struct NormMoments {
  static constexpr int kSums = 2;
  const T* x;
  int64_t channels;
  OP3D_HD void Add(int64_t row, int64_t channel, float* sums) const {
    const float value = ToFloat(x[row * channels + channel]) - ToFloat(x[channel]);
    sums[0] += value;
    sums[1] += value * value;
  }
};

// What a channel's normalisation multiplies with and adds, after NormMoments.
template <typename T>
struct NormStatistics {
  const double* partial;
  TileShape shape;  // one group
  const T* x;
  const float* weight;
  const float* bias;
  float momentum, epsilon;
  // Both null: they do not move.
  float* running_mean;
  float* running_variance;
  // For the backward pass, [channels].
  float* mean;
  float* inverse_deviation;
  // output = input * scale + offset, [channels].
  float* scale;
  float* offset;

  OP3D_HD int64_t points() const { return shape.channels; }
  OP3D_HD void operator()(int64_t c) const {
    const double n = static_cast<double>(shape.rows);
    const double shifted = TotalOf(partial, shape, 2, 0, c, 0) / n;
    double variance = TotalOf(partial, shape, 2, 0, c, 1) / n - shifted * shifted;
    if (variance < 0) variance = 0;
    const double average = double{ToFloat(x[c])} + shifted;
    if (running_mean != nullptr) {
      const float unbiased = static_cast<float>(variance * (n / (n - 1)));
      running_mean[c] = (1 - momentum) * running_mean[c] + momentum * static_cast<float>(average);
      running_variance[c] = (1 - momentum) * running_variance[c] + momentum * unbiased;
    }
    mean[c] = static_cast<float>(average);
    inverse_deviation[c] = static_cast<float>(1.0 / sqrt(variance + double{epsilon}));
    scale[c] = inverse_deviation[c] * weight[c];
    offset[c] = bias[c] - mean[c] * scale[c];
  }
};

// The same from running statistics: evaluation, and frozen layers.
struct FrozenStatistics {
  const float* weight;
  const float* bias;
  const float* running_mean;
  const float* running_variance;
  float epsilon;
  float* mean;
  float* inverse_deviation;
  float* scale;
  float* offset;
  int64_t channels;

  OP3D_HD int64_t points() const { return channels; }
  OP3D_HD void operator()(int64_t c) const {
    mean[c] = running_mean[c];
    inverse_deviation[c] =
        static_cast<float>(1.0 / sqrt(double{running_variance[c]} + double{epsilon}));
    scale[c] = inverse_deviation[c] * weight[c];
    offset[c] = bias[c] - mean[c] * scale[c];
  }
};

// out = x * scale + offset + shortcut, then ReLU if `relu`.  `shortcut` may be null; `out` may be
// `x`.  kPack divides `channels`.
template <typename T, int kPack>
struct ApplyNorm {
  const T* x;
  const T* shortcut;
  const float* scale;
  const float* offset;
  T* out;
  int64_t rows, channels;
  bool relu;

  OP3D_HD int64_t points() const { return rows * channels / kPack; }
  OP3D_HD void operator()(int64_t i) const {
    const int64_t at = i * kPack;
    int64_t channel;
    Divide(at, channels, &channel);
    Pack<T, kPack> values = LoadPack<kPack>(x + at), other = values;
    if (shortcut != nullptr) other = LoadPack<kPack>(shortcut + at);
    for (int k = 0; k < kPack; ++k) {
      float value = ToFloat(values.values[k]) * scale[channel + k] + offset[channel + k];
      if (shortcut != nullptr) value += ToFloat(other.values[k]);
      Store(relu ? Relu(value) : value, &values.values[k]);
    }
    StorePack(values, out + at);
  }
};

// Sums of the gradient g and of g * (x - mean).  `output` is the ReLU's result, or null without
// one.
template <typename T>
struct NormGradients {
  static constexpr int kSums = 2;
  const T* gradient;
  const T* output;
  const T* x;
  const float* mean;
  int64_t channels;
  OP3D_HD void Add(int64_t row, int64_t channel, float* sums) const {
    const int64_t at = row * channels + channel;
    // All are read before one is tested: a GPU then waits for memory once.
    const float g = ToFloat(gradient[at]), value = ToFloat(x[at]);
    if (output != nullptr && ToFloat(output[at]) <= 0) return;
    sums[0] += g;
    sums[1] += g * (value - mean[channel]);
  }
};

// The gradients of weight and bias, and what the input's gradient needs, after NormGradients.
struct NormGradientSums {
  const double* partial;
  TileShape shape;  // one group
  const float* weight;
  const float* inverse_deviation;
  // False: frozen, the statistics do not depend on the input.
  bool batch_statistics;
  float* weight_gradient;
  float* bias_gradient;
  // [channels] each: input gradient = (g - shift - (x - mean) * slope) * factor.
  float* factor;
  float* shift;
  float* slope;

  OP3D_HD int64_t points() const { return shape.channels; }
  OP3D_HD void operator()(int64_t c) const {
    const double n = static_cast<double>(shape.rows);
    const double inverse = double{inverse_deviation[c]};
    const double sum = TotalOf(partial, shape, 2, 0, c, 0);
    const double product = TotalOf(partial, shape, 2, 0, c, 1);
    weight_gradient[c] = static_cast<float>(product * inverse);
    bias_gradient[c] = static_cast<float>(sum);
    factor[c] = inverse_deviation[c] * weight[c];
    shift[c] = batch_statistics ? static_cast<float>(sum / n) : 0.0f;
    slope[c] = batch_statistics ? static_cast<float>(product * inverse * inverse / n) : 0.0f;
  }
};

// The gradient of x, and with `shortcut_gradient` (or null) that of the shortcut.
template <typename T, int kPack>
struct NormInputGradient {
  const T* gradient;
  const T* output;  // or null
  const T* x;
  const float* mean;
  const float* factor;
  const float* shift;
  const float* slope;
  T* out;
  T* shortcut_gradient;
  int64_t rows, channels;

  OP3D_HD int64_t points() const { return rows * channels / kPack; }
  OP3D_HD void operator()(int64_t i) const {
    const int64_t at = i * kPack;
    int64_t channel;
    Divide(at, channels, &channel);
    Pack<T, kPack> gradients = LoadPack<kPack>(gradient + at);
    Pack<T, kPack> outputs = gradients;
    if (output != nullptr) outputs = LoadPack<kPack>(output + at);
    Pack<T, kPack> inputs = LoadPack<kPack>(x + at);
    for (int k = 0; k < kPack; ++k) {
      const int64_t c = channel + k;
      if (output != nullptr && ToFloat(outputs.values[k]) <= 0) {
        Store(0.0f, &gradients.values[k]);
      }
      const float g = ToFloat(gradients.values[k]);
      const float centred = ToFloat(inputs.values[k]) - mean[c];
      Store((g - shift[c] - centred * slope[c]) * factor[c], &inputs.values[k]);
    }
    StorePack(inputs, out + at);
    if (shortcut_gradient != nullptr) StorePack(gradients, shortcut_gradient + at);
  }
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_KERNELS_ROW_KERNELS_H_
