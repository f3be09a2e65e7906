#include "data/loader/clip_views.h"

#include <cstring>

#include "absl/strings/str_format.h"
#include "data/loader/testing/test_videos.h"
#include "data/video/image/jpeg.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

TransformSettings Settings() {
  TransformSettings settings;
  settings.set_train_crop(16);
  settings.set_min_area(0.5);
  settings.set_max_area(1);
  settings.set_search_short_side(18);
  settings.set_search_crop(16);
  settings.set_test_short_side(18);
  settings.set_test_crop(16);
  return settings;
}

TEST(ClipViewsTest, EveryViewHoldsItsFramesAndCrop) {
  const Video video = MakeTestVideos(1, "views")[0];
  const std::vector<RgbImage> truth = DecodeAll(video);
  // Out of order, with repetitions in a clip and between clips.
  const std::vector<std::vector<int64_t>> clips = {{4, 0, 4, 19}, {19, 18, 4, 4}};
  constexpr int kPlane = 16 * 16, kTimes = 4, kCrops = 3;
  std::vector<float> out(2 * kCrops * 3 * kTimes * kPlane, -99.0f);
  FrameStore store(0);
  ViewSeconds seconds;
  int made = 0;
  auto make = [&](int width, int height) {
    ++made;
    return ClipTransform::ForTest(Settings(), width, height);
  };
  ASSERT_THAT(MakeClipViews(video, clips, make, &store, absl::MakeSpan(out), &seconds), IsOk());
  EXPECT_EQ(made, 1);
  EXPECT_EQ(store.counters().passed, 1);
  EXPECT_GT(seconds.read, 0);
  EXPECT_GT(seconds.transform, 0);

  ASSERT_OK_AND_ASSIGN(ClipTransform plain,
                       ClipTransform::ForTest(Settings(), kTestWidth, kTestHeight));
  for (int clip = 0; clip < 2; ++clip) {
    for (int t = 0; t < kTimes; ++t) {
      ASSERT_THAT(plain.Load(truth[clips[clip][t]]), IsOk());
      for (int crop = 0; crop < kCrops; ++crop) {
        std::vector<float> want(3 * kPlane);
        plain.Store(crop, want.data(), kPlane);
        const int view = clip * kCrops + crop;
        for (int c = 0; c < 3; ++c) {
          const auto got = out.begin() + ((view * 3 + c) * kTimes + t) * kPlane;
          EXPECT_TRUE(std::equal(got, got + kPlane, want.begin() + c * kPlane))
              << "view " << view << " time " << t << " channel " << c;
        }
      }
    }
  }
}

TEST(ClipViewsTest, BytesNormalisedLaterAreTheSameFloats) {
  for (const FrameContent content : {FrameContent::kPictures, FrameContent::kFlow}) {
    Video video = MakeTestVideos(1, "views")[0];
    const std::vector<std::vector<int64_t>> clips = {{4, 0, 4, 19}, {19, 18, 4, 4}};
    constexpr int kValues = 3 * 4 * 16 * 16, kViews = 6;
    const auto make = [](int width, int height) {
      return ClipTransform::ForTest(Settings(), width, height);
    };
    if (content == FrameContent::kFlow) {
      // The x and y of flow are only in stored frames.
      video.path = JoinPath(TestFolder("flow_views"), "flow");
      ASSERT_THAT(MakeFolders(video.path), IsOk());
      const std::vector<RgbImage> frames = DecodeAll(MakeTestVideos(1, "views")[0]);
      for (int64_t k = 0; k < video.frames; ++k) {
        for (const int xy : {0, 1}) {
          std::vector<uint8_t> grey;
          for (size_t i = xy; i < frames[k].pixels.size(); i += 3) {
            grey.push_back(frames[k].pixels[i]);
          }
          ASSERT_OK_AND_ASSIGN(const std::string jpeg,
                               EncodeGreyJpeg(grey, {kTestWidth, kTestHeight}, 90));
          ASSERT_THAT(WriteFileAtomically(
                          absl::StrFormat("%s/%06d_c%d.jpg", video.path, k + 1, xy + 1), jpeg),
                      IsOk());
        }
      }
      video.content = content;
    }
    FrameStore store(0);
    ViewSeconds seconds;
    std::vector<float> want(kViews * kValues);
    ASSERT_THAT(MakeClipViews(video, clips, make, &store, absl::MakeSpan(want), &seconds), IsOk());
    ByteViews views;
    // Memory of another video is used again.
    views.pixels.assign(1'000'000, 7);
    ASSERT_THAT(MakeByteViews(video, clips, make, &store, &views, &seconds), IsOk());
    // Frames 0, 4, 18 and 19, each once.
    EXPECT_EQ(views.pixels.size(), size_t{4} * 3 * views.width * views.height);
    EXPECT_EQ(views.ValuesPerView(), kValues);
    for (const int64_t first : {0, 2, 5}) {
      const int64_t count = std::min<int64_t>(3, kViews - first);
      std::vector<float> got(count * kValues, -99.0f);
      NormaliseViews(views, first, count, got.data());
      EXPECT_EQ(std::memcmp(got.data(), want.data() + first * kValues, got.size() * sizeof(float)),
                0);
    }
  }
}

TEST(ClipViewsTest, ErrorsNameTheVideo) {
  const Video video = MakeTestVideos(1, "views")[0];
  FrameStore store(0);
  ViewSeconds seconds;
  std::vector<float> out(7);
  auto make = [&](int width, int height) {
    return ClipTransform::ForSearch(Settings(), width, height);
  };
  EXPECT_THAT(MakeClipViews(video, {{0, 1}}, make, &store, absl::MakeSpan(out), &seconds),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("v0: ")));
  auto fail = [](int, int) { return absl::StatusOr<ClipTransform>(absl::AbortedError("no")); };
  EXPECT_THAT(MakeClipViews(video, {{0, 1}}, fail, &store, absl::MakeSpan(out), &seconds),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("v0: no")));
  out.resize(size_t{3} * 2 * 16 * 16);
  EXPECT_THAT(MakeClipViews(video, {{0, 99}}, make, &store, absl::MakeSpan(out), &seconds),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("v0: ")));
}

}  // namespace
}  // namespace op3d::data
