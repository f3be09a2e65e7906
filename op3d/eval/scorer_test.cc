#include "op3d/eval/scorer.h"

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/train/testing/tiny_job.h"

namespace op3d {
namespace {

using testing::HasSubstr;

class ScorerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(tiny_, MakeTinyJob());
    videos_ = tiny_->evaluation;
    ASSERT_OK_AND_ASSIGN(network_, Network::Make({"dg_p3d_miniature", 9, 0.2}, 1));
    options_.clip = {1, 16, 1};
    options_.transform = tiny_->job.transform;
  }

  std::unique_ptr<TinyJob> tiny_;
  std::vector<data::Video> videos_;
  std::unique_ptr<Network> network_;
  ScoringOptions options_;
  data::FrameStore frames_{0};
  ActivitySeconds seconds_;
};

TEST_F(ScorerTest, ScoresDoNotHangOnTheNumberOfThreads) {
  ASSERT_OK_AND_ASSIGN(const ViewScores one,
                       ScoreViews(network_.get(), videos_, &frames_, 2, options_, &seconds_));
  EXPECT_EQ(one.heads, 2);
  EXPECT_EQ(one.videos, 9);
  EXPECT_EQ(one.logits.size(), 2 * 9 * 2 * 3 * 9);
  options_.threads = 3;
  ASSERT_OK_AND_ASSIGN(const ViewScores four,
                       ScoreViews(network_.get(), videos_, &frames_, 2, options_, &seconds_));
  EXPECT_EQ(one.logits, four.logits);
  EXPECT_EQ(one.labels, four.labels);
  EXPECT_GT(seconds_.forward, 0);
  // As with a GPU: two scorers, whose clips other threads make.
  options_.threads = 1;
  options_.loader_threads = 2;
  ASSERT_OK_AND_ASSIGN(const ViewScores shared,
                       ScorePart(network_.get(), videos_, &frames_, 2, options_, &seconds_));
  EXPECT_EQ(one.logits, shared.logits);
}

TEST(ShareThreadsTest, OnlyTwoThreadsRunANetworkOnAGpu) {
  const auto shared = [](bool on_cpu, int threads) {
    const ThreadShare share = ShareThreads(on_cpu, threads);
    return std::make_pair(share.scorers, share.loader_threads);
  };
  EXPECT_EQ(shared(true, 15), std::make_pair(16, 0));
  EXPECT_EQ(shared(false, 15), std::make_pair(2, 7));
  EXPECT_EQ(shared(false, 1), std::make_pair(2, 0));
  EXPECT_EQ(shared(false, 0), std::make_pair(1, 0));
}

TEST_F(ScorerTest, TheSearchsMeasureIsTheMiddleClipsCentre) {
  ASSERT_OK_AND_ASSIGN(const Metrics metrics,
                       MeasurePerformance(network_.get(), videos_, &frames_, options_, &seconds_));
  // Clip 1 of 2 in the test is the middle one, crop 0 the centre.
  ASSERT_OK_AND_ASSIGN(const ViewScores scores,
                       ScoreViews(network_.get(), videos_, &frames_, 2, options_, &seconds_));
  for (int64_t video = 0; video < scores.videos; ++video) {
    int best = 0;
    double highest = -1e9;
    for (int64_t c = 0; c < 9; ++c) {
      const auto logit = [&](int64_t head) {
        return scores.logits[((head * 9 + video) * 6 + 3) * 9 + c];
      };
      const double mean = (logit(0) + logit(1)) / 2.0;
      if (mean > highest) highest = mean, best = static_cast<int>(c);
    }
    EXPECT_EQ(metrics.predicted[video], best);
  }
}

TEST_F(ScorerTest, ABrokenVideoIsAnErrorOrCounted) {
  const std::string path = JoinPath(TestFolder("broken"), "broken.mp4");
  ASSERT_THAT(WriteFileAtomically(path, "no video"), IsOk());
  videos_[4].path = path;
  videos_[4].name = "broken_one";
  EXPECT_THAT(ScoreViews(network_.get(), videos_, &frames_, 1, options_, &seconds_).status(),
              testing::Not(IsOk()));
  options_.on_bad_video = LoaderSettings::SKIP;
  options_.threads = 1;
  ASSERT_OK_AND_ASSIGN(const ViewScores scores,
                       ScoreViews(network_.get(), videos_, &frames_, 1, options_, &seconds_));
  EXPECT_EQ(scores.videos, 8);
  EXPECT_EQ(scores.skipped, 1);
  ASSERT_EQ(scores.examples.size(), 1);
  EXPECT_THAT(scores.examples[0], HasSubstr("broken_one"));
  EXPECT_EQ(scores.logits.size(), 2 * 8 * 3 * 9);
  videos_.assign(2, videos_[4]);
  EXPECT_THAT(ScoreViews(network_.get(), videos_, &frames_, 1, options_, &seconds_).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("none of 2 videos")));
}

TEST_F(ScorerTest, ScoresFileHoldsMeansOfHeadsAndViews) {
  ViewScores scores;
  scores.heads = 2, scores.videos = 1, scores.clips = 1, scores.crops = 2, scores.classes = 1;
  scores.logits = {1, 2, 3, 6};  // head 0: views 1, 2; head 1: views 3, 6
  scores.labels = {0};
  ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeTestScores(Summarise(scores)));
  ASSERT_OK_AND_ASSIGN(const Safetensors file, Safetensors::Parse(bytes, "scores"));
  const auto value = [&](const char* name, int i) {
    return reinterpret_cast<const float*>(file.Find(name)->data.data())[i];
  };
  EXPECT_EQ(value("scores", 0), 2);
  EXPECT_EQ(value("scores", 1), 4);
  EXPECT_EQ(value("heads", 0), 1.5f);
  EXPECT_EQ(value("heads", 1), 4.5f);
}

}  // namespace
}  // namespace op3d
