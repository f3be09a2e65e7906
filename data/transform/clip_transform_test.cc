#include "data/transform/clip_transform.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "data/transform/colour.h"
#include "data/transform/normalise.h"
#include "data/transform/testing/test_picture.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TransformSettings Settings() {
  TransformSettings settings;
  settings.set_train_crop(24);
  settings.set_min_area(0.3);
  settings.set_max_area(1);
  settings.set_jitter_probability(0.8);
  settings.set_brightness(0.4);
  settings.set_contrast(0.4);
  settings.set_saturation(0.4);
  settings.set_hue(0.1);
  settings.set_grey_probability(0.2);
  settings.set_blur_probability(0.5);
  settings.set_horizontal_flip(true);
  settings.set_search_short_side(28);
  settings.set_search_crop(24);
  settings.set_test_short_side(30);
  settings.set_test_crop(26);
  return settings;
}

std::vector<uint8_t> Resized(const RgbImage& image, const Box& box, int width, int height) {
  auto resize = Resize::Make(box, width, height, {0, 0, width, height});
  EXPECT_THAT(resize, IsOk());
  std::vector<uint8_t> out(size_t{3} * width * height);
  resize->Apply(image.pixels.data(), {0, 0, image.width, image.height}, out.data());
  return out;
}

// [3, size, size] from an interleaved picture.
std::vector<float> Planes(const std::vector<uint8_t>& pixels, int size, bool mirror) {
  std::vector<float> out(size_t{3} * size * size);
  Normalise(pixels.data(), size, {0, 0, size, size}, mirror, out.data(), size * size);
  return out;
}

std::vector<float> Stored(const ClipTransform& transform, int crop) {
  const int size = transform.size();
  std::vector<float> out(size_t{3} * size * size);
  transform.Store(crop, out.data(), size * size);
  return out;
}

TEST(ClipTransformTest, TrainingIsItsPartsInOrder) {
  const TransformSettings settings = Settings();
  const RgbImage frame = TestPicture(64, 48, 1);
  int jittered = 0, grey = 0, blurred = 0, mirrored = 0;
  for (int i = 0; i < 200; ++i) {
    RandomStream stream(9, "parts", {i});
    const TrainDraw draw = DrawTrainTransform(settings, 64, 48, &stream);
    ASSERT_OK_AND_ASSIGN(ClipTransform transform, ClipTransform::ForTraining(draw, settings));
    ASSERT_THAT(transform.Load(frame), IsOk());

    std::vector<uint8_t> pixels = Resized(frame, draw.crop, 24, 24);
    const absl::Span<uint8_t> span = absl::MakeSpan(pixels);
    for (const TrainDraw::Colour colour : draw.order) {
      if (!draw.jitter) break;
      if (colour == TrainDraw::Colour::kBrightness) AdjustBrightness(draw.brightness, span);
      if (colour == TrainDraw::Colour::kContrast) AdjustContrast(draw.contrast, span);
      if (colour == TrainDraw::Colour::kSaturation) AdjustSaturation(draw.saturation, span);
      if (colour == TrainDraw::Colour::kHue) AdjustHue(*draw.hue, span);
    }
    if (draw.grey) MakeGrey(span);
    if (draw.blur_sigma) Blur(*draw.blur_sigma).Apply(24, 24, pixels.data());
    ASSERT_EQ(transform.pixels(), pixels);
    ASSERT_EQ(Stored(transform, 0), Planes(pixels, 24, draw.mirror));
    jittered += draw.jitter;
    grey += draw.grey;
    blurred += draw.blur_sigma.has_value();
    mirrored += draw.mirror;
  }
  // Four standard deviations of 200 draws are 23, 23, 28 and 28.
  EXPECT_NEAR(jittered, 160, 23);
  EXPECT_NEAR(grey, 40, 23);
  EXPECT_NEAR(blurred, 100, 28);
  EXPECT_NEAR(mirrored, 100, 28);
}

TEST(ClipTransformTest, DrawsStayInTheirRanges) {
  for (int i = 0; i < 300; ++i) {
    RandomStream stream(2, "ranges", {i});
    const TrainDraw draw = DrawTrainTransform(Settings(), 64, 48, &stream);
    for (const float factor : {draw.brightness, draw.contrast, draw.saturation}) {
      ASSERT_TRUE(factor >= 0.6f && factor <= 1.4f);
    }
    ASSERT_LE(std::abs(*draw.hue), 0.1);
    const float sigma = draw.blur_sigma.value_or(1.0f);
    ASSERT_TRUE(sigma >= 0.1f && sigma <= 2.0f);
  }
}

TEST(ClipTransformTest, SettingsDoNotMoveEachOthersDraws) {
  TransformSettings plain = Settings();
  plain.set_brightness(0);
  plain.set_hue(0);
  plain.set_blur_probability(0);
  plain.set_horizontal_flip(false);
  for (int i = 0; i < 50; ++i) {
    RandomStream a(4, "moved", {i}), b(4, "moved", {i});
    const TrainDraw with = DrawTrainTransform(Settings(), 64, 48, &a);
    const TrainDraw without = DrawTrainTransform(plain, 64, 48, &b);
    EXPECT_EQ(with.crop, without.crop);
    EXPECT_EQ(with.contrast, without.contrast);
    EXPECT_EQ(with.grey, without.grey);
    EXPECT_EQ(without.brightness, 1);
    EXPECT_FALSE(without.hue.has_value());
    EXPECT_FALSE(without.blur_sigma.has_value());
    EXPECT_FALSE(without.mirror);
  }
}

TEST(ClipTransformTest, EvaluationsEqualResizingTheWholeFrame) {
  for (const auto& [width, height] : {std::pair(64, 48), {48, 64}, {33, 33}, {20, 90}}) {
    const RgbImage frame = TestPicture(width, height, 3);
    auto whole = [&](int side) {
      const PictureSize size = ShortSideSize(width, height, side);
      return RgbImage{size.width, size.height,
                      Resized(frame, {0, 0, width, height}, size.width, size.height)};
    };
    ASSERT_OK_AND_ASSIGN(ClipTransform search, ClipTransform::ForSearch(Settings(), width, height));
    ASSERT_EQ(search.crops(), 1);
    ASSERT_THAT(search.Load(frame), IsOk());
    const RgbImage small = whole(28);
    EXPECT_EQ(
        Stored(search, 0),
        Planes(CutOut(small, CropBox(CropPlace::kCentre, small.width, small.height, 24)).pixels, 24,
               false));

    ASSERT_OK_AND_ASSIGN(ClipTransform test, ClipTransform::ForTest(Settings(), width, height));
    ASSERT_EQ(test.crops(), 3);
    ASSERT_THAT(test.Load(frame), IsOk());
    const RgbImage large = whole(30);
    int crop = 0;
    for (const CropPlace place :
         {CropPlace::kCentre, CropPlace::kTopLeft, CropPlace::kBottomRight}) {
      const Box box = CropBox(place, large.width, large.height, 26);
      EXPECT_EQ(Stored(test, crop++), Planes(CutOut(large, box).pixels, 26, false));
    }
  }
}

TEST(ClipTransformTest, ThePartNeededIsAsGoodAsTheFrame) {
  const RgbImage frame = TestPicture(64, 48, 4);
  for (int i = 0; i < 100; ++i) {
    RandomStream stream(5, "parts", {i});
    const TrainDraw draw = DrawTrainTransform(Settings(), 64, 48, &stream);
    ASSERT_OK_AND_ASSIGN(ClipTransform transform, ClipTransform::ForTraining(draw, Settings()));
    EXPECT_EQ(transform.needed(), draw.crop);
    ASSERT_THAT(transform.Load(frame), IsOk());
    const std::vector<float> want = Stored(transform, 0);
    // Exactly it, and one more pixel on every side where there is one.
    const Box& box = transform.needed();
    const int left = std::max(0, box.left - 1), top = std::max(0, box.top - 1);
    const Box more = {left, top, std::min(64, box.left + box.width + 1) - left,
                      std::min(48, box.top + box.height + 1) - top};
    for (const Box& part : {box, more}) {
      ASSERT_THAT(transform.Load(TestPicture(64, 48, 5)), IsOk());
      ASSERT_THAT(transform.LoadPart(CutOut(frame, part), part), IsOk());
      EXPECT_EQ(Stored(transform, 0), want);
    }
  }
  ASSERT_OK_AND_ASSIGN(ClipTransform search, ClipTransform::ForSearch(Settings(), 90, 20));
  EXPECT_LT(search.needed().width, 30);
}

TEST(ClipTransformTest, RefusesFramesOfAnotherSize) {
  ASSERT_OK_AND_ASSIGN(ClipTransform search, ClipTransform::ForSearch(Settings(), 64, 48));
  EXPECT_THAT(search.Load(TestPicture(48, 64, 1)),
              StatusIs(kInvalid, HasSubstr("a frame of 48x64")));
  RgbImage torn = TestPicture(64, 48, 1);
  torn.pixels.pop_back();
  EXPECT_THAT(search.Load(torn), StatusIs(kInvalid, HasSubstr("9215 bytes")));
  // The part lacks the last column that the centre crop needs.
  const Box needed = search.needed();
  const Box narrow = {needed.left, needed.top, needed.width - 1, needed.height};
  EXPECT_THAT(search.LoadPart(CutOut(TestPicture(64, 48, 1), narrow), narrow),
              StatusIs(kInvalid, HasSubstr("is needed")));
  EXPECT_THAT(ClipTransform::ForSearch(Settings(), 0, 48), StatusIs(kInvalid, HasSubstr("0x48")));
  EXPECT_THAT(ClipTransform::ForTest(Settings(), 1, 1'000'000'000),
              StatusIs(kInvalid, HasSubstr("1 to 32768")));
  TrainDraw draw;
  draw.width = draw.height = 10;
  draw.crop = {5, 0, 6, 6};
  EXPECT_THAT(ClipTransform::ForTraining(draw, Settings()),
              StatusIs(kInvalid, HasSubstr("not inside a frame of 10x10")));
}

TEST(ClipTransformTest, RefusesSettingsThatCannotBe) {
  auto check = [](const std::function<void(TransformSettings*)>& change) {
    TransformSettings settings = Settings();
    change(&settings);
    return CheckTransformSettings(settings);
  };
  EXPECT_THAT(check([](TransformSettings*) {}), IsOk());
  EXPECT_THAT(check([](TransformSettings* s) { s->set_train_crop(0); }),
              StatusIs(kInvalid, HasSubstr("transform.train_crop is 0")));
  EXPECT_THAT(check([](TransformSettings* s) { s->set_min_area(0); }),
              StatusIs(kInvalid, HasSubstr("min_area is 0")));
  EXPECT_THAT(check([](TransformSettings* s) { s->set_max_area(0.1); }),
              StatusIs(kInvalid, HasSubstr("max_area 0.1")));
  EXPECT_THAT(check([](TransformSettings* s) { s->set_hue(0.6); }),
              StatusIs(kInvalid, HasSubstr("transform.hue is 0.6; it must be in [0, 0.5]")));
  EXPECT_THAT(check([](TransformSettings* s) { s->set_blur_probability(std::nan("")); }),
              StatusIs(kInvalid, HasSubstr("blur_probability is nan")));
  EXPECT_THAT(check([](TransformSettings* s) { s->set_test_crop(31); }),
              StatusIs(kInvalid, HasSubstr("test_crop of 31 does not fit")));
}

TEST(ClipTransformTest, RandAugmentStandsInPlaceOfJitterGreyAndBlur) {
  TransformSettings settings = Settings();
  settings.set_jitter_probability(1);
  settings.set_grey_probability(1);
  settings.set_blur_probability(1);
  const RgbImage image = TestPicture(40, 30, 5);
  RandomStream plain(1, "test", {}), augmented(1, "test", {});
  const TrainDraw usual = DrawTrainTransform(settings, 40, 30, &plain);
  settings.set_rand_augment_draws(2);
  settings.set_rand_augment_magnitude(27);
  const TrainDraw draw = DrawTrainTransform(settings, 40, 30, &augmented);
  // Crop and flip equal those of a run without it.
  EXPECT_EQ(draw.crop, usual.crop);
  EXPECT_EQ(draw.mirror, usual.mirror);
  EXPECT_FALSE(draw.jitter || draw.grey || draw.blur_sigma.has_value());
  ASSERT_EQ(draw.augment.size(), 2);
  auto transform = ClipTransform::ForTraining(draw, settings);
  ASSERT_THAT(transform, IsOk());
  ASSERT_THAT(transform->Load(image), IsOk());
  std::vector<uint8_t> expected = Resized(image, draw.crop, 24, 24);
  for (const AugmentStep& step : draw.augment) ApplyAugment(step, 24, 24, &expected);
  EXPECT_EQ(transform->pixels(), expected);
  settings.set_rand_augment_magnitude(31);
  EXPECT_THAT(CheckTransformSettings(settings),
              StatusIs(kInvalid, HasSubstr("rand_augment_magnitude is 31")));
}

}  // namespace
}  // namespace op3d::data
