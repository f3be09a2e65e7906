#include "op3d/train/cost/memory_fit.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int64_t kGigabyte = 1'000'000'000;

// 4 GB that do not depend on the batch, and 1 GB a clip.
MemoryEstimate Estimate(int batch_size) {
  MemoryEstimate memory;
  memory.weights = memory.gradients = memory.optimizer = memory.average = kGigabyte;
  memory.activations = batch_size * kGigabyte;
  return memory;
}

TEST(FitBatchTest, KeepsTheClipsOfAStep) {
  const Batches batches = {24, 2};
  const auto fit = [&](int64_t have) {
    return FitBatch(Estimate(24), batches, have * kGigabyte).batches;
  };
  EXPECT_EQ(fit(28).batch_size, 24);
  EXPECT_EQ(fit(28).accumulation, 2);
  // 23 to 13 do not divide 24.
  EXPECT_EQ(fit(27).batch_size, 12);
  EXPECT_EQ(fit(27).accumulation, 4);
  EXPECT_EQ(fit(5).batch_size, 1);
  EXPECT_EQ(fit(5).accumulation, 48);
  EXPECT_EQ(FitBatch(Estimate(24), batches, 10 * kGigabyte).need, 10 * kGigabyte);
  EXPECT_GT(FitBatch(Estimate(24), batches, 4 * kGigabyte).need, 4 * kGigabyte);
}

TEST(TooLargeTest, NamesStateBatchNeedHaveAndWhatWouldFit) {
  const Batches batches = {24, 2};
  const MemoryEstimate memory = Estimate(24);
  const int64_t have = 20 * kGigabyte;
  EXPECT_THAT(TooLarge("S64", batches, memory.Total(), have, FitBatch(memory, batches, have)),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("state 'S64': batch_size 24 needs about 28.0 GB"),
                             HasSubstr("which has 20.0 GB"),
                             HasSubstr("batch_size 12 with accumulation 4 would fit (16.0 GB)"),
                             HasSubstr("training.fit_memory=true"))));
  EXPECT_THAT(
      TooLarge("S64", batches, memory.Total(), 100'000'000, FitBatch(memory, batches, 100'000'000)),
      StatusIs(absl::StatusCode::kResourceExhausted,
               AllOf(HasSubstr("100 MB"), HasSubstr("even batch_size 1 needs 5.0 GB"))));
}

}  // namespace
}  // namespace op3d
