#include "data/loader/clip_views.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "data/loader/testing/test_videos.h"
#include "data/video/image/jpeg.h"
#include "data/video/image/yuv_to_rgb.h"
#include "data/video/testing/test_clip.h"

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
    ASSERT_THAT(MakeByteViews(video, clips, make, /*planes=*/false, &store, &views, &seconds),
                IsOk());
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

TrainDraw DrawOf(const Box& crop) {
  TrainDraw draw;
  draw.width = kTestWidth;
  draw.height = kTestHeight;
  draw.crop = crop;
  return draw;
}

// The pixels of the transform's input, made from planes.
std::vector<uint8_t> Converted(const ByteViews& views, int picture) {
  const PlaneParts& parts = *views.planes;
  // Of the whole picture; what is not in the part stays 0.
  const int half = (parts.width + 1) / 2;
  std::vector<uint8_t> y(parts.width * parts.height), u(half * ((parts.height + 1) / 2)), v = u;
  const uint8_t* from = views.pixels.data() + picture * parts.PictureBytes();
  const auto place = [&from](const Box& box, int stride, std::vector<uint8_t>* plane) {
    for (int row = 0; row < box.height; ++row, from += box.width) {
      std::copy(from, from + box.width, plane->begin() + (box.top + row) * stride + box.left);
    }
  };
  place(parts.luma, parts.width, &y);
  place(parts.chroma, half, &u);
  place(parts.chroma, half, &v);
  auto converter = YuvToRgb::Make(parts.width, parts.height, parts.matrix.data(), parts.full_range);
  std::vector<uint8_t> rgb(3 * parts.luma.width * parts.luma.height);
  converter->Convert({y.data(), u.data(), v.data()}, {parts.width, half, half}, parts.luma,
                     rgb.data());
  return rgb;
}

TEST(ClipViewsTest, PicturesAsDecodedBecomeTheReadersPictures) {
  const Video video = MakeTestVideos(1, "planes")[0];
  const std::vector<std::vector<int64_t>> clips = {{4, 0, 4, 19}, {19, 18, 4, 4}};
  FrameStore store(0), plain(0);
  ViewSeconds seconds;
  const Box whole = {0, 0, kTestWidth, kTestHeight};
  for (const Box& crop : {whole, Box{3, 5, 17, 12}}) {
    TrainDraw draw = DrawOf(crop);
    draw.mirror = true;
    const auto make = [&](int, int) { return ClipTransform::ForTraining(draw, Settings()); };
    ByteViews views;
    ASSERT_THAT(MakeByteViews(video, clips, make, /*planes=*/true, &store, &views, &seconds),
                IsOk());
    ASSERT_TRUE(views.planes.has_value());
    EXPECT_TRUE(views.mirror);
    EXPECT_EQ(views.planes->luma, views.planes->resize.needed());
    EXPECT_EQ(views.pixels.size(), static_cast<size_t>(4 * views.planes->PictureBytes()));
    const std::vector<int64_t> frames = {0, 4, 18, 19};
    int picture = 0;
    ASSERT_THAT(plain.ReadParts(
                    video, frames, [&](int, int) { return views.planes->luma; },
                    [&](int64_t, const RgbImage& image, const Box&) {
                      EXPECT_EQ(Converted(views, picture++), image.pixels);
                      return absl::OkStatus();
                    }),
                IsOk());
    EXPECT_EQ(views.pictures, (std::vector<int32_t>{1, 0, 1, 3, 3, 2, 1, 1}));
  }
}

TEST(ClipViewsTest, WhatTheCpuMustDoIsNotGivenAsDecoded) {
  const std::vector<Video> videos = MakeTestVideos(1, "no_planes");
  const std::vector<std::vector<int64_t>> clips = {{0, 3}};
  ViewSeconds seconds;
  const auto given = [&](const TrainDraw& draw, const TransformSettings& settings, int64_t budget) {
    FrameStore store(budget);
    ByteViews views;
    // Of another video.
    const ClipTransform other = ClipTransform::ForTraining(draw, settings).value();
    views.planes.emplace(PlaneParts{1, 1, {}, false, {}, {}, other.resize(), other.draw()});
    const auto make = [&](int, int) { return ClipTransform::ForTraining(draw, settings); };
    EXPECT_THAT(MakeByteViews(videos[0], clips, make, /*planes=*/true, &store, &views, &seconds),
                IsOk());
    return views.planes.has_value();
  };
  const TrainDraw plain = DrawOf({0, 0, kTestWidth, kTestHeight});
  EXPECT_TRUE(given(plain, Settings(), 0));
  // Frames that are kept are converted already.
  EXPECT_FALSE(given(plain, Settings(), 1'000'000));
  TrainDraw draw = plain;
  draw.blur_sigma = 1;
  EXPECT_FALSE(given(draw, Settings(), 0));
  draw = plain;
  draw.jitter = true;
  EXPECT_TRUE(given(draw, Settings(), 0));
  draw.hue = 0.1;
  EXPECT_FALSE(given(draw, Settings(), 0));
  draw = plain;
  draw.augment.emplace_back();
  EXPECT_FALSE(given(draw, Settings(), 0));
  // 32 x 24 pixels as planes are 1152 bytes, and 8 x 8 resized ones 192.
  TransformSettings small = Settings();
  small.set_train_crop(8);
  EXPECT_FALSE(given(plain, small, 0));
}

TransformSettings LargeTest() {
  TransformSettings settings = Settings();
  settings.set_test_short_side(40);
  return settings;
}

TEST(ClipViewsTest, AVideoThatChangesItsPicturesIsGivenResized) {
  for (const bool size : {true, false}) {
    VideoWriterOptions options = TestClipOptions();
    options.container = "mpegts";
    const std::string first = MakeTestClip(options, 20);
    // Or the range of its colours.
    if (size) std::swap(options.width, options.height);
    options.full_range = !size;
    options.first_frame_time = 20;
    ASSERT_OK_AND_ASSIGN(const auto writer, VideoWriter::Make(options));
    RgbImage other = {options.width, options.height, {}};
    for (int i = 0; i < 3 * other.width * other.height; ++i) {
      other.pixels.push_back(static_cast<uint8_t>(i / 50));
    }
    for (int k = 0; k < 20; ++k) ASSERT_THAT(writer->Add(other), IsOk());
    ASSERT_OK_AND_ASSIGN(const std::string second, writer->Finish());
    const Video video = {"changes", JoinPath(TestFolder("changes"), size ? "s.ts" : "r.ts"), 0, 40};
    ASSERT_THAT(WriteFileAtomically(video.path, JoinTransportStreams(first, second)), IsOk());
    const auto make = [](int width, int height) {
      return ClipTransform::ForTest(LargeTest(), width, height);
    };
    ViewSeconds seconds;
    FrameStore store(0);
    for (const bool changes : {false, true}) {
      const std::vector<std::vector<int64_t>> clips = {{3, 5, changes ? 25 : 7}};
      ByteViews bytes, planes;
      ASSERT_THAT(MakeByteViews(video, clips, make, false, &store, &bytes, &seconds), IsOk());
      ASSERT_THAT(MakeByteViews(video, clips, make, true, &store, &planes, &seconds), IsOk());
      EXPECT_EQ(planes.planes.has_value(), !changes) << size;
      EXPECT_EQ(planes.pixels == bytes.pixels, changes) << size;
      EXPECT_EQ(planes.crops, bytes.crops);
    }
    EXPECT_EQ(store.counters().reading.given, 3);
  }
}

// Its frames are not decoded a second time.
TEST(ClipViewsTest, AVideoThatCannotBeGivenAsDecodedIsDecodedOnce) {
  for (const std::string kind : {"plain", "turned", "yuv444p"}) {
    SCOPED_TRACE(kind);
    VideoWriterOptions options = TestClipOptions();
    if (kind == "turned") options.rotation = 90;
    if (kind == "yuv444p") options.pixel_format = kind;
    const Video video = {kind, JoinPath(TestFolder("kinds"), kind + ".mp4"), 0, 20};
    ASSERT_THAT(WriteFileAtomically(video.path, MakeTestClip(options, 20)), IsOk());
    const auto make = [](int width, int height) {
      return ClipTransform::ForTest(LargeTest(), width, height);
    };
    FrameStore stores[2] = {FrameStore(0), FrameStore(0)};
    for (const bool planes : {false, true}) {
      ByteViews views;
      ViewSeconds seconds;
      ASSERT_THAT(
          MakeByteViews(video, {{3, 5, 7}}, make, planes, &stores[planes], &views, &seconds),
          IsOk());
      EXPECT_EQ(views.planes.has_value(), planes && kind == "plain");
    }
    const VideoReader::Counters as_pictures = stores[0].counters().reading;
    const VideoReader::Counters as_planes = stores[1].counters().reading;
    EXPECT_EQ(as_planes.decoded, as_pictures.decoded);
    EXPECT_EQ(as_planes.rewinds, 0);
    EXPECT_EQ(as_planes.given, kind == "plain" ? 3 : 0);
    EXPECT_EQ(as_planes.converted, kind == "plain" ? 0 : 3);
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
