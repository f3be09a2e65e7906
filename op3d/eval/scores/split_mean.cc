#include "op3d/eval/scores/split_mean.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

Spread SpreadOf(absl::Span<const Metrics> splits, double Metrics::*figure) {
  Spread spread;
  const double count = static_cast<double>(splits.size());
  spread.low = spread.high = splits[0].*figure;
  for (const Metrics& split : splits) {
    const double value = split.*figure;
    spread.mean += value / count;
    spread.low = std::min(spread.low, value);
    spread.high = std::max(spread.high, value);
  }
  for (const Metrics& split : splits) {
    const double distance = split.*figure - spread.mean;
    spread.deviation += distance * distance / (count - 1);
  }
  spread.deviation = std::sqrt(spread.deviation);
  return spread;
}

std::string Line(const char* name, const Spread& spread) {
  return absl::StrFormat("%s %.2f %% +- %.2f (%.2f to %.2f)\n", name, 100 * spread.mean,
                         100 * spread.deviation, 100 * spread.low, 100 * spread.high);
}

nlohmann::ordered_json Json(const Spread& spread) {
  return {{"mean", spread.mean},
          {"deviation", spread.deviation},
          {"low", spread.low},
          {"high", spread.high}};
}

}  // namespace

std::string OfSplit(absl::string_view pattern, int split) {
  return absl::StrReplaceAll(pattern, {{"{split}", absl::StrCat(split)}});
}

absl::StatusOr<SplitMean> MeanOverMeasures(absl::Span<const Metrics> splits) {
  if (splits.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("a mean over splits needs two of them; there is ", splits.size()));
  }
  SplitMean mean;
  for (const Metrics& split : splits) {
    mean.videos.push_back(split.videos);
    mean.top1_by_split.push_back(split.top1);
  }
  mean.top1 = SpreadOf(splits, &Metrics::top1);
  mean.top3 = SpreadOf(splits, &Metrics::top3);
  mean.top5 = SpreadOf(splits, &Metrics::top5);
  return mean;
}

absl::StatusOr<SplitMean> MeanOverSplits(absl::Span<const Evaluation> splits) {
  std::vector<Metrics> metrics;
  for (size_t i = 0; i < splits.size(); ++i) {
    const TestScores& test = splits[i].test;
    if (!splits[i].labelled) {
      return absl::InvalidArgumentError(
          absl::StrCat("split ", i + 1, " has no labels, so it has no figures"));
    }
    if (test.classes != splits[0].test.classes) {
      return absl::InvalidArgumentError(absl::StrCat("split 1 has ", splits[0].test.classes,
                                                     " classes, split ", i + 1, " ", test.classes,
                                                     "; these are not splits of one dataset"));
    }
    for (size_t j = 0; j < i; ++j) {
      if (test.names.empty() || test.names != splits[j].test.names) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("splits ", j + 1, " and ", i + 1,
                       " were tested on the same videos; the official splits have different ones"));
    }
    metrics.push_back(splits[i].metrics);
  }
  OP3D_ASSIGN_OR_RETURN(SplitMean mean, MeanOverMeasures(metrics));
  mean.mean_class_accuracy = SpreadOf(metrics, &Metrics::mean_class_accuracy);
  return mean;
}

std::string SplitMeanText(const SplitMean& mean) {
  std::string text;
  for (size_t i = 0; i < mean.videos.size(); ++i) {
    absl::StrAppendFormat(&text, "split %d: top-1 %.2f %% of %d videos\n", static_cast<int>(i) + 1,
                          100 * mean.top1_by_split[i], mean.videos[i]);
  }
  absl::StrAppend(&text, "mean over ", mean.videos.size(),
                  " splits +- standard deviation (lowest to highest):\n", Line("top-1", mean.top1),
                  Line("top-3", mean.top3), Line("top-5", mean.top5));
  if (mean.mean_class_accuracy.has_value()) {
    absl::StrAppend(&text, Line("mean class accuracy", *mean.mean_class_accuracy));
  }
  return text;
}

std::string SplitMeanJson(const SplitMean& mean) {
  nlohmann::ordered_json json = {{"splits", mean.videos.size()},
                                 {"videos", mean.videos},
                                 {"top1_by_split", mean.top1_by_split},
                                 {"top1", Json(mean.top1)},
                                 {"top3", Json(mean.top3)},
                                 {"top5", Json(mean.top5)}};
  if (mean.mean_class_accuracy.has_value()) {
    json["mean_class_accuracy"] = Json(*mean.mean_class_accuracy);
  }
  return json.dump() + "\n";
}

}  // namespace op3d
