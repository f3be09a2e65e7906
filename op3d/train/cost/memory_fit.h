// Whether a state fits into a device's memory, and which batch would.
//
//   const BatchFit fit = FitBatch(memory, {/*batch_size=*/32, /*accumulation=*/1}, have);
//   if (fit.need > have) return TooLarge("S64", {32, 1}, memory.Total(), have, fit);
//
// Pure functions; thread-safe.
#ifndef OP3D_TRAIN_COST_MEMORY_FIT_H_
#define OP3D_TRAIN_COST_MEMORY_FIT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "op3d/train/cost/memory_estimate.h"

namespace op3d {

struct Batches {
  // Clips of a micro-batch, and micro-batches of a step.  At least 1.
  int batch_size = 1;
  int accumulation = 1;
};

struct BatchFit {
  Batches batches;
  // Bytes that it needs; more than there are if nothing fits.
  int64_t need = 0;
};

// The largest divisor of batch_size that needs at most `have` bytes, or 1 if none does, with an
// accumulation that keeps the clips of a step; `memory` is the estimate for `batches`.
BatchFit FitBatch(const MemoryEstimate& memory, const Batches& batches, int64_t have);

// ResourceExhausted: state, batch, need, have, and what would fit.
absl::Status TooLarge(absl::string_view state, const Batches& batches, int64_t need, int64_t have,
                      const BatchFit& fit);

// "45.1 GB", "312 MB": decimal units.
std::string BytesText(int64_t bytes);

}  // namespace op3d

#endif  // OP3D_TRAIN_COST_MEMORY_FIT_H_
