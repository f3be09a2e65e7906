#include "op3d/train/training_progress.h"

#include <algorithm>
#include <cmath>

#include "absl/base/casts.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

// All bits of a number.
std::string Bits(double value) { return absl::StrCat(absl::Hex(absl::bit_cast<uint64_t>(value))); }

constexpr char kLossScale[] = "loss_scale";
constexpr double kMemory = 0.95;
constexpr double kDefaultDivergenceFactor = 10;

class Reader {
 public:
  explicit Reader(const std::map<std::string, std::string>& metadata) : metadata_(metadata) {}

  absl::StatusOr<std::string> Text(const std::string& key) const {
    const auto found = metadata_.find(key);
    if (found != metadata_.end()) return found->second;
    return absl::DataLossError(absl::StrCat("the checkpoint has no '", key, "'"));
  }

  template <typename T>
  absl::Status Read(const std::string& key, T* number) const {
    OP3D_ASSIGN_OR_RETURN(const std::string text, Text(key));
    return Parse(key, text, number);
  }

  absl::Status Read(const std::string& key, std::vector<double>* numbers) const {
    OP3D_ASSIGN_OR_RETURN(const std::string text, Text(key));
    for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
      numbers->emplace_back();
      OP3D_RETURN_IF_ERROR(Parse(key, word, &numbers->back()));
    }
    return absl::OkStatus();
  }

 private:
  static bool ParseNumber(absl::string_view text, double* number) {
    uint64_t bits = 0;
    if (!absl::SimpleHexAtoi(text, &bits)) return false;
    *number = absl::bit_cast<double>(bits);
    return true;
  }
  template <typename T>
  static bool ParseNumber(absl::string_view text, T* number) {
    return absl::SimpleAtoi(text, number) && *number >= 0;
  }
  template <typename T>
  static absl::Status Parse(const std::string& key, absl::string_view text, T* number) {
    if (ParseNumber(text, number)) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat("the checkpoint's '", key, "' holds '", text, "', which is no such number"));
  }

  const std::map<std::string, std::string>& metadata_;
};

}  // namespace

void TrainingProgress::EndEpoch() {
  losses.push_back(loss_sum / static_cast<double>(clips));
  ++epochs;
  micro_batches = clips = skipped = skipped_steps = 0;
  loss_sum = 0;
  examples.clear();
}

absl::Status TrainingProgress::AddStepLoss(double loss, double limit) {
  if (!std::isfinite(loss)) return absl::InternalError(absl::StrCat("the loss is ", loss));
  running_loss = kMemory * running_loss + (1 - kMemory) * loss;
  ++running_steps;
  // Corrected for its start at 0.
  const double mean = running_loss / (1 - std::pow(kMemory, static_cast<double>(running_steps)));
  // A few steps prove nothing: with a high learning rate the first losses often jump.
  if (running_steps < 20 || mean <= limit) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the loss has risen to ", mean, ", above the limit of ", limit));
}

std::map<std::string, std::string> TrainingProgress::ToMetadata() const {
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : notes) metadata["note." + key] = value;
  for (size_t i = 0; i < examples.size(); ++i) {
    metadata[absl::StrCat("example.", absl::Dec(i, absl::kZeroPad4))] = examples[i];
  }
  metadata["epochs"] = absl::StrCat(epochs);
  metadata["losses"] = absl::StrJoin(
      losses, " ", [](std::string* out, double loss) { absl::StrAppend(out, Bits(loss)); });
  metadata["micro_batches"] = absl::StrCat(micro_batches);
  metadata["loss_sum"] = Bits(loss_sum);
  metadata["clips"] = absl::StrCat(clips);
  metadata["skipped"] = absl::StrCat(skipped);
  metadata["step_loss_sum"] = Bits(step_loss_sum);
  metadata["step_clips"] = absl::StrCat(step_clips);
  metadata["running_loss"] = Bits(running_loss);
  metadata["running_steps"] = absl::StrCat(running_steps);
  if (loss_scale.has_value()) {
    metadata[kLossScale] = Bits(loss_scale->factor);
    metadata["good_steps"] = absl::StrCat(loss_scale->good_steps);
    metadata["skipped_steps"] = absl::StrCat(skipped_steps);
  }
  return metadata;
}

absl::StatusOr<TrainingProgress> TrainingProgress::FromMetadata(
    const std::map<std::string, std::string>& metadata) {
  const Reader reader(metadata);
  TrainingProgress progress;
  OP3D_RETURN_IF_ERROR(reader.Read("epochs", &progress.epochs));
  OP3D_RETURN_IF_ERROR(reader.Read("losses", &progress.losses));
  OP3D_RETURN_IF_ERROR(reader.Read("micro_batches", &progress.micro_batches));
  OP3D_RETURN_IF_ERROR(reader.Read("loss_sum", &progress.loss_sum));
  OP3D_RETURN_IF_ERROR(reader.Read("clips", &progress.clips));
  OP3D_RETURN_IF_ERROR(reader.Read("skipped", &progress.skipped));
  OP3D_RETURN_IF_ERROR(reader.Read("step_loss_sum", &progress.step_loss_sum));
  OP3D_RETURN_IF_ERROR(reader.Read("step_clips", &progress.step_clips));
  OP3D_RETURN_IF_ERROR(reader.Read("running_loss", &progress.running_loss));
  OP3D_RETURN_IF_ERROR(reader.Read("running_steps", &progress.running_steps));
  if (metadata.count(kLossScale) > 0) {
    LossScale& scale = progress.loss_scale.emplace();
    OP3D_RETURN_IF_ERROR(reader.Read(kLossScale, &scale.factor));
    OP3D_RETURN_IF_ERROR(reader.Read("good_steps", &scale.good_steps));
    OP3D_RETURN_IF_ERROR(reader.Read("skipped_steps", &progress.skipped_steps));
    if (!scale.valid()) {
      return absl::DataLossError(absl::StrCat("the checkpoint's loss scale of ", scale.factor,
                                              " after ", scale.good_steps,
                                              " good steps is none that a training reaches"));
    }
  }
  for (const auto& [key, value] : metadata) {
    if (absl::StartsWith(key, "note.")) progress.notes[key.substr(5)] = value;
    if (absl::StartsWith(key, "example.")) progress.examples.push_back(value);
  }
  return progress;
}

absl::StatusOr<double> DivergenceLimit(double factor, int64_t classes) {
  if (factor < 0) {
    return absl::InvalidArgumentError(absl::StrCat("training.divergence_factor is ", factor,
                                                   "; it must be above 0, or 0 for ",
                                                   kDefaultDivergenceFactor));
  }
  return (factor > 0 ? factor : kDefaultDivergenceFactor) * 2 *
         std::log(static_cast<double>(std::max<int64_t>(2, classes)));
}

}  // namespace op3d
