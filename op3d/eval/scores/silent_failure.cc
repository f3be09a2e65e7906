#include "op3d/eval/scores/silent_failure.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace op3d {
namespace {

constexpr size_t kFewestLabelled = 4, kFewestUnlabelled = 10;
constexpr int64_t kFewestTested = 10;
constexpr double kLearntNothing = 0.98, kLearnt = 0.5;

}  // namespace

double TrainedLoss::guessing() const {
  return static_cast<double>(heads) * std::log(static_cast<double>(std::max<int64_t>(1, classes)));
}

std::string DescribeOneClass(absl::Span<const int64_t> predicted, absl::Span<const int64_t> labels,
                             const std::vector<std::string>& class_names) {
  const auto one = [](absl::Span<const int64_t> values) {
    return std::all_of(values.begin(), values.end(),
                       [&](int64_t value) { return value == values[0]; });
  };
  if (predicted.empty() || !one(predicted)) return "";
  const bool labelled = !labels.empty() && labels[0] >= 0;
  if (predicted.size() < (labelled ? kFewestLabelled : kFewestUnlabelled)) return "";
  if (labelled && one(labels)) return "";
  const auto label = static_cast<size_t>(predicted[0]);
  return absl::StrCat(
      "warning: all ", predicted.size(), " videos were given class ",
      label < class_names.size() ? absl::StrCat("'", class_names[label], "'") : absl::StrCat(label),
      ": the network distinguishes nothing. Are the weights trained, do they belong to this "
      "network (width, strides, pools), and do their BatchNorm statistics fit?");
}

std::string DescribeNothingLearnt(absl::string_view name, const TrainedLoss& trained) {
  const double guessing = trained.guessing();
  if (trained.loss <= 0 || guessing <= 0 || trained.loss < kLearntNothing * guessing) return "";
  return absl::StrFormat(
      "warning: %s ended with a training loss of %.3f; guessing among %d classes costs %.3f, "
      "so it has learned nothing. Give it more epochs or another learning rate, and look at "
      "its clips and labels (dataset inspect)",
      name, trained.loss, trained.classes, guessing);
}

std::string DescribeMisfit(const TrainedLoss& trained, double top1, int64_t videos) {
  const double guessing = trained.guessing();
  if (videos < kFewestTested || trained.classes < 2 || trained.loss <= 0) return "";
  if (trained.loss >= kLearnt * guessing) return "";
  const double chance = 1 / static_cast<double>(trained.classes);
  const double deviation = std::sqrt(chance * (1 - chance) / static_cast<double>(videos));
  if (top1 > chance + 2 * deviation) return "";
  return absl::StrFormat(
      "warning: top-1 is %.1f %% of %d videos, the level of guessing among %d classes, although the "
      "training loss was %.3f, far below the %.3f of guessing: the BatchNorm statistics do not fit "
      "the weights, or the videos are other ones than those trained on. Train the last state with a "
      "lower or falling learning rate or longer, so that the running statistics catch up, or with "
      "frozen_batch_norm; merged epochs and averages have theirs computed again",
      100 * top1, videos, trained.classes, trained.loss, guessing);
}

}  // namespace op3d
