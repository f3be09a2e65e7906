#include "op3d/eval/scores/confidence.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"

namespace op3d {
namespace {

double Quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Interval IntervalOf(std::vector<double> values, double level) {
  std::sort(values.begin(), values.end());
  return {Quantile(values, (1 - level) / 2), Quantile(values, (1 + level) / 2)};
}

}  // namespace

absl::StatusOr<MetricIntervals> BootstrapIntervals(const Metrics& metrics,
                                                   absl::Span<const int64_t> labels,
                                                   const BootstrapOptions& options) {
  if (options.samples < 1 || !(options.level > 0 && options.level < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a bootstrap of ", options.samples, " samples at level ", options.level,
                     "; it takes at least 1 sample and a level between 0 and 1"));
  }
  const int64_t videos = metrics.videos;
  if (videos < 1 || static_cast<int64_t>(labels.size()) != videos ||
      static_cast<int64_t>(metrics.ranks.size()) != videos) {
    return absl::InvalidArgumentError(
        absl::StrCat(labels.size(), " labels and ", metrics.ranks.size(), " ranks for ", videos,
                     " videos; there must be one of each a video, and a video at least"));
  }
  const int64_t classes = static_cast<int64_t>(metrics.classes.size());
  for (const int64_t label : labels) {
    if (label >= 0 && label < classes) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("label ", label, " is outside [0, ", classes, ")"));
  }
  std::vector<double> top1, top3, top5, class_accuracy;
  std::vector<ClassMetrics> drawn(classes);
  for (int sample = 0; sample < options.samples; ++sample) {
    RandomStream stream(options.seed, "evaluate.bootstrap", {sample});
    std::fill(drawn.begin(), drawn.end(), ClassMetrics());
    int64_t first = 0, in_three = 0, in_five = 0;
    for (int64_t i = 0; i < videos; ++i) {
      const int64_t video = stream.UniformInt(videos);
      const int64_t rank = metrics.ranks[video];
      first += rank < 1;
      in_three += rank < 3;
      in_five += rank < 5;
      ++drawn[labels[video]].videos;
      drawn[labels[video]].correct += rank < 1;
    }
    const double all = static_cast<double>(videos);
    top1.push_back(static_cast<double>(first) / all);
    top3.push_back(static_cast<double>(in_three) / all);
    top5.push_back(static_cast<double>(in_five) / all);
    double sum = 0;
    int64_t seen = 0;
    for (const ClassMetrics& one : drawn) {
      if (one.videos == 0) continue;
      sum += static_cast<double>(one.correct) / static_cast<double>(one.videos);
      ++seen;
    }
    class_accuracy.push_back(sum / static_cast<double>(seen));
  }
  MetricIntervals intervals;
  intervals.top1 = IntervalOf(std::move(top1), options.level);
  intervals.top3 = IntervalOf(std::move(top3), options.level);
  intervals.top5 = IntervalOf(std::move(top5), options.level);
  intervals.mean_class_accuracy = IntervalOf(std::move(class_accuracy), options.level);
  return intervals;
}

}  // namespace op3d
