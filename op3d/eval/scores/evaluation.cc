#include "op3d/eval/scores/evaluation.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/io/csv.h"
#include "op3d/base/status_macros.h"
#include "op3d/eval/scores/fusion.h"
#include "op3d/eval/scores/silent_failure.h"

namespace op3d {
namespace {

using nlohmann::ordered_json;

constexpr size_t kTopClasses = 5;

std::string ClassName(const Evaluation& evaluation, int64_t label) {
  const std::vector<std::string>& names = evaluation.test.class_names;
  return names.empty() ? absl::StrCat("class ", label) : names[label];
}

std::string Percent(double share) { return absl::StrFormat("%.2f %%", 100 * share); }

// "80.50 % [79.95, 81.04]".
std::string Percent(double share, const std::optional<MetricIntervals>& intervals,
                    Interval MetricIntervals::*which) {
  if (!intervals.has_value()) return Percent(share);
  const Interval& interval = (*intervals).*which;
  return absl::StrFormat("%s [%.2f, %.2f]", Percent(share), 100 * interval.low,
                         100 * interval.high);
}

std::string Statistic(const Evaluation& evaluation) {
  return evaluation.options.probabilities ? "mean of probabilities" : "mean of logits";
}

std::vector<int64_t> HighestClasses(const VideoScores& scores) {
  std::vector<int64_t> highest;
  for (int64_t video = 0; video < scores.videos; ++video) {
    const auto row = scores.values.begin() + video * scores.classes;
    highest.push_back(std::max_element(row, row + scores.classes) - row);  // the lowest of equals
  }
  return highest;
}

// Internal if not all of the numbers are finite, because their order is meaningless; `what` names
// them.
template <typename T>
absl::Status CheckFinite(const std::vector<T>& values, absl::string_view what) {
  const auto bad =
      std::count_if(values.begin(), values.end(), [](T x) { return !std::isfinite(x); });
  if (bad == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(
      bad, " of ", values.size(), " ", what,
      " are NaN or infinite and cannot be evaluated; test weights that have not diverged"));
}

absl::StatusOr<bool> HaveLabels(const TestScores& test) {
  int64_t unlabelled = 0;
  for (const int64_t label : test.labels) unlabelled += label < 0 ? 1 : 0;
  if (unlabelled == 0) return true;
  if (unlabelled == test.videos && test.videos > 0) return false;
  return absl::InvalidArgumentError(
      absl::StrCat(unlabelled, " of ", test.videos,
                   " videos have no label: give scores of a list with labels, or of one without"));
}

// The classes with the highest scores of a video, at most `count`.
std::vector<int64_t> TopClassesOf(const VideoScores& scores, int64_t video, size_t count) {
  const double* row = &scores.values[video * scores.classes];
  std::vector<int64_t> order(scores.classes);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return row[a] > row[b]; });
  if (order.size() > count) order.resize(count);
  return order;
}

std::string VideoName(const Evaluation& evaluation, int64_t video) {
  const std::vector<std::string>& names = evaluation.test.names;
  return names.empty() ? absl::StrCat("video ", video) : names[video];
}

}  // namespace

absl::StatusOr<Evaluation> Evaluate(std::vector<TestScores> streams,
                                    const EvaluationOptions& options) {
  if (streams.empty()) return absl::InvalidArgumentError("there are no scores to evaluate");
  Evaluation evaluation;
  evaluation.options = options;
  if (evaluation.options.weights.empty()) evaluation.options.weights.assign(streams.size(), 1);
  evaluation.streams = streams.size();
  OP3D_ASSIGN_OR_RETURN(MatchedScores matched,
                        MatchVideos(std::move(streams), options.common_only));
  evaluation.left_out = matched.left_out;
  std::vector<VideoScores> means;
  for (const TestScores& stream : matched.streams) {
    OP3D_RETURN_IF_ERROR(CheckFinite(stream.scores, "scores"));
    OP3D_RETURN_IF_ERROR(CheckFinite(stream.head_scores, "scores of the heads"));
    OP3D_ASSIGN_OR_RETURN(VideoScores mean, options.probabilities ? MeanOfSoftmax(stream.views())
                                                                  : MeanOfLogits(stream.views()));
    means.push_back(std::move(mean));
  }
  OP3D_ASSIGN_OR_RETURN(evaluation.scores, WeightedSum(means, evaluation.options.weights));
  OP3D_RETURN_IF_ERROR(CheckFinite(evaluation.scores.values, "sums of the streams' scores"));
  evaluation.test = std::move(matched.streams[0]);
  const TestScores& test = evaluation.test;
  evaluation.predicted = HighestClasses(evaluation.scores);
  std::string one_class = DescribeOneClass(evaluation.predicted, test.labels, test.class_names);
  if (!one_class.empty()) evaluation.warnings.push_back(std::move(one_class));
  OP3D_ASSIGN_OR_RETURN(evaluation.labelled, HaveLabels(test));
  if (!evaluation.labelled) return evaluation;
  OP3D_ASSIGN_OR_RETURN(evaluation.metrics, ComputeMetrics(evaluation.scores, test.labels));
  if (options.bootstrap.samples != 0) {
    OP3D_ASSIGN_OR_RETURN(evaluation.intervals,
                          BootstrapIntervals(evaluation.metrics, test.labels, options.bootstrap));
  }
  if (evaluation.streams > 1) return evaluation;
  if (test.clips > 1) {
    OP3D_ASSIGN_OR_RETURN(evaluation.top_k_clips, BestTopKClips(test.views(), test.labels));
  }
  const int64_t size = test.videos * test.classes;
  for (int64_t head = 0; test.heads > 1 && head < test.heads; ++head) {
    const auto begin = test.head_scores.begin() + head * size;
    OP3D_ASSIGN_OR_RETURN(
        const Metrics alone,
        ComputeMetrics({test.videos, test.classes, {begin, begin + size}}, test.labels));
    evaluation.head_top1.push_back(alone.top1);
  }
  return evaluation;
}

std::string EvaluationText(const Evaluation& evaluation) {
  const TestScores& test = evaluation.test;
  const Metrics& metrics = evaluation.metrics;
  std::string text = absl::StrCat(test.videos, " videos");
  if (test.listed > 0) {
    absl::StrAppend(&text, " of ", test.listed, " listed (", test.missing, " missing, ",
                    test.broken, " broken)");
  }
  if (evaluation.left_out > 0) {
    absl::StrAppend(&text, ", ", evaluation.left_out, " left out that not all scores have");
  }
  absl::StrAppend(&text, ", ", test.clips, " clips x ", test.crops, " crops each, ",
                  Statistic(evaluation), "\n");
  if (evaluation.streams > 1) {
    absl::StrAppend(&text, "sum of ", evaluation.streams, " scores with weights ",
                    absl::StrJoin(evaluation.options.weights, ", "), "\n");
  }
  if (!evaluation.labelled) {
    text += "the list has no labels: only predictions, the most likely class and its score\n";
    for (int64_t video = 0; video < test.videos; ++video) {
      const int64_t predicted = evaluation.predicted[video];
      absl::StrAppendFormat(&text, "%s   %s   %.4g\n", VideoName(evaluation, video),
                            ClassName(evaluation, predicted),
                            evaluation.scores.values[video * test.classes + predicted]);
    }
    return text;
  }
  const auto& intervals = evaluation.intervals;
  absl::StrAppend(
      &text, "top-1 ", Percent(metrics.top1, intervals, &MetricIntervals::top1), "   top-3 ",
      Percent(metrics.top3, intervals, &MetricIntervals::top3), "   top-5 ",
      Percent(metrics.top5, intervals, &MetricIntervals::top5), "\nmean class accuracy ",
      Percent(metrics.mean_class_accuracy, intervals, &MetricIntervals::mean_class_accuracy), "\n");
  if (intervals.has_value()) {
    absl::StrAppend(&text, "in brackets: ", 100 * evaluation.options.bootstrap.level,
                    " % intervals, bootstrap over videos, ", evaluation.options.bootstrap.samples,
                    " samples\n");
  }
  if (!evaluation.head_top1.empty()) {
    absl::StrAppend(
        &text, "top-1 of each single head: ",
        absl::StrJoin(evaluation.head_top1, ", ",
                      [](std::string* out, double share) { absl::StrAppend(out, Percent(share)); }),
        "\n");
  }
  if (evaluation.top_k_clips.has_value()) {
    absl::StrAppend(&text, "released merger's best top-k mean, k CHOSEN ON THESE LABELS: top-1 ",
                    Percent(evaluation.top_k_clips->best.top1),
                    " with k = ", evaluation.top_k_clips->best_k, "\n");
  }
  return text;
}

std::string EvaluationJson(const Evaluation& evaluation) {
  const TestScores& test = evaluation.test;
  const Metrics& metrics = evaluation.metrics;
  ordered_json row = {{"videos", test.videos},
                      {"listed", test.listed},
                      {"missing", test.missing},
                      {"broken", test.broken},
                      {"left_out", evaluation.left_out},
                      {"clips", test.clips},
                      {"crops", test.crops},
                      {"views", test.clips * test.crops},
                      {"statistic", Statistic(evaluation)},
                      {"fusion_weights", evaluation.options.weights}};
  if (!evaluation.warnings.empty()) row["warnings"] = evaluation.warnings;
  if (!evaluation.labelled) {
    row["predictions"] = ordered_json::array();
    for (int64_t video = 0; video < test.videos; ++video) {
      ordered_json top = ordered_json::array();
      for (const int64_t label : TopClassesOf(evaluation.scores, video, kTopClasses)) {
        top.push_back({{"label", label},
                       {"name", ClassName(evaluation, label)},
                       {"score", evaluation.scores.values[video * test.classes + label]}});
      }
      row["predictions"].push_back(
          {{"name", VideoName(evaluation, video)}, {"top", std::move(top)}});
    }
    return row.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  }
  row["top1"] = metrics.top1;
  row["top3"] = metrics.top3;
  row["top5"] = metrics.top5;
  row["mean_class_accuracy"] = metrics.mean_class_accuracy;
  if (evaluation.intervals.has_value()) {
    const auto pair = [](const Interval& interval) {
      return ordered_json::array({interval.low, interval.high});
    };
    row["intervals"] = {{"level", evaluation.options.bootstrap.level},
                        {"samples", evaluation.options.bootstrap.samples},
                        {"seed", evaluation.options.bootstrap.seed},
                        {"top1", pair(evaluation.intervals->top1)},
                        {"top3", pair(evaluation.intervals->top3)},
                        {"top5", pair(evaluation.intervals->top5)},
                        {"mean_class_accuracy", pair(evaluation.intervals->mean_class_accuracy)}};
  }
  if (!evaluation.head_top1.empty()) row["head_top1"] = evaluation.head_top1;
  if (evaluation.top_k_clips.has_value()) {
    row["best_top_k_clips_chosen_on_labels"] = {{"k", evaluation.top_k_clips->best_k},
                                                {"top1", evaluation.top_k_clips->best.top1},
                                                {"top1_by_k", evaluation.top_k_clips->top1_by_k}};
  }
  return row.dump() + "\n";
}

std::string ClassCsv(const Evaluation& evaluation) {
  std::string csv = "label,name,videos,correct,accuracy,most_taken_for,taken\n";
  const int64_t classes = evaluation.test.classes;
  for (int64_t c = 0; c < classes; ++c) {
    const ClassMetrics& one = evaluation.metrics.classes[c];
    int64_t most = -1;
    for (int64_t other = 0; other < classes; ++other) {
      const int64_t count = evaluation.metrics.confusion[c * classes + other];
      if (other == c || count == 0) continue;
      if (most < 0 || count > evaluation.metrics.confusion[c * classes + most]) most = other;
    }
    absl::StrAppend(&csv, c, ",", CsvField(ClassName(evaluation, c)), ",", one.videos, ",",
                    one.correct, ",");
    // A class without videos has no accuracy.
    if (one.videos > 0) {
      absl::StrAppendFormat(&csv, "%.6f",
                            static_cast<double>(one.correct) / static_cast<double>(one.videos));
    }
    if (most < 0) {
      absl::StrAppend(&csv, ",,0\n");
    } else {
      absl::StrAppend(&csv, ",", CsvField(ClassName(evaluation, most)), ",",
                      evaluation.metrics.confusion[c * classes + most], "\n");
    }
  }
  return csv;
}

std::string VideoCsv(const Evaluation& evaluation) {
  std::string csv = "name,label,class,predicted,predicted_class,rank,score,predicted_score\n";
  const TestScores& test = evaluation.test;
  for (int64_t video = 0; video < test.videos; ++video) {
    const int64_t own = test.labels[video], predicted = evaluation.predicted[video];
    const double* row = &evaluation.scores.values[video * test.classes];
    const std::string name = CsvField(VideoName(evaluation, video));
    if (!evaluation.labelled) {
      absl::StrAppend(&csv, name, ",,,", predicted, ",",
                      CsvField(ClassName(evaluation, predicted)));
      absl::StrAppendFormat(&csv, ",,,%.9g\n", row[predicted]);
      continue;
    }
    absl::StrAppend(&csv, name, ",", own, ",", CsvField(ClassName(evaluation, own)), ",", predicted,
                    ",", CsvField(ClassName(evaluation, predicted)), ",",
                    evaluation.metrics.ranks[video] + 1);
    absl::StrAppendFormat(&csv, ",%.9g,%.9g\n", row[own], row[predicted]);
  }
  return csv;
}

std::string ConfusionCsv(const Evaluation& evaluation) {
  std::string csv = "class";
  const int64_t classes = evaluation.test.classes;
  for (int64_t c = 0; c < classes; ++c)
    absl::StrAppend(&csv, ",", CsvField(ClassName(evaluation, c)));
  csv += "\n";
  for (int64_t own = 0; own < classes; ++own) {
    csv += CsvField(ClassName(evaluation, own));
    for (int64_t c = 0; c < classes; ++c) {
      absl::StrAppend(&csv, ",", evaluation.metrics.confusion[own * classes + c]);
    }
    csv += "\n";
  }
  return csv;
}

}  // namespace op3d
