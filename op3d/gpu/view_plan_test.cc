#include "op3d/gpu/view_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "data/video/image/image.h"
#include "data/video/image/yuv_to_rgb.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/gpu/kernels/cpu_driver.h"

namespace op3d::gpu {
namespace {

using testing::HasSubstr;

constexpr int kPictures = 2;
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

// Decoded pictures, tightly packed, one after another.
struct Pictures {
  int width, height;
  bool full_range;
  std::vector<uint8_t> bytes;

  int HalfWidth() const { return (width + 1) / 2; }
  int64_t LumaBytes() const { return int64_t{width} * height; }
  int64_t ChromaBytes() const { return int64_t{HalfWidth()} * ((height + 1) / 2); }
  const uint8_t* Plane(int picture, int plane) const {
    return bytes.data() + picture * (LumaBytes() + 2 * ChromaBytes()) +
           (plane == 0 ? 0 : LumaBytes() + (plane - 1) * ChromaBytes());
  }
};

// Ramps and noise.
Pictures RandomPictures(int width, int height, bool full_range, uint64_t seed) {
  RandomStream stream(seed, "planes", {});
  Pictures pictures = {width, height, full_range, {}};
  pictures.bytes.resize(
      static_cast<size_t>((pictures.LumaBytes() + 2 * pictures.ChromaBytes()) * kPictures));
  for (size_t i = 0; i < pictures.bytes.size(); ++i) {
    const bool noisy = i / 13 % 2 == 0;
    pictures.bytes[i] = static_cast<uint8_t>(16 + (noisy ? stream.UniformInt(220) : i % 220));
  }
  return pictures;
}

void Append(const uint8_t* plane, int stride, const data::Box& box, std::vector<uint8_t>* out) {
  for (int y = box.top; y < box.top + box.height; ++y) {
    const uint8_t* const row = plane + int64_t{y} * stride + box.left;
    out->insert(out->end(), row, row + box.width);
  }
}

// Views of clips whose frames show `shown`.
data::ByteViews Views(const Pictures& pictures, const data::ClipTransform& transform,
                      const std::vector<int32_t>& shown, int frames) {
  data::ByteViews views;
  const data::Box luma = transform.needed();
  const data::Box chroma = data::ChromaBox(luma, pictures.width, pictures.height);
  views.planes.emplace(data::PlaneParts{pictures.width, pictures.height, kMatrix,
                                        pictures.full_range, luma, chroma, transform.resize(),
                                        transform.draw()});
  for (int picture = 0; picture < kPictures; ++picture) {
    Append(pictures.Plane(picture, 0), pictures.width, luma, &views.pixels);
    Append(pictures.Plane(picture, 1), pictures.HalfWidth(), chroma, &views.pixels);
    Append(pictures.Plane(picture, 2), pictures.HalfWidth(), chroma, &views.pixels);
  }
  views.width = transform.picture().width;
  views.height = transform.picture().height;
  views.pictures = shown;
  views.frames = frames;
  for (int crop = 0; crop < transform.crops(); ++crop) {
    views.crops.push_back(transform.crop_box(crop));
  }
  views.mirror = transform.mirror();
  return views;
}

// [clips * crops, 3, frames, size, size], from the CPU's transform.
std::vector<float> Expected(const Pictures& pictures, data::ClipTransform transform,
                            const std::vector<int32_t>& shown, int frames) {
  auto converter =
      data::YuvToRgb::Make(pictures.width, pictures.height, kMatrix.data(), pictures.full_range);
  const int64_t area = int64_t{transform.size()} * transform.size();
  const int64_t clips = static_cast<int64_t>(shown.size()) / frames;
  std::vector<float> out(static_cast<size_t>(clips * transform.crops() * 3 * frames * area));
  for (int64_t i = 0; i < clips * frames; ++i) {
    data::RgbImage image = {pictures.width, pictures.height, {}};
    image.pixels.resize(static_cast<size_t>(3 * pictures.LumaBytes()));
    const int picture = shown[static_cast<size_t>(i)];
    converter->Convert(
        {pictures.Plane(picture, 0), pictures.Plane(picture, 1), pictures.Plane(picture, 2)},
        {pictures.width, pictures.HalfWidth(), pictures.HalfWidth()},
        {0, 0, pictures.width, pictures.height}, image.pixels.data());
    EXPECT_THAT(transform.Load(image), IsOk());
    for (int crop = 0; crop < transform.crops(); ++crop) {
      const int64_t view = i / frames * transform.crops() + crop;
      transform.Store(crop, out.data() + (view * 3 * frames + i % frames) * area, frames * area);
    }
  }
  return out;
}

template <typename T>
std::vector<T> RunPlan(const ViewPlan& plan) {
  std::vector<uint64_t> block(static_cast<size_t>(plan.Bytes()) / 8 + 2);
  uint8_t* const bytes = reinterpret_cast<uint8_t*>(block.data());
  plan.Write(bytes, bytes);
  const ViewBatch batch = plan.Batch(bytes, 0, plan.count());
  std::vector<int64_t> sums(static_cast<size_t>(batch.count * batch.frames));
  RunTilesOnCpu(ContrastSums{batch, sums.data()});
  const MakeViews<T> make = {batch, plan.contrast() ? sums.data() : nullptr, nullptr};
  std::vector<T> out(static_cast<size_t>(3 * make.points()));
  RunPointsOnCpu(MakeViews<T>{batch, make.luma_sums, out.data()});
  return out;
}

struct Case {
  int width, height, size;
  bool full_range;
};

class ViewPlanTest : public testing::TestWithParam<Case> {};

TEST_P(ViewPlanTest, TrainingGivesTheBitsOfTheCpusTransform) {
  const auto [width, height, size, full_range] = GetParam();
  const TransformSettings settings = Settings(size);
  // Several clips in one batch, with all draws; another size of picture among them, and one that
  // the CPU has resized.
  std::vector<data::ByteViews> batch;
  std::vector<float> expected;
  bool contrast = false;
  for (int clip = 0; clip < 6; ++clip) {
    const Pictures pictures = clip == 3 ? RandomPictures(height + 1, width + 2, full_range, clip)
                                        : RandomPictures(width, height, full_range, clip);
    RandomStream stream(3, "view_plan", {clip});
    const data::TrainDraw draw =
        data::DrawTrainTransform(settings, pictures.width, pictures.height, &stream);
    contrast |= draw.contrast != 1;
    ASSERT_OK_AND_ASSIGN(const data::ClipTransform transform,
                         data::ClipTransform::ForTraining(draw, settings));
    batch.push_back(Views(pictures, transform, {1, 0, 1}, 3));
    const std::vector<float> one = Expected(pictures, transform, {1, 0, 1}, 3);
    if (clip == 4) {
      data::ByteViews& resized = batch.back();
      resized.planes.reset();
      resized.pixels.assign(size_t{3} * kPictures * size * size, 0);
      for (size_t i = 0; i < resized.pixels.size(); ++i) {
        resized.pixels[i] = static_cast<uint8_t>(i * 37);
      }
      std::vector<float> floats(static_cast<size_t>(resized.ValuesPerView()));
      data::NormaliseViews(resized, 0, 1, floats.data());
      expected.insert(expected.end(), floats.begin(), floats.end());
    } else {
      expected.insert(expected.end(), one.begin(), one.end());
    }
  }
  ViewPlan plan;
  for (const data::ByteViews& views : batch) ASSERT_THAT(plan.Add(views), IsOk());
  EXPECT_EQ(plan.count(), 6);
  EXPECT_TRUE(contrast);
  EXPECT_TRUE(plan.contrast());
  EXPECT_EQ(RunPlan<float>(plan), expected);
}

TEST_P(ViewPlanTest, EvaluationGivesTheBitsOfTheCpusTransform) {
  const auto [width, height, size, full_range] = GetParam();
  const TransformSettings settings = Settings(size);
  const Pictures pictures = RandomPictures(width, height, full_range, 5);
  // Two clips that share a picture.
  const std::vector<int32_t> shown = {0, 1, 1, 1};
  ASSERT_OK_AND_ASSIGN(const data::ClipTransform test,
                       data::ClipTransform::ForTest(settings, width, height));
  ASSERT_OK_AND_ASSIGN(const data::ClipTransform search,
                       data::ClipTransform::ForSearch(settings, width, height));
  for (const data::ClipTransform& transform : {test, search}) {
    const data::ByteViews views = Views(pictures, transform, shown, 2);
    ViewPlan plan;
    ASSERT_THAT(plan.Add(views), IsOk());
    EXPECT_EQ(plan.count(), 2 * transform.crops());
    EXPECT_FALSE(plan.contrast());
    EXPECT_EQ(RunPlan<float>(plan), Expected(pictures, transform, shown, 2));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ViewPlanTest,
                         testing::Values(Case{40, 30, 24, false}, Case{41, 33, 17, true},
                                         Case{10, 10, 1, false}, Case{64, 11, 11, false},
                                         Case{12, 90, 31, true}));

data::ByteViews TrainingViews(const data::TrainDraw& draw, const TransformSettings& settings) {
  return Views(RandomPictures(40, 30, false, 1),
               data::ClipTransform::ForTraining(draw, settings).value(), {0, 1}, 2);
}

TEST(ViewPlanTest, Bfloat16IsTheRoundedFloat) {
  const TransformSettings settings = Settings(16);
  RandomStream stream(1, "bf16", {});
  const data::ByteViews views =
      TrainingViews(data::DrawTrainTransform(settings, 40, 30, &stream), settings);
  ViewPlan plan;
  ASSERT_THAT(plan.Add(views), IsOk());
  const std::vector<float> wide = RunPlan<float>(plan);
  const std::vector<Bf16> narrow = RunPlan<Bf16>(plan);
  ASSERT_EQ(narrow.size(), wide.size());
  for (size_t i = 0; i < wide.size(); ++i) {
    EXPECT_LE(std::abs(ToFloat(narrow[i]) - wide[i]), std::abs(wide[i]) / 256);
  }
}

TEST(ViewPlanTest, NoViewsAreNoWork) {
  ViewPlan plan;
  const data::ByteViews none;
  EXPECT_THAT(plan.Add(none), IsOk());
  EXPECT_EQ(plan.count(), 0);
  EXPECT_EQ(plan.Bytes(), 0);
  EXPECT_TRUE(RunPlan<float>(plan).empty());
}

TEST(ViewPlanTest, RefusesWhatTheCpuMustDo) {
  TransformSettings settings = Settings(16);
  settings.set_hue(0.1);
  settings.set_blur_probability(1);
  RandomStream stream(1, "refused", {});
  data::TrainDraw draw = data::DrawTrainTransform(settings, 40, 30, &stream);
  ViewPlan plan;
  EXPECT_THAT(plan.Add(TrainingViews(draw, settings)),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("blur")));
  draw.blur_sigma.reset();
  EXPECT_THAT(plan.Add(TrainingViews(draw, settings)),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("hue")));
  draw.hue.reset();
  data::ByteViews views = TrainingViews(draw, settings);
  EXPECT_THAT(plan.Add(views), IsOk());
  EXPECT_THAT(plan.Add(TrainingViews(draw, Settings(17))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one size")));
  data::ByteViews small = views;
  small.planes->width = 3;
  EXPECT_THAT(plan.Add(small), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("3x30")));
  EXPECT_EQ(plan.count(), 1);
}

}  // namespace
}  // namespace op3d::gpu
