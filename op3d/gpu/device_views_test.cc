#include "op3d/gpu/device_views.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "op3d/base/random_stream.h"

namespace op3d::gpu {
namespace {

// `clips` clips of `frames` random pictures, in `crops` squares of `size` pixels.
data::ByteViews Random(int clips, int frames, int crops, int size, uint64_t seed) {
  RandomStream stream(seed, "device_views", {});
  data::ByteViews views;
  views.width = size + static_cast<int>(stream.UniformInt(9));
  views.height = size + static_cast<int>(stream.UniformInt(9));
  const int pictures = 1 + static_cast<int>(stream.UniformInt(clips * frames));
  views.pixels.resize(size_t{3} * views.width * views.height * pictures);
  for (uint8_t& pixel : views.pixels) pixel = static_cast<uint8_t>(stream.UniformInt(256));
  views.frames = frames;
  for (int i = 0; i < clips * frames; ++i) {
    views.pictures.push_back(static_cast<int32_t>(stream.UniformInt(pictures)));
  }
  for (int i = 0; i < crops; ++i) {
    views.crops.push_back({static_cast<int>(stream.UniformInt(views.width - size + 1)),
                           static_cast<int>(stream.UniformInt(views.height - size + 1)), size,
                           size});
  }
  return views;
}

at::Tensor Expected(const data::ByteViews& views, int64_t count, int size) {
  const at::Tensor out = at::empty({count, 3, views.frames, size, size});
  data::NormaliseViews(views, 0, count, out.data_ptr<float>());
  return out;
}

TEST(DeviceViewsTest, GivesTheBitsOfTheCpusNormalising) {
  for (const int size : {1, 7, 16}) {
    data::ByteViews test = Random(/*clips=*/4, /*frames=*/3, /*crops=*/3, size, 1);
    const at::Tensor expected = Expected(test, 12, size);
    const DeviceViews views({test}, at::kCPU);
    EXPECT_EQ(views.count(), 12);
    // Kept after the views are gone.
    test.pixels.assign(test.pixels.size(), 0);
    EXPECT_TRUE(views.Clips(0, 12, at::kFloat).equal(expected));
    EXPECT_TRUE(views.Clips(5, 4, at::kFloat).equal(expected.narrow(0, 5, 4)));
    EXPECT_TRUE(views.Clips(0, 12, at::kBFloat16).equal(expected.to(at::kBFloat16)));
    EXPECT_TRUE(views.Clips(2, 1, at::kDouble).equal(expected.narrow(0, 2, 1).to(at::kDouble)));
    EXPECT_EQ(views.Clips(12, 0, at::kFloat).numel(), 0);
  }
}

TEST(DeviceViewsTest, ClipsOfATrainingBatchAreInItsOrder) {
  std::vector<data::ByteViews> batch;
  std::vector<at::Tensor> expected;
  for (int i = 0; i < 5; ++i) {
    batch.push_back(Random(/*clips=*/1, /*frames=*/4, /*crops=*/1, /*size=*/12, 10 + i));
    batch.back().mirror = i % 2 == 1;
    if (i > 2) batch.back().content = data::FrameContent::kFlow;
    expected.push_back(Expected(batch.back(), 1, 12));
  }
  EXPECT_FALSE(expected[1].equal(expected[0]));
  EXPECT_TRUE(DeviceViews(batch, at::kCPU).Clips(0, 5, at::kFloat).equal(at::cat(expected)));
}

TEST(DeviceViewsTest, RefusesViewsOfSeveralSizesAndThoseThatAreNotThere) {
  const std::vector<data::ByteViews> mixed = {Random(1, 4, 1, 12, 1), Random(1, 4, 1, 11, 1)};
  EXPECT_THROW(DeviceViews(mixed, at::kCPU), c10::Error);
  const DeviceViews one({mixed[0]}, at::kCPU);
  EXPECT_THROW(one.Clips(0, 2, at::kFloat), c10::Error);
  EXPECT_THROW(one.Clips(-1, 1, at::kFloat), c10::Error);
  const DeviceViews none({}, at::kCPU);
  EXPECT_EQ(none.count(), 0);
}

}  // namespace
}  // namespace op3d::gpu
