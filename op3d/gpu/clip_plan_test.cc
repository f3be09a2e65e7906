#include "op3d/gpu/clip_plan.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "data/video/image/image.h"
#include "data/video/image/yuv_to_rgb.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/gpu/kernels/cpu_driver.h"

namespace op3d::gpu {
namespace {

using testing::HasSubstr;

constexpr int kFrames = 2;
// BT.601 in libswscale's units.
constexpr std::array<int, 4> kMatrix = {104597, 132201, 25675, 53279};

TransformSettings Settings(int size) {
  TransformSettings settings;
  settings.set_train_crop(size);
  settings.set_min_area(0.3);
  settings.set_max_area(1);
  settings.set_jitter_probability(1);
  settings.set_brightness(0.4);
  settings.set_contrast(0.4);
  settings.set_saturation(0.4);
  settings.set_grey_probability(0.3);
  settings.set_horizontal_flip(true);
  settings.set_search_short_side(size);
  settings.set_search_crop(size);
  settings.set_test_short_side(size + 3);
  settings.set_test_crop(size);
  return settings;
}

PlanarPicture Picture(int width, int height, bool full_range = false) {
  return {width, height, kMatrix, full_range};
}

// Ramps and noise.
std::vector<uint8_t> Planes(const PlanarPicture& picture, uint64_t seed) {
  RandomStream stream(seed, "planes", {});
  std::vector<uint8_t> planes(static_cast<size_t>(picture.FrameBytes() * kFrames));
  for (size_t i = 0; i < planes.size(); ++i) {
    const bool noisy = i / 13 % 2 == 0;
    planes[i] = static_cast<uint8_t>(16 + (noisy ? stream.UniformInt(220) : i % 220));
  }
  return planes;
}

std::vector<data::RgbImage> Frames(const PlanarPicture& picture,
                                   const std::vector<uint8_t>& planes) {
  auto converter = data::YuvToRgb::Make(picture.width, picture.height, picture.matrix.data(),
                                        picture.full_range);
  std::vector<data::RgbImage> frames;
  for (int t = 0; t < kFrames; ++t) {
    const uint8_t* const y = planes.data() + t * picture.FrameBytes();
    const uint8_t* const u = y + int64_t{picture.width} * picture.height;
    const ptrdiff_t half = (picture.width + 1) / 2;
    data::RgbImage image = {picture.width, picture.height, {}};
    image.pixels.resize(size_t{3} * picture.width * picture.height);
    converter->Convert({y, u, u + picture.ChromaBytes()}, {picture.width, half, half},
                       {0, 0, picture.width, picture.height}, image.pixels.data());
    frames.push_back(std::move(image));
  }
  return frames;
}

// [frames, size, size, 3], from the CPU's transform.
std::vector<float> Expected(data::ClipTransform transform, int crop,
                            const std::vector<data::RgbImage>& frames) {
  const int64_t area = int64_t{transform.size()} * transform.size();
  std::vector<float> clip, planes(static_cast<size_t>(3 * area));
  for (const data::RgbImage& frame : frames) {
    EXPECT_THAT(transform.Load(frame), IsOk());
    transform.Store(crop, planes.data(), area);
    for (int64_t i = 0; i < area; ++i) {
      for (int c = 0; c < 3; ++c) clip.push_back(planes[static_cast<size_t>(c * area + i)]);
    }
  }
  return clip;
}

template <typename T>
std::vector<T> RunPlan(const ClipBatchPlan& plan, const std::vector<uint8_t>& planes, int size) {
  std::vector<uint64_t> tables((static_cast<size_t>(plan.TableBytes()) + 7) / 8);
  const std::vector<uint8_t> bytes = plan.Bytes(tables.data(), planes.data());
  EXPECT_EQ(bytes.size(), static_cast<size_t>(plan.TableBytes()));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<uint8_t*>(tables.data()));
  const ClipBatch batch = plan.Batch(tables.data());
  EXPECT_EQ(batch.size, size);
  std::vector<int64_t> sums(static_cast<size_t>(batch.clips * batch.frames));
  RunTilesOnCpu(ContrastSums{batch, sums.data()});
  const MakeClips<T> make = {batch, sums.data(), nullptr};
  std::vector<T> out(static_cast<size_t>(3 * make.points()));
  RunPointsOnCpu(MakeClips<T>{batch, sums.data(), out.data()});
  return out;
}

struct Case {
  int width, height, size;
  bool full_range;
};

class ClipPlanTest : public testing::TestWithParam<Case> {};

TEST_P(ClipPlanTest, TrainingGivesTheBitsOfTheCpusTransform) {
  const auto [width, height, size, full_range] = GetParam();
  const TransformSettings settings = Settings(size);
  const PlanarPicture picture = Picture(width, height, full_range);
  // Several clips in one batch, with all draws; another size of picture among them.
  ClipBatchPlan plan(kFrames, size);
  std::vector<uint8_t> planes;
  std::vector<float> expected;
  int contrasts = 0;
  for (int clip = 0; clip < 6; ++clip) {
    const PlanarPicture own = clip == 3 ? Picture(height + 1, width + 2) : picture;
    RandomStream stream(3, "clip_plan", {clip});
    const data::TrainDraw draw = data::DrawTrainTransform(settings, own.width, own.height, &stream);
    contrasts += draw.contrast != 1;
    ASSERT_THAT(plan.AddTraining(own, draw, settings), IsOk());
    const std::vector<uint8_t> bytes = Planes(own, clip);
    planes.insert(planes.end(), bytes.begin(), bytes.end());
    ASSERT_OK_AND_ASSIGN(data::ClipTransform transform,
                         data::ClipTransform::ForTraining(draw, settings));
    const std::vector<float> one = Expected(std::move(transform), 0, Frames(own, bytes));
    expected.insert(expected.end(), one.begin(), one.end());
  }
  EXPECT_EQ(plan.PlaneBytes(), static_cast<int64_t>(planes.size()));
  EXPECT_EQ(plan.contrast(), contrasts > 0);
  EXPECT_EQ(RunPlan<float>(plan, planes, size), expected);
}

TEST_P(ClipPlanTest, EvaluationGivesTheBitsOfTheCpusTransform) {
  const auto [width, height, size, full_range] = GetParam();
  const TransformSettings settings = Settings(size);
  const PlanarPicture picture = Picture(width, height, full_range);
  const std::vector<uint8_t> planes = Planes(picture, 5);
  const std::vector<data::RgbImage> frames = Frames(picture, planes);
  ASSERT_OK_AND_ASSIGN(const data::ClipTransform transform,
                       data::ClipTransform::ForTest(settings, width, height));
  int crop = 0;
  for (const data::CropPlace place :
       {data::CropPlace::kCentre, data::CropPlace::kTopLeft, data::CropPlace::kBottomRight}) {
    ClipBatchPlan plan(kFrames, size);
    ASSERT_THAT(plan.AddEvaluation(picture, settings.test_short_side(), place), IsOk());
    EXPECT_FALSE(plan.contrast());
    EXPECT_EQ(RunPlan<float>(plan, planes, size), Expected(transform, crop++, frames));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ClipPlanTest,
                         testing::Values(Case{40, 30, 24, false}, Case{41, 33, 17, true},
                                         Case{10, 10, 1, false}, Case{64, 11, 11, false},
                                         Case{12, 90, 31, true}));

TEST(ClipPlanTest, Bfloat16IsTheRoundedFloat) {
  const TransformSettings settings = Settings(16);
  RandomStream stream(1, "bf16", {});
  const data::TrainDraw draw = data::DrawTrainTransform(settings, 40, 30, &stream);
  ClipBatchPlan plan(kFrames, 16);
  ASSERT_THAT(plan.AddTraining(Picture(40, 30), draw, settings), IsOk());
  const std::vector<uint8_t> planes = Planes(Picture(40, 30), 1);
  const std::vector<float> wide = RunPlan<float>(plan, planes, 16);
  const std::vector<Bf16> narrow = RunPlan<Bf16>(plan, planes, 16);
  ASSERT_EQ(narrow.size(), wide.size());
  for (size_t i = 0; i < wide.size(); ++i) {
    EXPECT_LE(std::abs(ToFloat(narrow[i]) - wide[i]), std::abs(wide[i]) / 256);
  }
}

TEST(ClipPlanTest, NoClipsAreNoWork) {
  const ClipBatchPlan plan(kFrames, 16);
  EXPECT_EQ(plan.TableBytes(), 0);
  EXPECT_TRUE(RunPlan<float>(plan, {}, 16).empty());
}

TEST(ClipPlanTest, RefusesWhatTheCpuMustDo) {
  TransformSettings settings = Settings(16);
  settings.set_hue(0.1);
  settings.set_blur_probability(1);
  RandomStream stream(1, "refused", {});
  data::TrainDraw draw = data::DrawTrainTransform(settings, 40, 30, &stream);
  ClipBatchPlan plan(kFrames, 16);
  EXPECT_THAT(plan.AddTraining(Picture(40, 30), draw, settings),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("blur")));
  draw.blur_sigma.reset();
  EXPECT_THAT(plan.AddTraining(Picture(40, 30), draw, settings),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("hue")));
  draw.hue.reset();
  EXPECT_THAT(plan.AddTraining(Picture(40, 30), draw, settings), IsOk());
  EXPECT_THAT(plan.AddTraining(Picture(40, 30), draw, Settings(17)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one size")));
  EXPECT_THAT(plan.AddEvaluation(Picture(3, 30), 16, data::CropPlace::kCentre),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("3x30")));
  EXPECT_EQ(plan.clips(), 1);
}

}  // namespace
}  // namespace op3d::gpu
