#include "op3d/train/step/training_precision.h"

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/torch/arithmetic.h"
#include "op3d/torch/precision.h"

namespace op3d {

absl::StatusOr<std::string> UseTrainingArithmetic(absl::string_view word,
                                                  TrainingSettings* training) {
  if (!word.empty()) {
    OP3D_ASSIGN_OR_RETURN(const Arithmetic wanted, ParseArithmetic(word));
    training->set_arithmetic(wanted == Arithmetic::kNative ? TrainingSettings::NATIVE
                                                           : TrainingSettings::PORTABLE);
  }
  return UseArithmetic(training->arithmetic() == TrainingSettings::NATIVE ? Arithmetic::kNative
                                                                          : Arithmetic::kPortable);
}

absl::StatusOr<std::string> DecidePrecision(const std::string& device, absl::string_view earlier,
                                            ProcessGroup* group, TrainingSettings* training) {
  if (training->precision().empty()) return std::string();
  if (training->precision() == "fp64") {
    return absl::InvalidArgumentError(
        "training.precision is 'fp64'; a training computes in fp32, bf16, tf32 or fp16 (on a GPU) "
        "or auto");
  }
  if (training->precision() != "auto") {
    OP3D_ASSIGN_OR_RETURN(const PrecisionChoice choice,
                          ChoosePrecision(training->precision(), device));
    if (choice.precision != Precision::kBfloat16 || device != "cpu" ||
        training->arithmetic() != TrainingSettings::PORTABLE) {
      return choice.reason;
    }
    return absl::StrCat(choice.reason,
                        "; portable arithmetic has no instructions for it and takes several times "
                        "as long as with fp32, --arithmetic=native uses the processor's");
  }
  std::string reason;
  if (!earlier.empty()) {
    training->set_precision(std::string(earlier));
    reason = absl::StrCat("precision ", earlier, ", as this run was begun");
  } else {
    OP3D_ASSIGN_OR_RETURN(const PrecisionChoice choice, ChoosePrecision("auto", device));
    training->set_precision(PrecisionName(choice.precision));
    reason = choice.reason;
  }
  if (group != nullptr) {
    OP3D_ASSIGN_OR_RETURN(const std::string first, group->Broadcast(training->precision()));
    training->set_precision(first);
  }
  return reason;
}

}  // namespace op3d
