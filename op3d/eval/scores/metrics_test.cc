#include "op3d/eval/scores/metrics.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Every figure of the golden cases is a quotient of small counts or a sum of at most 30 scores;
// 1e-9 is a million times the rounding of double precision and much smaller than one video.
constexpr double kTolerance = 1e-9;

json Cases() {
  const absl::StatusOr<std::string> path =
      RunfilePath("op3d/eval/scores/testdata/metric_cases.json");
  EXPECT_THAT(path, IsOk());
  const absl::StatusOr<std::string> text = ReadFile(path.value_or(""));
  return json::parse(text.value_or(""), nullptr, false)["cases"];
}

// The golden's [crop][video][clip][class] as [video][clip][crop][class].
std::vector<double> Reorder(const json& scores, const Views<double>& sizes) {
  std::vector<double> logits;
  for (int64_t video = 0; video < sizes.videos; ++video) {
    for (int64_t clip = 0; clip < sizes.clips; ++clip) {
      for (int64_t crop = 0; crop < sizes.crops; ++crop) {
        for (const double logit : scores[crop][video][clip]) logits.push_back(logit);
      }
    }
  }
  return logits;
}

Views<double> Sizes(const json& golden) {
  return {1, golden["videos"], golden["clips"], golden["crops"], golden["classes"], {}};
}

void ExpectMetrics(const Metrics& metrics, const json& want) {
  EXPECT_NEAR(metrics.top1, want["top1"].get<double>(), kTolerance);
  EXPECT_NEAR(metrics.top3, want["top3"].get<double>(), kTolerance);
  EXPECT_NEAR(metrics.top5, want["top5"].get<double>(), kTolerance);
  EXPECT_NEAR(metrics.mean_of_top_1_3_5(), want["mean_of_top_1_3_5"].get<double>(), kTolerance);
  EXPECT_NEAR(metrics.mean_class_accuracy, want["mean_class_accuracy"].get<double>(), kTolerance);
  EXPECT_EQ(metrics.predicted, want["predicted"].get<std::vector<int64_t>>());
  std::vector<int64_t> confusion;
  for (const json& row : want["confusion"]) {
    for (const int64_t count : row) confusion.push_back(count);
  }
  EXPECT_EQ(metrics.confusion, confusion);
  ASSERT_EQ(metrics.classes.size(), want["per_class"].size());
  for (size_t c = 0; c < metrics.classes.size(); ++c) {
    const ClassMetrics& one = metrics.classes[c];
    EXPECT_EQ(one.videos == 0, want["per_class"][c].is_null());
    if (one.videos == 0) continue;
    EXPECT_NEAR(static_cast<double>(one.correct) / one.videos, want["per_class"][c].get<double>(),
                kTolerance);
  }
}

void ExpectScores(const absl::StatusOr<VideoScores>& scores, const json& want_first,
                  const std::vector<int64_t>& labels, const json& want) {
  ASSERT_THAT(scores, IsOk());
  for (size_t c = 0; c < want_first.size(); ++c) {
    EXPECT_NEAR(scores->values[c], want_first[c].get<double>(), kTolerance);
  }
  ASSERT_OK_AND_ASSIGN(const Metrics metrics, ComputeMetrics(*scores, labels));
  ExpectMetrics(metrics, want);
}

TEST(MetricsTest, GoldenCases) {
  const json cases = Cases();
  ASSERT_EQ(cases.size(), 16u);
  for (const json& golden : cases) {
    SCOPED_TRACE(golden["name"].get<std::string>());
    Views<double> views = Sizes(golden);
    const std::vector<double> logits = Reorder(golden["scores"], views);
    views.logits = logits;
    const std::vector<int64_t> labels = golden["labels"];
    for (const auto& [name, want] : golden["expect"].items()) {
      SCOPED_TRACE(name);
      const json first = want.value("scores_of_first_video", json::array());
      if (name == "mean_of_logits") {
        ExpectScores(MeanOfLogits(views), first, labels, want);
      } else if (name == "mean_of_softmax") {
        ExpectScores(MeanOfSoftmax(views), first, labels, want);
      } else if (name == "one_view") {
        ExpectScores(OneView(views), first, labels, want);
      } else if (name == "top_k_clips") {
        ASSERT_OK_AND_ASSIGN(const TopKClipsStatistic best, BestTopKClips(views, labels));
        EXPECT_EQ(best.best_k, want["best_k"].get<int64_t>());
        ASSERT_EQ(best.top1_by_k.size(), want["top1_by_k"].size());
        for (size_t k = 0; k < best.top1_by_k.size(); ++k) {
          EXPECT_NEAR(best.top1_by_k[k], want["top1_by_k"][k].get<double>(), kTolerance);
        }
        ExpectScores(TopKClips(views, best.best_k), want["scores_of_first_video_at_best_k"], labels,
                     want["best"]);
        ExpectMetrics(best.best, want["best"]);
      } else {
        ASSERT_EQ(name, "rgb_plus_flow");
        Views<double> flow = views;
        const std::vector<double> flow_logits = Reorder(golden["flow_scores"], views);
        flow.logits = flow_logits;
        ExpectScores(WeightedSum({*MeanOfLogits(views), *MeanOfLogits(flow)}, {1, 1}), first,
                     labels, want);
      }
    }
  }
}

TEST(MetricsTest, HeadsAreAveragedFirstAndFloatsSummedInDouble) {
  // [2 heads, 1 video, 2 clips, 1 crop, 2 classes]
  const std::vector<float> logits = {1, 0, 3, 0, 5, 2, 7, 2};
  const Views<float> views = {2, 1, 2, 1, 2, logits};
  ASSERT_OK_AND_ASSIGN(const VideoScores mean, MeanOfLogits(views));
  EXPECT_THAT(mean.values, ElementsAre(4, 1));
  ASSERT_OK_AND_ASSIGN(const VideoScores one, OneView(views));
  EXPECT_THAT(one.values, ElementsAre(3, 1));
  const Views<float> second = {1, 1, 2, 1, 2, absl::MakeConstSpan(logits).subspan(4)};
  ASSERT_OK_AND_ASSIGN(const VideoScores head, MeanOfLogits(second));
  EXPECT_THAT(head.values, ElementsAre(6, 2));
}

TEST(MetricsTest, SoftmaxOfHugeLogitsStaysFinite) {
  const std::vector<double> logits = {5000, -5000, 4000};
  ASSERT_OK_AND_ASSIGN(const VideoScores scores,
                       MeanOfSoftmax(Views<double>{1, 1, 1, 1, 3, logits}));
  EXPECT_THAT(scores.values, ElementsAre(1, 0, 0));
}

TEST(MetricsTest, StreamsCountByTheirWeights) {
  ASSERT_OK_AND_ASSIGN(const VideoScores sum,
                       WeightedSum({{1, 2, {1, 2}}, {1, 2, {10, -20}}}, {1, 1.5}));
  EXPECT_THAT(sum.values, ElementsAre(16, -28));
  ASSERT_OK_AND_ASSIGN(const Metrics metrics, ComputeMetrics(sum, {1}));
  EXPECT_THAT(metrics.ranks, ElementsAre(1));
}

TEST(MetricsTest, BadInputIsNamed) {
  std::vector<float> logits(12, 0.0f);
  const Views<float> views = {1, 2, 2, 1, 3, logits};
  const auto invalid = [](auto message) {
    return StatusIs(absl::StatusCode::kInvalidArgument, message);
  };
  EXPECT_THAT(MeanOfLogits(Views<float>{1, 2, 2, 1, 4, logits}),
              invalid(AllOf(HasSubstr("12 logits"), HasSubstr("4 classes"))));
  EXPECT_THAT(MeanOfSoftmax(Views<float>{0, 2, 2, 1, 3, logits}), invalid(HasSubstr("0 heads")));
  const int64_t huge = int64_t{1} << 40;
  EXPECT_THAT(OneView(Views<float>{1, huge, huge, 1, 3, logits}), invalid(HasSubstr("product")));
  EXPECT_THAT(TopKClips(views, 3), invalid(HasSubstr("[1, 2]")));
  ASSERT_OK_AND_ASSIGN(const VideoScores scores, MeanOfLogits(views));
  EXPECT_THAT(ComputeMetrics(scores, {0}), invalid(HasSubstr("1 labels for 2 videos")));
  EXPECT_THAT(ComputeMetrics(scores, {0, 3}), invalid(HasSubstr("label 3 of video 1")));
  EXPECT_THAT(ComputeMetrics(scores, {-1, 0}), invalid(HasSubstr("[0, 3)")));
  EXPECT_THAT(ComputeMetrics({}, {}), invalid(HasSubstr("at least 1")));
  EXPECT_THAT(WeightedSum({scores, {1, 3, {0, 0, 0}}}, {1, 1}), invalid(HasSubstr("same videos")));
  EXPECT_THAT(WeightedSum({scores, scores}, {1}), invalid(HasSubstr("1 weights for 2 streams")));
  EXPECT_THAT(WeightedSum({}, {}), invalid(HasSubstr("0 streams")));
  EXPECT_THAT(WeightedSum({scores}, {std::nan("")}), invalid(HasSubstr("stream 1 is nan")));
  EXPECT_THAT(BestTopKClips(Views<float>{1, 2, 0, 1, 3, logits}, {0, 1}),
              invalid(HasSubstr("0 clips")));
  logits[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(MeanOfLogits(views), invalid(HasSubstr("video 1, class 1 is nan")));
}

TEST(MetricsTest, MeansTheProbabilityOfTheRightClass) {
  // Softmax of (ln 3, 0) is (3/4, 1/4).
  const double ln3 = std::log(3.0);
  const VideoScores scores = {3, 2, {ln3, 0, ln3, 0, 0, 0}};
  ASSERT_OK_AND_ASSIGN(const Metrics metrics, ComputeMetrics(scores, {0, 1, 1}));
  EXPECT_NEAR(metrics.probability, (0.75 + 0.25 + 0.5) / 3, 1e-7);
  EXPECT_NEAR(metrics.log_likelihood, (std::log(0.75) + std::log(0.25) + std::log(0.5)) / 3, 1e-7);
  // One extremely wrong video counts as -64.
  ASSERT_OK_AND_ASSIGN(const Metrics wrong, ComputeMetrics({1, 2, {1e6, 0}}, {1}));
  EXPECT_EQ(wrong.log_likelihood, -64);
  EXPECT_EQ(wrong.probability, 0);
}

TEST(MetricsTest, ProbabilitiesOfPartsAddUpToTheSameBits) {
  VideoScores all = {7, 3, {}};
  std::vector<int64_t> labels;
  for (int i = 0; i < 21; ++i) all.values.push_back(std::sin(i * 1.7) * 3);
  for (int i = 0; i < 7; ++i) labels.push_back(i % 3);
  ASSERT_OK_AND_ASSIGN(const Metrics whole, ComputeMetrics(all, labels));
  double probability = 0, log_likelihood = 0;
  for (int i = 6; i >= 0; --i) {
    const VideoScores one = {
        1, 3, {all.values.begin() + 3 * i, all.values.begin() + 3 * i + 3}};
    ASSERT_OK_AND_ASSIGN(const Metrics part, ComputeMetrics(one, {labels[i]}));
    probability += part.probability;
    log_likelihood += part.log_likelihood;
  }
  EXPECT_EQ(probability / 7, whole.probability);
  EXPECT_EQ(log_likelihood / 7, whole.log_likelihood);
}

}  // namespace
}  // namespace op3d
