#include "op3d/train/measure.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/proto_json.h"
#include "op3d/base/status_macros.h"
#include "op3d/eval/scorer.h"

namespace op3d {

namespace {

double Performance(const ScoreSettings& score, const Metrics& metrics) {
  switch (score.measure()) {
    case ScoreSettings::TOP_1:
      return metrics.top1;
    case ScoreSettings::LIKELIHOOD:
      return std::exp(metrics.log_likelihood);
    case ScoreSettings::PROBABILITY:
      return metrics.probability;
    default:
      return metrics.mean_of_top_1_3_5();
  }
}

// The figures of Metrics that a search may need; AddParts() leaves all others at 0.
constexpr double Metrics::*kShares[] = {&Metrics::top1, &Metrics::top3, &Metrics::top5};
constexpr double Metrics::*kMeans[] = {&Metrics::probability, &Metrics::log_likelihood};

// The figures of all processes' videos, from those of this process.  Shares are converted back to
// counts, and means to sums on their grid: both can be added exactly.
absl::StatusOr<Metrics> AddParts(const Metrics& part, ProcessGroup* group) {
  constexpr double kGrid = 1 << 26;
  const double count = static_cast<double>(part.videos);
  std::vector<double> sums = {count};
  for (const auto figure : kShares) sums.push_back(std::round(part.*figure * count));
  for (const auto figure : kMeans) sums.push_back(std::round(part.*figure * count * kGrid));
  OP3D_RETURN_IF_ERROR(group->AllReduce(&sums));
  const double videos = sums[0];
  if (videos == 0) return absl::DataLossError("no video to measure on could be read");
  Metrics whole;
  size_t next = 1;
  for (const auto figure : kShares) whole.*figure = sums[next++] / videos;
  for (const auto figure : kMeans) whole.*figure = sums[next++] / kGrid / videos;
  return whole;
}

}  // namespace

double ChancePerformance(const ScoreSettings& score, int64_t classes) {
  if (classes < 1) return 0;
  const auto all = static_cast<double>(classes);
  if (score.measure() != ScoreSettings::MEAN_OF_TOP_1_3_5) return 1 / all;
  return (1 + std::min(3.0, all) + std::min(5.0, all)) / (3 * all);
}

int SearchClips(const ScoreSettings& score, int clip_frames) {
  return std::min(1000, std::max(1, score.frames() / std::max(1, clip_frames)));
}

absl::StatusOr<CurvePoint> MeasureNetwork(Network* network, const std::vector<data::Video>& videos,
                                          const data::ClipShape& clip, const TrainingJob& job,
                                          ActivitySeconds* seconds) {
  const absl::Time start = absl::Now();
  ScoringOptions options;
  options.clip = clip;
  options.transform = job.transform;
  options.on_short_video = job.loader.on_short_video();
  options.on_bad_video = job.loader.on_bad_video();
  options.threads = job.loader_threads;
  options.search_clips = SearchClips(job.score, clip.length());
  Metrics metrics;
  if (job.group == nullptr) {
    OP3D_ASSIGN_OR_RETURN(metrics,
                          MeasurePerformance(network, videos, job.frames, options, seconds));
  } else {
    std::vector<data::Video> own;
    for (size_t i = job.group->rank(); i < videos.size(); i += job.group->size()) {
      own.push_back(videos[i]);
    }
    Metrics part;
    if (!own.empty()) {
      OP3D_ASSIGN_OR_RETURN(part, MeasurePerformance(network, own, job.frames, options, seconds));
    }
    OP3D_ASSIGN_OR_RETURN(metrics, AddParts(part, job.group));
  }
  CurvePoint measure;
  measure.set_performance(Performance(job.score, metrics));
  measure.set_top1(metrics.top1);
  measure.set_top3(metrics.top3);
  measure.set_top5(metrics.top5);
  measure.set_probability(metrics.probability);
  measure.set_evaluation_seconds(absl::ToDoubleSeconds(absl::Now() - start));
  return measure;
}

std::string EncodeCurvePoint(const CurvePoint& measure) {
  // A message without text always prints.
  return PrintProtoJson(measure).value_or("");
}

absl::StatusOr<CurvePoint> DecodeCurvePoint(const std::string& text) {
  CurvePoint measure;
  // Checkpoints of earlier versions have "likelihood".
  if (ParseProtoJson(text, /*ignore_unknown=*/true, &measure).ok()) return measure;
  return absl::DataLossError(absl::StrCat("not the measure of an epoch: ", text));
}

}  // namespace op3d
