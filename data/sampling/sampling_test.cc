#include "data/sampling/sampling.h"

#include <nlohmann/json.hpp>
#include <string>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Frames = std::vector<int64_t>;

constexpr auto kRepeatLast = LoaderSettings::REPEAT_LAST;
constexpr auto kLoop = LoaderSettings::LOOP;

// The frames that the released reader asked for, see testdata/README.md.
json GoldenCases(const char* kind) {
  const auto path = RunfilePath("data/sampling/testdata/sampling_cases.json");
  if (!path.ok()) return json();
  return json::parse(*ReadFile(*path), nullptr, /*allow_exceptions=*/false)[kind];
}

ClipShape ShapeOf(const json& c) { return {c["segments"], c["clip_length"], c["stride"]}; }

// The frames, counted from 0, for these segment starts.
Frames FramesOfStarts(const ClipShape& shape, const Frames& starts) {
  Frames frames;
  for (const int64_t start : starts) {
    for (int i = 0; i < shape.frames_per_segment; ++i) frames.push_back(start + i * shape.stride);
  }
  return frames;
}

// The cases of short videos count from 1, as the files' names do.
Frames FromZero(Frames frames) {
  for (int64_t& frame : frames) --frame;
  return frames;
}

TEST(SamplingTest, MeetsEveryGoldenTrainingCase) {
  const json cases = GoldenCases("train");
  ASSERT_EQ(cases.size(), 124);
  for (const json& c : cases) {
    SCOPED_TRACE(c.dump().substr(0, 120));
    const ClipShape shape = ShapeOf(c);
    const int64_t video = c["video_frames"];
    for (const int64_t limit : c["draw_limits"].get<Frames>()) {
      EXPECT_EQ(TrainDrawLimit(shape, video), limit);
    }
    const Frames draws = c.contains("draws") ? c["draws"].get<Frames>() : Frames(shape.segments, 0);
    const Frames held = TrainFramesOfDraws(shape, video, kRepeatLast, draws);
    const Frames looped = TrainFramesOfDraws(shape, video, kLoop, draws);
    if (c.contains("starts")) {
      EXPECT_EQ(held, FramesOfStarts(shape, c["starts"].get<Frames>()));
      EXPECT_EQ(looped, held);
    } else {
      EXPECT_EQ(held, FromZero(c["repeat_last"].get<Frames>()));
      EXPECT_EQ(looped, FromZero(c["loop"].get<Frames>()));
    }
  }
}

TEST(SamplingTest, MeetsEveryGoldenTestCase) {
  const json cases = GoldenCases("test");
  ASSERT_EQ(cases.size(), 76);
  for (const json& c : cases) {
    SCOPED_TRACE(c.dump().substr(0, 120));
    const ClipShape shape = ShapeOf(c);
    const int64_t video = c["video_frames"];
    const int clips = c["clips"];
    for (int k = 0; k < clips; ++k) {
      const Frames held = TestFrames(shape, video, k, clips, kRepeatLast);
      const Frames looped = TestFrames(shape, video, k, clips, kLoop);
      if (c.contains("starts")) {
        EXPECT_EQ(held, FramesOfStarts(shape, c["starts"][k].get<Frames>())) << "clip " << k;
        EXPECT_EQ(looped, held);
      } else {
        EXPECT_EQ(held, FromZero(c["repeat_last"].get<Frames>()));
        EXPECT_EQ(looped, FromZero(c["loop"].get<Frames>()));
      }
    }
  }
}

TEST(SamplingTest, StaysInsideTheVideoForAllSmallShapes) {
  RandomStream stream(1, "sampling_test", {});
  for (int segments = 1; segments <= 5; ++segments) {
    for (int frames = 1; frames <= 5; ++frames) {
      for (int stride = 1; stride <= 3; ++stride) {
        for (int64_t video = 1; video <= 40; ++video) {
          const ClipShape shape = {segments, frames, stride};
          for (const auto policy : {kRepeatLast, kLoop}) {
            Frames all = TrainFrames(shape, video, policy, &stream);
            for (int k = 0; k < 3; ++k) {
              const Frames test = TestFrames(shape, video, k, 3, policy);
              all.insert(all.end(), test.begin(), test.end());
            }
            ASSERT_EQ(all.size(), 4 * shape.length());
            for (const int64_t frame : all) ASSERT_TRUE(frame >= 0 && frame < video) << frame;
          }
        }
      }
    }
  }
}

TEST(SamplingTest, TrainingReachesBothEndsOfTheVideo) {
  const ClipShape shape = {1, 4, 2};
  bool first = false, last = false;
  for (int i = 0; i < 200; ++i) {
    RandomStream stream(7, "ends", {i});
    const int64_t start = TrainFrames(shape, 12, kRepeatLast, &stream)[0];
    ASSERT_LE(start, 4);
    first |= start == 0;
    last |= start == 4;
  }
  EXPECT_TRUE(first && last);
}

TEST(SamplingTest, CentreIsInTheMiddle) {
  EXPECT_THAT(CentreFrames({1, 4, 1}, 10, kRepeatLast), ElementsAre(3, 4, 5, 6));
  // Each of two segments in the middle of its half.
  EXPECT_THAT(CentreFrames({2, 2, 1}, 12, kRepeatLast), ElementsAre(2, 3, 8, 9));
  EXPECT_THAT(CentreFrames({1, 4, 1}, 3, kLoop), ElementsAre(0, 1, 2, 0));
}

TEST(SamplingTest, ShortAndEmptyVideos) {
  EXPECT_THAT(TestFrames({2, 3, 2}, 4, 0, 1, kRepeatLast), ElementsAre(0, 2, 3, 0, 2, 3));
  EXPECT_THAT(TestFrames({2, 3, 2}, 4, 0, 1, kLoop), ElementsAre(0, 2, 0, 0, 2, 0));
  EXPECT_THAT(TestFrames({2, 3, 2}, 0, 0, 1, kRepeatLast), IsEmpty());
  RandomStream stream(1, "empty", {});
  EXPECT_THAT(TrainFrames({2, 3, 2}, 0, kLoop, &stream), IsEmpty());
}

TEST(SamplingTest, RefusesShapesThatCannotBe) {
  EXPECT_THAT(CheckClipShape({1, 16, 1}), IsOk());
  EXPECT_THAT(CheckClipShape({0, 16, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 segments of 16 frames")));
  EXPECT_THAT(CheckClipShape({1, -4, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-4 frames")));
  EXPECT_THAT(CheckClipShape({1, 16, 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("stride 0")));
  EXPECT_THAT(CheckClipShape({2'000'000'000, 2'000'000'000, 2'000'000'000}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 1000000 frames")));
}

}  // namespace
}  // namespace op3d::data
