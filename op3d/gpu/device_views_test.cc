#include "op3d/gpu/device_views.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "data/loader/loader.h"
#include "data/loader/testing/test_videos.h"
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
    for (const at::ScalarType half : {at::kBFloat16, at::kHalf}) {
      EXPECT_TRUE(views.Clips(0, 12, half).equal(expected.to(half)));
    }
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

TransformSettings Transform() {
  TransformSettings settings;
  settings.set_train_crop(16);
  settings.set_min_area(0.3);
  settings.set_max_area(1);
  settings.set_jitter_probability(0.7);
  settings.set_brightness(0.4);
  settings.set_contrast(0.4);
  settings.set_saturation(0.4);
  settings.set_grey_probability(0.3);
  settings.set_horizontal_flip(true);
  settings.set_search_short_side(18);
  settings.set_search_crop(16);
  settings.set_test_short_side(20);
  settings.set_test_crop(16);
  return settings;
}

// Videos that are decoded, of which the device makes the clips, against clips that the CPU makes.
TEST(DeviceViewsTest, ClipsOfDecodedPicturesAreTheLoadersInEveryBit) {
  const std::vector<data::Video> videos = data::MakeTestVideos(6, "planes");
  for (const bool blurred : {false, true}) {
    data::TrainLoaderOptions train;
    train.shape = {1, 4, 1};
    train.transform = Transform();
    // Half of the clips then need the CPU.
    train.transform.set_blur_probability(blurred ? 0.5 : 0);
    train.batch_size = 3;
    data::EvaluationLoaderOptions evaluation;
    evaluation.shape = train.shape;
    evaluation.transform = Transform();
    evaluation.clips = 3;
    int as_planes = 0, as_pictures = 0;
    std::vector<std::vector<at::Tensor>> all(2);
    for (const bool planes : {false, true}) {
      train.bytes = train.planes = evaluation.bytes = evaluation.planes = planes;
      data::FrameStore store(0);
      std::vector<std::unique_ptr<data::ClipLoader>> loaders;
      for (train.epoch = 0; train.epoch < 3; ++train.epoch) {
        loaders.push_back(data::ClipLoader::ForTraining(videos, &store, train).value());
      }
      loaders.push_back(data::ClipLoader::ForSearch(videos, &store, evaluation).value());
      loaders.push_back(data::ClipLoader::ForTest(videos, &store, evaluation).value());
      data::Batch batch;
      for (const auto& loader : loaders) {
        while (loader->Next(&batch).value()) {
          for (const data::ByteViews& views : batch.byte_views) {
            ++(views.planes.has_value() ? as_planes : as_pictures);
          }
          const int64_t count = int64_t{batch.size} * batch.views;
          all[planes].push_back(
              planes ? DeviceViews(batch.byte_views, at::kCPU).Clips(0, count, at::kFloat)
                     : at::from_blob(batch.clips.data(), {count, 3, 4, 16, 16}).clone());
        }
      }
    }
    EXPECT_GT(as_planes, 12);
    EXPECT_EQ(as_pictures > 0, blurred);
    ASSERT_EQ(all[0].size(), all[1].size());
    for (size_t i = 0; i < all[0].size(); ++i) EXPECT_TRUE(all[1][i].equal(all[0][i])) << i;
  }
}

}  // namespace
}  // namespace op3d::gpu
