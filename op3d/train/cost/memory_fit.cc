#include "op3d/train/cost/memory_fit.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace op3d {

BatchFit FitBatch(const MemoryEstimate& memory, const Batches& batches, int64_t have) {
  const int64_t fixed = memory.Total() - memory.activations;
  BatchFit fit = {batches, memory.Total()};
  for (int size = batches.batch_size; size >= 1 && fit.need > have; --size) {
    if (batches.batch_size % size != 0) continue;
    fit.batches = {size, batches.accumulation * (batches.batch_size / size)};
    // Rounded up.
    fit.need = fixed + (memory.activations * size + batches.batch_size - 1) / batches.batch_size;
  }
  return fit;
}

std::string BytesText(int64_t bytes) {
  constexpr double kGigabyte = 1e9;
  const double value = static_cast<double>(bytes);
  return value < kGigabyte ? absl::StrFormat("%.0f MB", value / 1e6)
                           : absl::StrFormat("%.1f GB", value / kGigabyte);
}

absl::Status TooLarge(absl::string_view state, const Batches& batches, int64_t need, int64_t have,
                      const BatchFit& fit) {
  std::string text =
      absl::StrCat("state '", state, "': batch_size ", batches.batch_size, " needs about ",
                   BytesText(need), " of the GPU's memory, which has ", BytesText(have), "; ");
  if (fit.need <= have) {
    absl::StrAppend(&text, "batch_size ", fit.batches.batch_size, " with accumulation ",
                    fit.batches.accumulation, " would fit (", BytesText(fit.need),
                    "); training.fit_memory=true chooses it");
  } else {
    absl::StrAppend(&text, "even batch_size 1 needs ", BytesText(fit.need),
                    "; set training.activation_checkpointing_frames=1, or take shorter clips, a "
                    "smaller network or training.precision=bf16");
  }
  return absl::ResourceExhaustedError(text);
}

}  // namespace op3d
