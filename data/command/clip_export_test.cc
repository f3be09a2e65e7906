#include "data/command/clip_export.h"

#include <cstring>
#include <vector>

#include "data/video/media.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class ClipExportTest : public testing::Test {
 protected:
  // The clip's numbers; its shape and metadata in members.
  std::vector<float> Make(const ClipRequest& request) {
    absl::StatusOr<ClipFile> made = MakeClipFile(video_, request);
    EXPECT_THAT(made, IsOk());
    if (!made.ok()) return {};
    held_ = made->held;
    absl::StatusOr<Safetensors> file = Safetensors::Parse(made->bytes, "clip");
    EXPECT_THAT(file, IsOk());
    const TensorView* clip = file->Find("clip");
    shape_ = clip->shape;
    frames_ = file->metadata().at("frames");
    std::vector<float> numbers(clip->data.size() / sizeof(float));
    std::memcpy(numbers.data(), clip->data.data(), clip->data.size());
    return numbers;
  }

  // 40 frames of 64x48, each with its number in it.
  const std::string video_ =
      WriteTestClip(TestFolder("clip_export"), "a.mp4", TestClipOptions(), 40);
  std::vector<int64_t> shape_;
  std::string frames_;
  int held_ = -1;
};

TEST_F(ClipExportTest, TheCentreIsTheFramesOwnPixelsNormalised) {
  ClipRequest request;
  request.length = 4;
  request.stride = 3;
  request.start = 30;
  request.size = 48;  // the frames' height: nothing is resized
  const std::vector<float> clip = Make(request);
  EXPECT_THAT(shape_, ElementsAre(1, 3, 4, 48, 48));
  EXPECT_EQ(frames_, "30,33,36,39");
  EXPECT_EQ(held_, 0);

  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(video_));
  constexpr float kMean[] = {0.485f, 0.456f, 0.406f}, kDeviation[] = {0.229f, 0.224f, 0.225f};
  int time = 0;
  ASSERT_THAT(reader->Read({30, 33, 36, 39},
                           [&](int64_t, const RgbImage& image) {
                             for (int c = 0; c < 3; ++c) {
                               for (int i = 0; i < 48 * 48; ++i) {
                                 const int x = 8 + i % 48, y = i / 48;
                                 const float pixel = image.pixels[(y * 64 + x) * 3 + c] / 255.f;
                                 EXPECT_NEAR(clip[(c * 4 + time) * 48 * 48 + i],
                                             (pixel - kMean[c]) / kDeviation[c], 1e-5);
                               }
                             }
                             ++time;
                             return absl::OkStatus();
                           }),
              IsOk());
}

TEST_F(ClipExportTest, ThreeCropsBeginWithTheCentre) {
  ClipRequest request;
  request.length = 2;
  request.size = 40;
  const std::vector<float> centre = Make(request);
  request.crop = ClipRequest::Crop::kThree;
  const std::vector<float> three = Make(request);
  EXPECT_THAT(shape_, ElementsAre(3, 3, 2, 40, 40));
  EXPECT_TRUE(std::equal(centre.begin(), centre.end(), three.begin()));
}

TEST_F(ClipExportTest, ASeedIsOneRandomCrop) {
  ClipRequest request;
  request.length = 2;
  request.size = 40;
  request.crop = ClipRequest::Crop::kRandom;
  const std::vector<float> first = Make(request);
  EXPECT_EQ(Make(request), first);
  request.seed = 2;
  EXPECT_NE(Make(request), first);
}

TEST_F(ClipExportTest, HoldsTheLastFrame) {
  ClipRequest request;
  request.length = 4;
  request.start = 38;
  request.size = 32;
  Make(request);
  EXPECT_EQ(frames_, "38,39,39,39");
  EXPECT_EQ(held_, 2);
}

TEST_F(ClipExportTest, WhatCannotBeIsASentence) {
  ClipRequest request;
  request.start = 40;
  EXPECT_THAT(MakeClipFile(video_, request),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("[0, 40)")));
  request.start = 0;
  request.length = 0;
  EXPECT_THAT(MakeClipFile(video_, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("")));
  request.length = 1;
  request.size = -3;
  EXPECT_THAT(MakeClipFile(video_, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-3")));
  request.size = 8192;
  request.length = 1'000'000;
  EXPECT_THAT(MakeClipFile(video_, request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("1000000 frames"), HasSubstr("at most 2"))));
  EXPECT_THAT(MakeClipFile("/nowhere.mp4", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("")));
  EXPECT_THAT(ParseCrop("centre"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("center, three, random")));
}

}  // namespace
}  // namespace op3d::data
