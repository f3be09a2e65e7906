#include "op3d/eval/scores/video_scores.h"

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// One video, 2 clips x 1 crop, 2 heads, 3 classes, numbers from `first` on.
TestScores One(float first, const std::string& name) {
  TestScores scores;
  scores.heads = 2, scores.videos = 1, scores.clips = 2, scores.crops = 1, scores.classes = 3;
  for (int i = 0; i < 6; ++i) scores.scores.push_back(first + i);
  for (int i = 0; i < 6; ++i) scores.head_scores.push_back(-first - i);
  scores.labels = {2};
  scores.names = {name};
  scores.class_names = {"abseiling", "air, drumming", "\"bowling\""};
  scores.settings = "network: c2d_resnet50\n";
  scores.broken = 1;
  return scores;
}

std::string Bytes(const TestScores& scores) { return SerializeTestScores(scores).value_or(""); }

TEST(TestScoresTest, WhatIsWrittenIsRead) {
  TestScores scores = One(1, "v_\xc3\xa9\xff");
  scores.listed = 9, scores.missing = 7;
  ASSERT_OK_AND_ASSIGN(TestScores read, ParseTestScores(Bytes(scores), "x"));
  EXPECT_THAT(read.names, ElementsAre("v_\xc3\xa9\xef\xbf\xbd"));  // not UTF-8: replaced
  read.names = scores.names;
  EXPECT_EQ(Bytes(read), Bytes(scores));
  EXPECT_EQ(read.scores, scores.scores);
  EXPECT_EQ(read.head_scores, scores.head_scores);
  EXPECT_EQ(read.class_names, scores.class_names);
  EXPECT_EQ(read.listed, 9);
  EXPECT_EQ(read.missing, 7);
  EXPECT_EQ(read.settings, scores.settings);
}

TEST(TestScoresTest, RowsOfARunAreReadByName) {
  TestScores planned = One(1, "a"), tuned = One(20, "a");
  tuned.clips = 1, tuned.crops = 2;
  const std::vector<std::pair<std::string, std::string>> rows = {{"planned", Bytes(planned)},
                                                                 {"us8x4_0.04", Bytes(tuned)}};
  ASSERT_OK_AND_ASSIGN(const std::string run, MergeRows(rows));
  ASSERT_OK_AND_ASSIGN(const TestScores read, ParseTestScores(run, "run", "us8x4_0.04"));
  EXPECT_EQ(Bytes(read), Bytes(tuned));
  EXPECT_EQ(Bytes(*ParseTestScores(run, "run", "planned")), Bytes(planned));
  EXPECT_THAT(ParseTestScores(run, "run").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("as in FILE:planned, of: planned, us8x4_0.04")));
  EXPECT_THAT(ParseTestScores(run, "run", "other").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("it has no row 'other'")));
  EXPECT_THAT(ParseTestScores(Bytes(planned), "one", "planned").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no row 'planned'")));
  // A single row need not be named.
  EXPECT_EQ(Bytes(*ParseTestScores(*MergeRows({rows[0]}), "run")), Bytes(planned));

  const std::string folder = TestFolder("run");
  ASSERT_THAT(WriteFileAtomically(folder + "/scores.safetensors", run), IsOk());
  for (const std::string& word : {folder + ":planned", folder + "/scores.safetensors:planned"}) {
    ASSERT_OK_AND_ASSIGN(const TestScores found, ReadTestScores(word));
    EXPECT_EQ(Bytes(found), Bytes(planned));
  }
  EXPECT_THAT(ReadTestScores(folder + "/none:planned").status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));

  // The checksum of the numbers ignores the names; files without names are explained.
  const std::string bare = WithoutMetadata(run);
  EXPECT_EQ(WithoutMetadata(bare), bare);
  planned.names = {"b"};
  EXPECT_EQ(WithoutMetadata(*MergeRows({{"planned", Bytes(planned)}, rows[1]})), bare);
  EXPECT_THAT(ParseTestScores(bare, "run", "planned").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("give checkpoints/planned/scores.safetensors")));
  EXPECT_EQ(WithoutMetadata("no tensors"), "no tensors");
}

TEST(TestScoresTest, PartsJoinVideoByVideoAndHeadByHead) {
  TestScores none = One(0, "gone");
  none.heads = none.videos = 0;
  none.scores.clear(), none.head_scores.clear(), none.labels.clear(), none.names.clear();
  ASSERT_OK_AND_ASSIGN(const TestScores all, JoinTestScores({One(10, "a"), none, One(20, "b")}));
  EXPECT_EQ(all.videos, 2);
  EXPECT_EQ(all.broken, 3);
  EXPECT_THAT(all.names, ElementsAre("a", "b"));
  EXPECT_THAT(all.scores, ElementsAre(10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25));
  EXPECT_THAT(all.head_scores,
              ElementsAre(-10, -11, -12, -20, -21, -22, -13, -14, -15, -23, -24, -25));
  ASSERT_OK_AND_ASSIGN(const TestScores nothing, ParseTestScores(Bytes(none), "none"));
  EXPECT_EQ(nothing.videos, 0);
  TestScores other = One(0, "c");
  other.crops = 2, other.clips = 1;
  EXPECT_THAT(JoinTestScores({One(10, "a"), other}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 clips, 2 crops")));
}

TEST(TestScoresTest, OtherFilesAreRefused) {
  const auto expect = [](const std::string& bytes, absl::StatusCode code, const char* what) {
    EXPECT_THAT(ParseTestScores(bytes, "f").status(), StatusIs(code, HasSubstr(what)));
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  expect("rubbish", absl::StatusCode::kDataLoss, "f");
  const std::string good = Bytes(One(1, "a"));
  expect(good.substr(0, good.size() - 1), absl::StatusCode::kDataLoss, "f");
  ASSERT_OK_AND_ASSIGN(const std::string weights,
                       SerializeSafetensors({{"scores", DType::kF64, {0, 0, 0}, ""}}, {}));
  expect(weights, invalid, "f: this is not a file of scores: it needs a tensor 'scores' of F32");
  TestScores scores = One(1, "a");
  scores.clips = 1, scores.crops = 2;
  std::string lies = Bytes(scores);
  const size_t at = lies.find("\"clips\":\"1\"");
  ASSERT_NE(at, std::string::npos);
  lies.replace(at, 11, "\"clips\":\"7\"");
  expect(lies, invalid, "7 clips of 2 crops");
  lies.replace(at, 11, "\"clips\":\"x\"");
  expect(lies, invalid, "clips = 'x'");
  scores.names = {"a", "b"};
  expect(Bytes(scores), invalid, "2 videos, but has scores of 1");
  scores.labels = {1, 2};
  // Such a file cannot be written, either.
  EXPECT_THAT(SerializeTestScores(scores).status(), StatusIs(invalid, HasSubstr("labels")));
}

}  // namespace
}  // namespace op3d
