#include "op3d/train/step/micro_batch_step.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <memory>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

MicroBatch Clips(int64_t clips, float shift) {
  MicroBatch batch;
  batch.clips = at::linspace(shift - 1, 1, clips * 3 * 16 * 32 * 32).view({clips, 3, 16, 32, 32});
  batch.labels = at::tensor({0, 3, 1}, at::kLong).narrow(0, 0, clips);
  return batch;
}

std::unique_ptr<Network> MakeNetwork() {
  return Network::Make({"dg_p3d_miniature", 4, /*dropout=*/0.5}, /*seed=*/3).value();
}

MicroBatchLossOptions Options() {
  MicroBatchLossOptions options;
  options.classes = 4;
  options.seed = 7;
  options.purpose = "test";
  return options;
}

// A plain micro-batch; returns the loss.
at::Tensor Accumulate(const MicroBatchPlace& place, const MicroBatch& batch, Network* network) {
  const at::Tensor loss = *MicroBatchLoss(Options(), place, batch, network);
  (loss * 0.5).backward();
  return loss.detach();
}

void ExpectEqualGradients(const Network& a, const Network& b) {
  for (size_t i = 0; i < a.Parameters().size(); ++i) {
    EXPECT_TRUE(at::equal(a.Parameters()[i].second.grad(), b.Parameters()[i].second.grad()))
        << a.Parameters()[i].first;
  }
}

void ClearGradients(Network* network) {
  for (const auto& [name, parameter] : network->Parameters()) {
    parameter.mutable_grad() = at::Tensor();
  }
}

// Over two steps of the optimiser, which clears the gradients, with a smaller micro-batch in each.
TEST(MicroBatchStepTest, AddsTheGradientsOfPlainMicroBatchesWhereARecordingFindsThem) {
  const auto plain = MakeNetwork(), other = MakeNetwork();
  MicroBatchStep step(Options(), 0.5, /*recorded=*/true, other.get());
  const at::Tensor& gradient = other->Parameters()[0].second.grad();
  const void* memory = nullptr;
  for (int64_t micro = 0; micro < 6; ++micro) {
    if (micro % 3 == 0) {
      ClearGradients(plain.get());
      ClearGradients(other.get());
    }
    const MicroBatch batch = Clips(micro % 3 == 1 ? 2 : 3, 0.1f * static_cast<float>(micro));
    const at::Tensor expected = Accumulate({1, micro}, batch, plain.get());
    ASSERT_OK_AND_ASSIGN(const at::Tensor loss, step.Run({1, micro}, batch));
    EXPECT_TRUE(at::equal(loss, expected)) << micro;
    EXPECT_FALSE(loss.requires_grad());
    ExpectEqualGradients(*other, *plain);
    if (memory == nullptr) memory = gradient.data_ptr();
    EXPECT_EQ(gradient.data_ptr(), memory);
  }
  EXPECT_EQ(step.failure(), "");
}

// The scale changes between two steps, also of a recording.
TEST(MicroBatchStepTest, GradientsAreMultipliedByTheLossScale) {
  const auto plain = MakeNetwork();
  for (const bool recorded : {false, true}) {
    const auto other = MakeNetwork();
    MicroBatchStep step(Options(), 0.5, recorded, other.get());
    for (int64_t micro = 0; micro < 5; ++micro) {
      const double scale = std::ldexp(1, static_cast<int>(16 - micro));
      ClearGradients(plain.get());
      ClearGradients(other.get());
      const MicroBatch batch = Clips(3, 0.1f * static_cast<float>(micro));
      const at::Tensor expected = Accumulate({1, micro}, batch, plain.get());
      step.SetLossScale(scale);
      ASSERT_OK_AND_ASSIGN(const at::Tensor loss, step.Run({1, micro}, batch));
      EXPECT_TRUE(at::equal(loss, expected)) << "of " << micro << ", which is not multiplied";
      for (size_t i = 0; i < plain->Parameters().size(); ++i) {
        EXPECT_TRUE(at::equal(other->Parameters()[i].second.grad(),
                              plain->Parameters()[i].second.grad() * scale))
            << plain->Parameters()[i].first;
      }
    }
  }
}

TEST(MicroBatchStepTest, GoesOnFromACheckpointsGradients) {
  const auto plain = MakeNetwork(), other = MakeNetwork();
  Accumulate({0, 0}, Clips(3, 0), plain.get());
  Accumulate({0, 0}, Clips(3, 0), other.get());
  MicroBatchStep step(Options(), 0.5, /*recorded=*/true, other.get());
  Accumulate({0, 1}, Clips(3, 0.5f), plain.get());
  ASSERT_THAT(step.Run({0, 1}, Clips(3, 0.5f)), IsOk());
  ExpectEqualGradients(*other, *plain);
}

TEST(MicroBatchStepTest, ANetworksErrorIsReturnedAsItIs) {
  const auto network = MakeNetwork();
  for (const bool recorded : {false, true}) {
    MicroBatchStep step(Options(), 0.5, recorded, network.get());
    MicroBatch batch = Clips(3, 0);
    batch.clips = batch.clips.narrow(2, 0, 8);  // too few frames
    EXPECT_THAT(step.Run({0, 0}, batch),
                StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("frames")));
    EXPECT_THAT(step.Run({0, 0}, Clips(3, 0)), IsOk()) << "another shape may follow";
  }
}

}  // namespace
}  // namespace op3d
