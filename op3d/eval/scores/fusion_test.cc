#include "op3d/eval/scores/fusion.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// One view, one head, two classes; video `name` has scores {value, -value} and label value % 2.
TestScores Stream(const std::vector<std::pair<std::string, int>>& videos) {
  TestScores stream;
  stream.heads = stream.clips = stream.crops = 1, stream.classes = 2;
  stream.videos = static_cast<int64_t>(videos.size());
  for (const auto& [name, value] : videos) {
    stream.names.push_back(name);
    stream.labels.push_back(value % 2);
    for (const float score : {1.0f * value, -1.0f * value}) {
      stream.scores.push_back(score);
      stream.head_scores.push_back(score);
    }
  }
  return stream;
}

TEST(FusionTest, VideosAreMatchedByName) {
  ASSERT_OK_AND_ASSIGN(
      const MatchedScores matched,
      MatchVideos({Stream({{"a", 1}, {"b", 2}, {"c", 3}}), Stream({{"c", 5}, {"a", 7}, {"b", 8}})},
                  /*common_only=*/false));
  EXPECT_EQ(matched.left_out, 0);
  EXPECT_THAT(matched.streams[1].names, ElementsAre("a", "b", "c"));
  EXPECT_THAT(matched.streams[1].scores, ElementsAre(7, -7, 8, -8, 5, -5));
  EXPECT_THAT(matched.streams[1].head_scores, ElementsAre(7, -7, 8, -8, 5, -5));
  EXPECT_THAT(matched.streams[1].labels, ElementsAre(1, 0, 1));
  EXPECT_THAT(matched.streams[0].scores, ElementsAre(1, -1, 2, -2, 3, -3));
}

TEST(FusionTest, WhatOneLacksIsAnErrorOrLeftOut) {
  const std::vector<TestScores> streams = {Stream({{"a", 1}, {"b", 2}, {"c", 3}}),
                                           Stream({{"d", 4}, {"c", 5}, {"b", 6}})};
  EXPECT_THAT(MatchVideos(streams, false).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("scores 2 lack the video a, and 1 more")));
  ASSERT_OK_AND_ASSIGN(const MatchedScores matched, MatchVideos(streams, true));
  EXPECT_EQ(matched.left_out, 2);
  EXPECT_THAT(matched.streams[0].names, ElementsAre("b", "c"));
  EXPECT_THAT(matched.streams[1].scores, ElementsAre(6, -6, 5, -5));
  EXPECT_THAT(MatchVideos({Stream({{"a", 1}}), Stream({{"b", 1}})}, true).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no video in common")));
}

TEST(FusionTest, VideosOfAPathListAreToldApartByTheirPaths) {
  const std::vector<std::pair<std::string, int>> rgb = {
      {"drinking/1.mp4", 1}, {"lecture/1.mp4", 2}, {"lecture/2.mp4", 4}};
  ASSERT_OK_AND_ASSIGN(
      MatchedScores matched,
      MatchVideos({Stream(rgb), Stream({{"lecture/1", 6}, {"drinking/1", 7}, {"lecture/2", 8}})},
                  false));
  EXPECT_THAT(matched.streams[1].scores, ElementsAre(7, -7, 6, -6, 8, -8));
  // If videos differ only in their endings, these count.
  EXPECT_THAT(
      MatchVideos({Stream({{"1.mp4", 1}, {"1.avi", 2}}), Stream({{"1", 1}, {"2", 2}})}, true)
          .status(),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no video in common")));
}

TEST(FusionTest, ClassesAreMatchedByName) {
  TestScores first = Stream({{"a", 1}, {"b", 2}}), second = Stream({{"a", 7}, {"b", 8}});
  first.class_names = {"left", "right"};
  second.class_names = {"right", "left"};
  for (int64_t& label : second.labels) label = 1 - label;  // in its own order
  ASSERT_OK_AND_ASSIGN(const MatchedScores matched, MatchVideos({first, second}, false));
  EXPECT_THAT(matched.streams[1].class_names, ElementsAre("left", "right"));
  EXPECT_THAT(matched.streams[1].scores, ElementsAre(-7, 7, -8, 8));
  EXPECT_THAT(matched.streams[1].head_scores, ElementsAre(-7, 7, -8, 8));
  EXPECT_THAT(matched.streams[1].labels, ElementsAre(1, 0));
  second.class_names = {"right", "up"};
  EXPECT_THAT(MatchVideos({first, second}, false).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no class 'left'")));
  second.class_names = {"right", "right"};
  EXPECT_THAT(MatchVideos({first, second}, false).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no class 'left'")));
}

TEST(FusionTest, LabelsComeFromAStreamThatHasThem) {
  TestScores without = Stream({{"b", 2}, {"a", 1}});
  without.labels = {-1, -1};
  for (const auto& streams : {std::vector<TestScores>{without, Stream({{"a", 3}, {"b", 4}})},
                              std::vector<TestScores>{Stream({{"b", 4}, {"a", 3}}), without}}) {
    ASSERT_OK_AND_ASSIGN(const MatchedScores matched, MatchVideos(streams, false));
    EXPECT_THAT(matched.streams[0].labels, ElementsAre(0, 1));
  }
}

TEST(FusionTest, ContradictionsAreNamed) {
  const auto expect = [](std::vector<TestScores> streams, const char* what) {
    EXPECT_THAT(MatchVideos(std::move(streams), true).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  expect({Stream({{"a", 1}}), Stream({{"a", 2}})}, "video a has label 1 in scores 1 and 0 in");
  expect({Stream({{"a", 1}}), Stream({{"b", 1}, {"b", 2}})}, "scores 2 hold the video b twice");
  TestScores other = Stream({{"a", 1}});
  other.class_names = {"jump", "run"};
  TestScores swapped = other;
  swapped.class_names = {"run", "jump"};
  expect({other, swapped}, "class 0 is 'jump' in scores 1 and 'run' in scores 2");
  TestScores nameless = Stream({{"a", 1}});
  nameless.names.clear();
  expect({Stream({{"a", 1}}), nameless}, "not all files name their videos");
  ASSERT_OK_AND_ASSIGN(const MatchedScores matched, MatchVideos({nameless, nameless}, false));
  EXPECT_EQ(matched.streams.size(), 2);
  nameless.classes = 1;
  expect({other, nameless}, "scores 1 have 2 classes, scores 2 1");
}

}  // namespace
}  // namespace op3d
