// Trainings and tests that end without an error and are worth nothing, named.
//
//   std::string warning = DescribeMisfit({/*loss=*/0.04, /*heads=*/2, /*classes=*/9}, 0.11, 90);
//   if (!warning.empty()) Progress::Print(warning);
//
// Each gives a sentence that begins with "warning: " and says what to do, or nothing.  Pure and
// thread-safe.
#ifndef OP3D_EVAL_SCORES_SILENT_FAILURE_H_
#define OP3D_EVAL_SCORES_SILENT_FAILURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace op3d {

// What a network was trained to.
struct TrainedLoss {
  // Mean over an epoch's clips of the sum of the heads' cross entropies; 0 = not known.
  double loss = 0;
  // Classifiers in that sum.
  int64_t heads = 1;
  int64_t classes = 0;

  // What guessing costs: heads times the logarithm of the number of classes.
  double guessing() const;
};

// All videos, four at least, were given one class, although `labels` has several of them; labels
// of -1 say nothing, then ten videos are needed.  `class_names` may be empty.
std::string DescribeOneClass(absl::Span<const int64_t> predicted, absl::Span<const int64_t> labels,
                             const std::vector<std::string>& class_names);

// The training `name` ("state S1") ended within 2 % of what guessing costs, or above.
std::string DescribeNothingLearnt(absl::string_view name, const TrainedLoss& trained);

// The training came below half of what guessing costs, but among `videos` videos, ten at least, no
// more are right than by guessing: top1 is below 1/classes plus two deviations.
std::string DescribeMisfit(const TrainedLoss& trained, double top1, int64_t videos);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_SILENT_FAILURE_H_
