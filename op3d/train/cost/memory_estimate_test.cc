#include "op3d/train/cost/memory_estimate.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

MemoryProbe Miniature() {
  MemoryProbe probe;
  probe.network.set_name("dg_p3d_miniature");
  probe.classes = 9;
  probe.side = 32;
  probe.batch_size = 4;
  return probe;
}

TEST(MemoryEstimateTest, CountsWhatIsKept) {
  MemoryProbe probe = Miniature();
  ASSERT_OK_AND_ASSIGN(const MemoryEstimate sgd, EstimateMemory(probe));
  EXPECT_EQ(sgd.optimizer, sgd.gradients);
  EXPECT_EQ(sgd.average, 0);
  probe.training.mutable_adamw();
  probe.training.set_average_decay(0.9);
  probe.batch_size = 8;
  ASSERT_OK_AND_ASSIGN(const MemoryEstimate adamw, EstimateMemory(probe));
  EXPECT_EQ(adamw.optimizer, 2 * sgd.optimizer);
  EXPECT_EQ(adamw.average, sgd.weights);
  EXPECT_EQ(adamw.activations, 2 * sgd.activations);
}

TEST(MemoryEstimateTest, CheckpointingTakesLessWhereTheClipIsLongEnough) {
  MemoryProbe probe = Miniature();
  ASSERT_OK_AND_ASSIGN(const MemoryEstimate plain, EstimateMemory(probe));
  probe.training.set_activation_checkpointing_frames(16);
  ASSERT_OK_AND_ASSIGN(const MemoryEstimate checkpointed, EstimateMemory(probe));
  EXPECT_LT(checkpointed.activations, 0.8 * plain.activations);
  EXPECT_EQ(checkpointed.Checkpoint(), plain.Checkpoint());
  probe.training.set_activation_checkpointing_frames(17);  // the clip is shorter
  ASSERT_OK_AND_ASSIGN(const MemoryEstimate longer, EstimateMemory(probe));
  EXPECT_EQ(longer.activations, plain.activations);
}

}  // namespace
}  // namespace op3d
