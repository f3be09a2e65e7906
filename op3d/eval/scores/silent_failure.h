// Detects trainings and tests that end without an error but are worthless.
//
//   std::string warning = DescribeMisfit({/*loss=*/0.04, /*heads=*/2, /*classes=*/9}, 0.11, 90);
//   if (!warning.empty()) Progress::Print(warning);
//
// Each returns a sentence that begins with "warning: " and says what to do, or nothing.  Pure and
// thread-safe.
#ifndef OP3D_EVAL_SCORES_SILENT_FAILURE_H_
#define OP3D_EVAL_SCORES_SILENT_FAILURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace op3d {

// The final training loss of a network.
struct TrainedLoss {
  // Mean over an epoch's clips of the sum of the heads' cross entropies; 0 = unknown.
  double loss = 0;
  // The number of classifiers in that sum.
  int64_t heads = 1;
  int64_t classes = 0;

  // The loss of guessing: heads times the logarithm of the number of classes.
  double guessing() const;
};

// All videos (at least four) were given the same class, although `labels` has several classes.  If
// labels are unknown (-1), at least ten videos are needed.  `class_names` may be empty.
std::string DescribeOneClass(absl::Span<const int64_t> predicted, absl::Span<const int64_t> labels,
                             const std::vector<std::string>& class_names);

// The training `name` ("state S1") ended within 2 % of the loss of guessing, or above.
std::string DescribeNothingLearnt(absl::string_view name, const TrainedLoss& trained);

// The training's loss is below half of the loss of guessing, but among `videos` videos (at least
// ten) no more are right than by chance: top1 is below 1/classes plus two standard deviations.
std::string DescribeMisfit(const TrainedLoss& trained, double top1, int64_t videos);

}  // namespace op3d

#endif  // OP3D_EVAL_SCORES_SILENT_FAILURE_H_
