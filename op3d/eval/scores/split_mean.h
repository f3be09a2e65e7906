// The figures of a dataset's official splits and their mean, as papers on UCF101 and HMDB51
// report them.
//
//   OP3D_ASSIGN_OR_RETURN(SplitMean mean, MeanOverSplits({first, second, third}));
//   std::fputs(SplitMeanText(mean).c_str(), stdout);
#ifndef OP3D_EVAL_SCORES_SPLIT_MEAN_H_
#define OP3D_EVAL_SCORES_SPLIT_MEAN_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "op3d/eval/scores/evaluation.h"

namespace op3d {

// For one figure: the mean over the splits, the sample standard deviation and the range.  Shares in
// [0, 1].
struct Spread {
  double mean = 0, deviation = 0, low = 0, high = 0;
};

struct SplitMean {
  // For split 1, 2, ... in order: number of videos and top-1.
  std::vector<int64_t> videos;
  std::vector<double> top1_by_split;
  Spread top1, top3, top5;
  // Not set if it was not measured.
  std::optional<Spread> mean_class_accuracy;
};

// `pattern` with every "{split}" replaced by `split`: the file of one split.
std::string OfSplit(absl::string_view pattern, int split);

// InvalidArgument for fewer than two evaluations, one without labels, different numbers of
// classes, and two tests of the same videos, because splits have different test videos.
absl::StatusOr<SplitMean> MeanOverSplits(absl::Span<const Evaluation> splits);

// The same for measurements without stored scores: videos and top-k of each split.
// InvalidArgument for fewer than two.
absl::StatusOr<SplitMean> MeanOverMeasures(absl::Span<const Metrics> splits);

// One line per split and one for the mean; one JSON object and a line end.
std::string SplitMeanText(const SplitMean& mean);
std::string SplitMeanJson(const SplitMean& mean);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_SPLIT_MEAN_H_
