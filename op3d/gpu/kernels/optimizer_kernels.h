// The optimiser on a GPU: the gradient's global norm, and one pass over memory that clips, updates
// and averages all parameters.  The formulas are those of op3d/train/step/optimizer.h.
//
//   // Once: every tensor as chunks of at most kChunk numbers, and their rates' factors.
//   // A step: SquareSums -> ClipFactor -> SgdUpdate or AdamWUpdate.
//
// What changes from step to step (StepValues) is an argument of the kernels: a copy to the device would
// make the host wait.  A norm that is not finite changes nothing; the host reads ClipState afterwards.
#ifndef OP3D_GPU_KERNELS_OPTIMIZER_KERNELS_H_
#define OP3D_GPU_KERNELS_OPTIMIZER_KERNELS_H_

#include <cmath>
#include <cstdint>

#include "op3d/gpu/kernels/host_device.h"

namespace op3d::gpu {

inline constexpr int kChunk = 16384;

// A part of a parameter.
struct ParameterChunk {
  float* weights;
  const float* gradient;
  float* first;    // SGD: the momentum
  float* second;   // AdamW only
  float* average;  // null: no average
  int32_t count;
  float rate_factor;
};

struct StepValues {
  float rate;
  // SGD: the first step sets the momentum to the gradient.
  int32_t first_step;
  // AdamW: 1 - beta1^t and sqrt(1 - beta2^t).
  float first_correction, second_correction;
  // The gradients are this number times the true ones: a power of two, at least 1.
  float gradient_scale = 1;
};

struct ClipState {
  // Of the true gradient.
  double norm;
  // Of the given gradients: clips and undoes their scale.
  float factor;
  int32_t finite;
};

OP3D_HD bool IsFinite(double value) { return value - value == 0; }

// The sum of squares of each chunk's gradient.
struct SquareSums {
  static constexpr int kThreads = 256, kPhases = 2;
  struct Shared {
    double sums[kThreads];
  };
  const ParameterChunk* chunks;
  int64_t count;
  double* partial;  // [count]

  OP3D_HD int64_t tiles() const { return count; }
  OP3D_HD void Phase(int phase, int64_t tile, int thread, Shared* shared) const {
    if (phase == 0) {
      const ParameterChunk& chunk = chunks[tile];
      double sum = 0;
      for (int32_t i = thread; i < chunk.count; i += kThreads) {
        sum += double{chunk.gradient[i]} * double{chunk.gradient[i]};
      }
      shared->sums[thread] = sum;
    } else if (thread == 0) {
      double sum = 0;
      for (int k = 0; k < kThreads; ++k) sum += shared->sums[k];
      partial[tile] = sum;
    }
  }
};

// One tile: the norm, and the factor that clips it.  Divisions by a power of two are exact: without
// overflow the results are those of unscaled gradients in every bit.
struct ClipFactor {
  static constexpr int kThreads = 256, kPhases = 2;
  struct Shared {
    double sums[kThreads];
  };
  const double* partial;
  int64_t count;
  double clip_norm;
  StepValues values;
  ClipState* state;

  OP3D_HD int64_t tiles() const { return 1; }
  OP3D_HD void Phase(int phase, int64_t /*tile*/, int thread, Shared* shared) const {
    if (phase == 0) {
      double sum = 0;
      for (int64_t i = thread; i < count; i += kThreads) sum += partial[i];
      shared->sums[thread] = sum;
    } else if (thread == 0) {
      double sum = 0;
      for (int k = 0; k < kThreads; ++k) sum += shared->sums[k];
      const double scale = values.gradient_scale, norm = sqrt(sum) / scale;
      const double factor = clip_norm / (norm + 1e-6);
      state->norm = norm;
      state->finite = IsFinite(norm) ? 1 : 0;
      state->factor = static_cast<float>((factor < 1 ? factor : 1.0) / scale);
    }
  }
};

// average + (weights - average) * share, as LibTorch's lerp.
OP3D_HD float Lerp(float average, float weights, float share) {
  const float difference = weights - average;
  return share < 0.5f ? average + share * difference : weights - difference * (1 - share);
}

// Runs `Update` on every number of every chunk; a base of the updates below.
template <typename Update>
struct ChunkUpdate {
  static constexpr int kThreads = 256, kPhases = 1;
  struct Shared {};
  Update update;
  const ParameterChunk* chunks;
  int64_t count;
  StepValues values;
  const ClipState* clip;
  float average_share;  // 1 - decay

  OP3D_HD int64_t tiles() const { return count; }
  OP3D_HD void Phase(int /*phase*/, int64_t tile, int thread, Shared* /*shared*/) const {
    if (clip->finite == 0) return;
    const ParameterChunk chunk = chunks[tile];
    const float rate = values.rate * chunk.rate_factor, factor = clip->factor;
    for (int32_t i = thread; i < chunk.count; i += kThreads) {
      float weight = chunk.weights[i];
      update.One(factor < 1 ? chunk.gradient[i] * factor : chunk.gradient[i], rate, values, chunk,
                 i, &weight);
      chunk.weights[i] = weight;
      if (chunk.average != nullptr) {
        chunk.average[i] = Lerp(chunk.average[i], weight, average_share);
      }
    }
  }
};

struct SgdRule {
  float momentum, weight_decay;
  bool nesterov;

  OP3D_HD void One(float gradient, float rate, const StepValues& now, const ParameterChunk& chunk,
                   int32_t i, float* weight) const {
    const float d = gradient + weight_decay * *weight;
    if (momentum == 0) {
      *weight -= rate * d;
      return;
    }
    const float v = now.first_step != 0 ? d : momentum * chunk.first[i] + d;
    chunk.first[i] = v;
    *weight -= rate * (nesterov ? d + momentum * v : v);
  }
};

struct AdamWRule {
  float beta1, beta2, epsilon, weight_decay;

  OP3D_HD void One(float gradient, float rate, const StepValues& now, const ParameterChunk& chunk,
                   int32_t i, float* weight) const {
    *weight -= rate * weight_decay * *weight;
    const float first = Lerp(chunk.first[i], gradient, 1 - beta1);
    const float second = beta2 * chunk.second[i] + (1 - beta2) * gradient * gradient;
    chunk.first[i] = first;
    chunk.second[i] = second;
    const float deviation = sqrtf(second) / now.second_correction + epsilon;
    *weight -= rate / now.first_correction * first / deviation;
  }
};

using SgdUpdate = ChunkUpdate<SgdRule>;
using AdamWUpdate = ChunkUpdate<AdamWRule>;

}  // namespace op3d::gpu

#endif  // OP3D_GPU_KERNELS_OPTIMIZER_KERNELS_H_
