#include "op3d/train/step/clip_mixing.h"

#include <cmath>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::HasSubstr;

constexpr int kFrames = 2, kHeight = 6, kWidth = 10, kClasses = 4;

data::Batch MakeBatch(int size) {
  data::Batch batch;
  batch.size = size;
  batch.frames = kFrames;
  batch.height = kHeight;
  batch.width = kWidth;
  RandomStream stream(1, "clips", {size});
  batch.clips.resize(size * 3 * kFrames * kHeight * kWidth);
  for (float& value : batch.clips) value = static_cast<float>(stream.Gaussian());
  for (int i = 0; i < size; ++i) batch.labels.push_back(i % kClasses);
  return batch;
}

MixingSettings Settings(double mixup, double cutmix) {
  MixingSettings settings;
  settings.set_mixup_alpha(mixup);
  settings.set_cutmix_alpha(cutmix);
  return settings;
}

// The second implementation: value by value, out of place, following the papers.
std::vector<float> MixedByHand(const data::Batch& batch, const ClipMixing& mixing) {
  const auto at = [&](int clip, int plane, int y, int x) {
    return batch.clips[((clip * 3 * kFrames + plane) * kHeight + y) * kWidth + x];
  };
  std::vector<float> mixed;
  for (int clip = 0; clip < batch.size; ++clip) {
    const int partner = (clip + batch.size - 1) % batch.size;
    for (int plane = 0; plane < 3 * kFrames; ++plane) {
      for (int y = 0; y < kHeight; ++y) {
        for (int x = 0; x < kWidth; ++x) {
          const bool pasted =
              y >= mixing.top && y < mixing.bottom && x >= mixing.left && x < mixing.right;
          const double share = mixing.kind == ClipMixing::kMixup ? mixing.share : !pasted;
          mixed.push_back(static_cast<float>(share * at(clip, plane, y, x) +
                                             (1 - share) * at(partner, plane, y, x)));
        }
      }
    }
  }
  return mixed;
}

TEST(ClipMixingTest, EqualsTheSecondImplementation) {
  int mixups = 0, cutmixes = 0;
  for (int draw = 0; draw < 40; ++draw) {
    data::Batch batch = MakeBatch(2 + draw % 4);
    RandomStream stream(7, "mixing", {draw});
    const ClipMixing mixing = DrawMixing(Settings(0.8, 1), batch, &stream);
    ASSERT_NE(mixing.kind, ClipMixing::kNone);
    (mixing.kind == ClipMixing::kMixup ? mixups : cutmixes) += 1;
    const std::vector<float> expected = MixedByHand(batch, mixing);
    MixClips(mixing, &batch);
    ASSERT_EQ(batch.clips.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(batch.clips[i], expected[i], 1e-6);
  }
  EXPECT_GT(mixups, 10);
  EXPECT_GT(cutmixes, 10);
}

TEST(ClipMixingTest, TheShareOfACutIsThatOfItsPixels) {
  const data::Batch batch = MakeBatch(3);
  double sum = 0;
  for (int draw = 0; draw < 2000; ++draw) {
    RandomStream stream(3, "mixing", {draw});
    const ClipMixing mixing = DrawMixing(Settings(0, 1), batch, &stream);
    ASSERT_EQ(mixing.kind, ClipMixing::kCutmix);
    ASSERT_GE(mixing.top, 0);
    ASSERT_LE(mixing.bottom, kHeight);
    ASSERT_LE(mixing.top, mixing.bottom);
    int kept = 0;
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        kept += y < mixing.top || y >= mixing.bottom || x < mixing.left || x >= mixing.right;
      }
    }
    ASSERT_NEAR(mixing.share, kept / double{kHeight * kWidth}, 1e-12);
    sum += mixing.share;
  }
  EXPECT_GT(sum / 2000, 0.6);  // half the area at most, less what borders and whole pixels cut off
}

TEST(ClipMixingTest, DrawsDependOnTheStreamAlone) {
  const data::Batch batch = MakeBatch(2);
  for (int draw = 0; draw < 5; ++draw) {
    RandomStream one(3, "mixing", {draw}), two(3, "mixing", {draw});
    const ClipMixing a = DrawMixing(Settings(0.8, 1), batch, &one);
    const ClipMixing b = DrawMixing(Settings(0.8, 1), batch, &two);
    EXPECT_EQ(a.share, b.share);
    EXPECT_EQ(a.kind, b.kind);
  }
  RandomStream stream(3, "mixing", {});
  EXPECT_EQ(DrawMixing(MixingSettings(), batch, &stream).kind, ClipMixing::kNone);
  EXPECT_EQ(DrawMixing(Settings(1, 0), MakeBatch(1), &stream).kind, ClipMixing::kNone);
  MixingSettings seldom = Settings(1, 1);
  seldom.set_probability(0.25);
  int mixed = 0;
  for (int draw = 0; draw < 1000; ++draw) {
    mixed += DrawMixing(seldom, batch, &stream).kind != ClipMixing::kNone;
  }
  EXPECT_NEAR(mixed, 250, 50);
}

// Checks every entry by its formula, for plain, smoothed and released targets, mixed and not.
TEST(ClipMixingTest, TargetsAreDistributions) {
  const std::vector<int64_t> labels = {0, 2, 2, 1};
  for (const double smoothing : {0.0, 0.1}) {
    for (const bool released : {false, true}) {
      for (const double share : {1.0, 0.3}) {
        TrainingSettings settings;
        settings.set_label_smoothing(smoothing);
        settings.set_released_label_smoothing(released);
        ClipMixing mixing;
        mixing.kind = share < 1 ? ClipMixing::kMixup : ClipMixing::kNone;
        mixing.share = share;
        const std::vector<float> targets = SoftTargets(labels, kClasses, mixing, settings);
        ASSERT_EQ(targets.size(), labels.size() * kClasses);
        const double spread = smoothing / (released ? kClasses - 1 : kClasses);
        for (size_t i = 0; i < labels.size(); ++i) {
          const int64_t partner = labels[(i + 3) % 4];
          double sum = 0;
          for (int c = 0; c < kClasses; ++c) {
            const auto one = [&](int64_t label) { return (label == c) * (1 - smoothing) + spread; };
            const double expected = share * one(labels[i]) + (1 - share) * one(partner);
            EXPECT_NEAR(targets[i * kClasses + c], expected, 1e-6);
            sum += targets[i * kClasses + c];
          }
          EXPECT_NEAR(sum, released ? 1 + smoothing / (kClasses - 1) : 1, 1e-6);
        }
      }
    }
  }
}

TEST(ClipMixingTest, BadSettingsAreNamed) {
  TrainingSettings settings;
  EXPECT_THAT(CheckMixing(settings), IsOk());
  settings.set_label_smoothing(1);
  EXPECT_THAT(CheckMixing(settings),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("label_smoothing is 1")));
  settings.set_label_smoothing(0);
  settings.mutable_mixing()->set_cutmix_alpha(-1);
  EXPECT_THAT(CheckMixing(settings),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cutmix_alpha is -1")));
}

}  // namespace
}  // namespace op3d
