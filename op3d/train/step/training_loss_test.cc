#include "op3d/train/step/training_loss.h"

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

// Four clips of 16x32x32, every other one mirrored, as floats or as bytes.
data::Batch RandomBatch(bool bytes) {
  RandomStream stream(1, "training_loss", {});
  data::Batch batch;
  batch.size = 4;
  batch.frames = 16;
  batch.height = batch.width = 32;
  batch.labels = {0, 3, 8, 1};
  for (int i = 0; i < batch.size; ++i) {
    data::ByteViews views;
    views.height = views.width = 32;
    views.frames = batch.frames;
    views.crops = {{0, 0, 32, 32}};
    views.mirror = i % 2 == 1;
    for (int t = 0; t < batch.frames; ++t) views.pictures.push_back(t);
    views.pixels.resize(size_t{16} * 32 * 32 * 3);
    for (uint8_t& pixel : views.pixels) pixel = static_cast<uint8_t>(stream.UniformInt(256));
    batch.clips.resize(batch.clips.size() + views.ValuesPerView());
    NormaliseViews(views, 0, 1, &batch.clips[batch.clips.size() - views.ValuesPerView()]);
    batch.byte_views.push_back(std::move(views));
  }
  if (bytes) {
    batch.clips.clear();
  } else {
    batch.byte_views.clear();
  }
  return batch;
}

// The loss and the gradient of the first weights.
std::vector<at::Tensor> LossOf(data::Batch batch) {
  auto network = Network::Make({"dg_p3d_miniature", 9, 0.2}, 1);
  EXPECT_THAT(network, IsOk());
  (*network)->SetTraining(true);
  const MicroBatchLossOptions options = {9, 1, "train"};
  const MicroBatch mixed = MixMicroBatch({}, options, {0, 0}, at::kCPU, &batch);
  const auto loss = MicroBatchLoss(options, {0, 0}, mixed, network->get());
  EXPECT_THAT(loss, IsOk());
  loss->backward();
  return {loss->detach(), (*network)->Parameters()[0].second.grad().clone()};
}

TEST(TrainingLossTest, ClipsThatCameAsBytesGiveTheSameBits) {
  const std::vector<at::Tensor> floats = LossOf(RandomBatch(false));
  const std::vector<at::Tensor> bytes = LossOf(RandomBatch(true));
  EXPECT_TRUE(bytes[0].equal(floats[0])) << bytes[0] << floats[0];
  EXPECT_TRUE(bytes[1].equal(floats[1]));
}

}  // namespace
}  // namespace op3d
