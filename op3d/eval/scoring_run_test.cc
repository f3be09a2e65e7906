#include "op3d/eval/scoring_run.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/thread/interrupt.h"
#include "op3d/train/testing/tiny_job.h"

namespace op3d {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ScoringRunTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(tiny_, MakeTinyJob());
    videos_ = tiny_->evaluation;
    ASSERT_OK_AND_ASSIGN(network_, Network::Make({"dg_p3d_miniature", 9, 0.2}, 1));
    options_.clip = {1, 16, 1};
    options_.transform = tiny_->job.transform;
    run_.settings = "network: dg_p3d_miniature\nclips: 1\n";
  }

  absl::StatusOr<TestScores> Score(const ScoringRun& run) {
    return ScoreTest(network_.get(), videos_, &frames_, /*clips=*/1, options_, run, &seconds_);
  }
  std::string Bytes(const ScoringRun& run) {
    const absl::StatusOr<TestScores> scores = Score(run);
    EXPECT_THAT(scores, IsOk());
    return scores.ok() ? SerializeTestScores(*scores).value_or("") : "";
  }
  std::string PartPath(const char* block) const {
    return JoinPath(run_.parts_folder, std::string(block) + ".safetensors");
  }

  std::unique_ptr<TinyJob> tiny_;
  std::vector<data::Video> videos_;
  std::unique_ptr<Network> network_;
  ScoringOptions options_;
  ScoringRun run_;
  data::FrameStore frames_{0};
  ActivitySeconds seconds_;
};

TEST_F(ScoringRunTest, OneOrSeveralThreadsAndProcessesGiveTheSameBytes) {
  const std::string alone = Bytes(run_);
  ASSERT_OK_AND_ASSIGN(const ViewScores views,
                       ScoreViews(network_.get(), videos_, &frames_, 1, options_, &seconds_));
  TestScores expected = Summarise(views);
  expected.settings = run_.settings;
  ASSERT_OK_AND_ASSIGN(const std::string at_once, SerializeTestScores(expected));
  EXPECT_EQ(alone, at_once);
  options_.threads = 2;
  EXPECT_EQ(Bytes(run_), alone);

  // Two processes in turn: nine blocks in five rounds, in the last one only one block.
  run_.shards = 2;
  run_.shard = 1;
  std::vector<std::string> sent;
  run_.gather = [&](const std::string& bytes) -> absl::StatusOr<std::vector<std::string>> {
    sent.push_back(bytes);
    return std::vector<std::string>{"", bytes};
  };
  ASSERT_OK_AND_ASSIGN(const TestScores second, Score(run_));
  EXPECT_EQ(second.videos, 0);
  ASSERT_EQ(sent.size(), 5);
  EXPECT_EQ(sent[4], "");
  run_.shard = 0;
  size_t round = 0;
  run_.gather = [&](const std::string& bytes) -> absl::StatusOr<std::vector<std::string>> {
    return std::vector<std::string>{bytes, sent[round++]};
  };
  EXPECT_EQ(Bytes(run_), alone);
  EXPECT_EQ(round, 5);
}

TEST_F(ScoringRunTest, WhatWasScoredIsNotScoredAgain) {
  run_.parts_folder = JoinPath(TestFolder("parts"), "a/b");
  const std::string first = Bytes(run_);
  ASSERT_OK_AND_ASSIGN(const auto parts, ListFolder(run_.parts_folder));
  EXPECT_EQ(parts.size(), 9);
  // Stored blocks need no videos, and the damaged one fails.
  const std::vector<data::Video> videos = videos_;
  for (data::Video& video : videos_) video.path = "/nowhere";
  EXPECT_EQ(Bytes(run_), first);
  ASSERT_THAT(WriteFileAtomically(PartPath("000004"), "damaged"), IsOk());
  EXPECT_THAT(std::string(Score(run_).status().message()), HasSubstr(videos_[4].name));
  videos_ = videos;
  EXPECT_EQ(Bytes(run_), first);

  ASSERT_THAT(RemoveFile(PartPath("000002")), IsOk());
  ASSERT_THAT(RemoveFile(PartPath("000007")), IsOk());
  EXPECT_EXIT(
      {
        InstallInterruptHandler();
        ::raise(SIGTERM);
        const absl::Status status = Score(run_).status();
        std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
        ::_exit(ExitCode(status));
      },
      testing::ExitedWithCode(143), "SIGTERM; the scores of 7 videos are kept in .*parts");
  EXPECT_EQ(Bytes(run_), first);

  ScoringRun other = run_;
  other.settings = "network: dg_p3d_miniature\nclips: 2\n";
  EXPECT_THAT(Score(other).status(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                              AllOf(HasSubstr("'clips: 1' there, 'clips: 2' here"),
                                                    HasSubstr("another --output"))));
  RemoveParts(run_);
  EXPECT_FALSE(FolderExists(run_.parts_folder));
}

TEST_F(ScoringRunTest, VideosThatDoNotDecodeAreCounted) {
  videos_[1].path = videos_[5].path = "/nowhere";
  options_.threads = 1;
  EXPECT_THAT(std::string(Score(run_).status().message()), HasSubstr(videos_[1].name));
  options_.on_bad_video = LoaderSettings::SKIP;
  ASSERT_OK_AND_ASSIGN(const TestScores scores, Score(run_));
  EXPECT_EQ(scores.videos, 7);
  EXPECT_EQ(scores.broken, 2);
  EXPECT_EQ(scores.names[1], videos_[2].name);
  for (data::Video& video : videos_) video.path = "/nowhere";
  EXPECT_THAT(Score(run_).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("none of 9 videos")));
}

TEST(BlockSizeTest, FewVideosAreSharedOutOneByOne) {
  EXPECT_EQ(BlockSize(0), 1);
  EXPECT_EQ(BlockSize(9), 1);
  EXPECT_EQ(BlockSize(640), 10);
  EXPECT_EQ(BlockSize(19906), 16);
}

}  // namespace
}  // namespace op3d
