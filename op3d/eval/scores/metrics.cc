#include "op3d/eval/scores/metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/training_failure.h"

namespace op3d {
namespace {

// heads * videos * clips * crops * classes, or -1 if that does not fit in 63 bits.
template <typename T>
int64_t Product(const Views<T>& views) {
  int64_t product = 1;
  for (const int64_t size : {views.heads, views.videos, views.clips, views.crops, views.classes}) {
    if (__builtin_mul_overflow(product, size, &product)) return -1;
  }
  return product;
}

template <typename T>
absl::Status Check(const Views<T>& views) {
  if (views.heads < 1 || views.videos < 1 || views.clips < 1 || views.crops < 1 ||
      views.classes < 1 || Product(views) != static_cast<int64_t>(views.logits.size())) {
    return absl::InvalidArgumentError(absl::StrCat(
        views.logits.size(), " logits do not fill [", views.heads, " heads, ", views.videos,
        " videos, ", views.clips, " clips, ", views.crops, " crops, ", views.classes,
        " classes]; every size must be at least 1 and their product the number of logits"));
  }
  const int64_t row = views.clips * views.crops * views.classes;
  for (int64_t i = 0; i < static_cast<int64_t>(views.logits.size()); ++i) {
    if (!std::isfinite(views.logits[i])) {
      const std::string what = absl::StrCat("the logit of video ", i / row % views.videos,
                                            ", class ", i % views.classes, " is ", views.logits[i],
                                            ": the network has diverged; lower the learning rate");
      return MarkTrainingFailure(absl::InvalidArgumentError(what), what);
    }
  }
  return absl::OkStatus();
}

// One view's logits, the mean over the heads; `out` has `classes` entries.
template <typename T>
void ReadView(const Views<T>& views, int64_t video, int64_t clip, int64_t crop, double* out) {
  const int64_t head_size = views.videos * views.clips * views.crops * views.classes;
  const int64_t start = ((video * views.clips + clip) * views.crops + crop) * views.classes;
  for (int64_t c = 0; c < views.classes; ++c) {
    double sum = 0;
    for (int64_t head = 0; head < views.heads; ++head) {
      sum += views.logits[head * head_size + start + c];
    }
    out[c] = sum / static_cast<double>(views.heads);
  }
}

// One clip's logits, the mean over heads and crops.
template <typename T>
void ReadClip(const Views<T>& views, int64_t video, int64_t clip, std::vector<double>* view,
              double* out) {
  std::fill_n(out, views.classes, 0.0);
  for (int64_t crop = 0; crop < views.crops; ++crop) {
    ReadView(views, video, clip, crop, view->data());
    for (int64_t c = 0; c < views.classes; ++c) out[c] += (*view)[c];
  }
  for (int64_t c = 0; c < views.classes; ++c) out[c] /= static_cast<double>(views.crops);
}

void Softmax(std::vector<double>* logits) {
  const double highest = *std::max_element(logits->begin(), logits->end());
  double sum = 0;
  for (double& value : *logits) sum += value = std::exp(value - highest);
  for (double& value : *logits) value /= sum;
}

template <typename T>
VideoScores Empty(const Views<T>& views) {
  return {views.videos, views.classes,
          std::vector<double>(static_cast<size_t>(views.videos * views.classes), 0.0)};
}

// The number of classes ahead of `own`.
int64_t Rank(absl::Span<const double> scores, int64_t own) {
  int64_t ahead = 0;
  for (int64_t c = 0; c < static_cast<int64_t>(scores.size()); ++c) {
    ahead += scores[c] > scores[own] || (scores[c] == scores[own] && c < own);
  }
  return ahead;
}

absl::Status CheckLabels(const VideoScores& scores, absl::Span<const int64_t> labels) {
  if (scores.videos < 1 || scores.classes < 1 ||
      static_cast<int64_t>(scores.values.size()) != scores.videos * scores.classes) {
    return absl::InvalidArgumentError(absl::StrCat(scores.values.size(), " scores do not fill [",
                                                   scores.videos, " videos, ", scores.classes,
                                                   " classes]; both must be at least 1"));
  }
  if (static_cast<int64_t>(labels.size()) != scores.videos) {
    return absl::InvalidArgumentError(absl::StrCat(labels.size(), " labels for ", scores.videos,
                                                   " videos; there must be one a video"));
  }
  for (int64_t video = 0; video < scores.videos; ++video) {
    if (labels[video] < 0 || labels[video] >= scores.classes) {
      return absl::InvalidArgumentError(absl::StrCat("label ", labels[video], " of video ", video,
                                                     " is outside [0, ", scores.classes, ")"));
    }
  }
  return absl::OkStatus();
}

// ln of the softmax of `scores` at `own`.
double LogProbability(absl::Span<const double> scores, int64_t own) {
  const double highest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - highest);
  return scores[own] - highest - std::log(sum);
}

// One extremely wrong video must not dominate the mean of a list.
constexpr double kLeastLogProbability = -64;

// Rounds to a grid on which the sums over a list are exact.
double OnGrid(double value) {
  constexpr double kGrid = 1 << 26;
  return std::round(value * kGrid) / kGrid;
}

double MeanClassAccuracy(const std::vector<ClassMetrics>& classes) {
  double sum = 0;
  int64_t seen = 0;
  for (const ClassMetrics& one : classes) {
    if (one.videos == 0) continue;
    sum += static_cast<double>(one.correct) / static_cast<double>(one.videos);
    ++seen;
  }
  return sum / static_cast<double>(seen);
}

}  // namespace

template <typename T>
absl::StatusOr<VideoScores> MeanOfLogits(const Views<T>& views) {
  return TopKClips(views, views.clips);
}

template <typename T>
absl::StatusOr<VideoScores> MeanOfSoftmax(const Views<T>& views) {
  OP3D_RETURN_IF_ERROR(Check(views));
  VideoScores scores = Empty(views);
  std::vector<double> view(static_cast<size_t>(views.classes));
  for (int64_t video = 0; video < views.videos; ++video) {
    double* row = &scores.values[video * views.classes];
    for (int64_t i = 0; i < views.clips * views.crops; ++i) {
      ReadView(views, video, i / views.crops, i % views.crops, view.data());
      Softmax(&view);
      for (int64_t c = 0; c < views.classes; ++c) row[c] += view[c];
    }
    for (int64_t c = 0; c < views.classes; ++c) {
      row[c] /= static_cast<double>(views.clips * views.crops);
    }
  }
  return scores;
}

template <typename T>
absl::StatusOr<VideoScores> OneView(const Views<T>& views) {
  OP3D_RETURN_IF_ERROR(Check(views));
  VideoScores scores = Empty(views);
  for (int64_t video = 0; video < views.videos; ++video) {
    ReadView(views, video, 0, 0, &scores.values[video * views.classes]);
  }
  return scores;
}

template <typename T>
absl::StatusOr<VideoScores> TopKClips(const Views<T>& views, int64_t k) {
  OP3D_RETURN_IF_ERROR(Check(views));
  if (k < 1 || k > views.clips) {
    return absl::InvalidArgumentError(absl::StrCat("the ", k, " highest clips of ", views.clips,
                                                   "; k must be in [1, ", views.clips, "]"));
  }
  VideoScores scores = Empty(views);
  const int64_t classes = views.classes;
  std::vector<double> view(static_cast<size_t>(classes)), highest(views.clips);
  std::vector<double> clips(static_cast<size_t>(views.clips * classes));  // [clips, classes]
  for (int64_t video = 0; video < views.videos; ++video) {
    for (int64_t clip = 0; clip < views.clips; ++clip) {
      ReadClip(views, video, clip, &view, &clips[clip * classes]);
    }
    for (int64_t c = 0; c < classes; ++c) {
      for (int64_t clip = 0; clip < views.clips; ++clip) highest[clip] = clips[clip * classes + c];
      if (k < views.clips) {
        std::partial_sort(highest.begin(), highest.begin() + k, highest.end(), std::greater<>());
      }
      double sum = 0;
      for (int64_t i = 0; i < k; ++i) sum += highest[i];
      scores.values[video * classes + c] = sum / static_cast<double>(k);
    }
  }
  return scores;
}

absl::StatusOr<VideoScores> WeightedSum(absl::Span<const VideoScores> streams,
                                        absl::Span<const double> weights) {
  if (streams.empty() || streams.size() != weights.size()) {
    return absl::InvalidArgumentError(absl::StrCat(weights.size(), " weights for ", streams.size(),
                                                   " streams; there must be one each"));
  }
  VideoScores sum = streams[0];
  std::fill(sum.values.begin(), sum.values.end(), 0.0);
  for (size_t stream = 0; stream < streams.size(); ++stream) {
    const VideoScores& one = streams[stream];
    if (one.videos != sum.videos || one.classes != sum.classes ||
        one.values.size() != sum.values.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "scores of stream 1 are [", sum.videos, ", ", sum.classes, "], of stream ", stream + 1,
          " [", one.videos, ", ", one.classes, "]; all must be of the same videos and classes"));
    }
    if (!std::isfinite(weights[stream])) {
      return absl::InvalidArgumentError(
          absl::StrCat("the weight of stream ", stream + 1, " is ", weights[stream]));
    }
    for (size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += weights[stream] * one.values[i];
  }
  return sum;
}

absl::StatusOr<Metrics> ComputeMetrics(const VideoScores& scores,
                                       absl::Span<const int64_t> labels) {
  OP3D_RETURN_IF_ERROR(CheckLabels(scores, labels));
  Metrics metrics;
  metrics.videos = scores.videos;
  metrics.classes.resize(static_cast<size_t>(scores.classes));
  metrics.confusion.assign(static_cast<size_t>(scores.classes * scores.classes), 0);
  int64_t first = 0, in_three = 0, in_five = 0;
  double probability = 0, log_likelihood = 0;
  for (int64_t video = 0; video < scores.videos; ++video) {
    const absl::Span<const double> row =
        absl::MakeConstSpan(scores.values).subspan(video * scores.classes, scores.classes);
    for (const double score : row) {
      if (std::isfinite(score)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("a score of video ", video, " is ", score, "; scores must be finite"));
    }
    const int64_t rank = Rank(row, labels[video]);
    // The first among equals, as in Rank().
    const int64_t predicted = std::max_element(row.begin(), row.end()) - row.begin();
    first += rank < 1;
    in_three += rank < 3;
    in_five += rank < 5;
    metrics.predicted.push_back(predicted);
    metrics.ranks.push_back(rank);
    ++metrics.confusion[labels[video] * scores.classes + predicted];
    ++metrics.classes[labels[video]].videos;
    metrics.classes[labels[video]].correct += rank < 1;
    const double log_probability = LogProbability(row, labels[video]);
    probability += OnGrid(std::exp(log_probability));
    log_likelihood += OnGrid(std::max(log_probability, kLeastLogProbability));
  }
  const double videos = static_cast<double>(scores.videos);
  metrics.top1 = static_cast<double>(first) / videos;
  metrics.top3 = static_cast<double>(in_three) / videos;
  metrics.top5 = static_cast<double>(in_five) / videos;
  metrics.mean_class_accuracy = MeanClassAccuracy(metrics.classes);
  metrics.probability = probability / videos;
  metrics.log_likelihood = log_likelihood / videos;
  return metrics;
}

template <typename T>
absl::StatusOr<TopKClipsStatistic> BestTopKClips(const Views<T>& views,
                                                 absl::Span<const int64_t> labels) {
  TopKClipsStatistic statistic;
  for (int64_t k = 1; k <= std::max<int64_t>(views.clips, 1); ++k) {
    OP3D_ASSIGN_OR_RETURN(const VideoScores scores, TopKClips(views, k));
    OP3D_ASSIGN_OR_RETURN(Metrics metrics, ComputeMetrics(scores, labels));
    statistic.top1_by_k.push_back(metrics.top1);
    if (statistic.best_k == 0 || metrics.top1 > statistic.best.top1) {
      statistic.best_k = k;
      statistic.best = std::move(metrics);
    }
  }
  return statistic;
}

#define OP3D_INSTANTIATE_METRICS(T)                                          \
  template absl::StatusOr<VideoScores> MeanOfLogits(const Views<T>&);        \
  template absl::StatusOr<VideoScores> MeanOfSoftmax(const Views<T>&);       \
  template absl::StatusOr<VideoScores> OneView(const Views<T>&);             \
  template absl::StatusOr<VideoScores> TopKClips(const Views<T>&, int64_t);  \
  template absl::StatusOr<TopKClipsStatistic> BestTopKClips(const Views<T>&, \
                                                            absl::Span<const int64_t>)
OP3D_INSTANTIATE_METRICS(float);
OP3D_INSTANTIATE_METRICS(double);
#undef OP3D_INSTANTIATE_METRICS

}  // namespace op3d
