// Which network a file of weights contains and how it is tested: from the file's card and a
// program's flags, and whether the two agree.
//
//   OP3D_ASSIGN_OR_RETURN(WeightsCard weights, ReadWeightsCard("model.safetensors", /*network=*/""));
//   std::vector<std::string> notes;
//   int crop = FlagOr("crop", absl::GetFlag(FLAGS_crop), weights.card.crop(), 256, &notes);
#ifndef OP3D_TRAIN_CHECKPOINT_WEIGHTS_CARD_H_
#define OP3D_TRAIN_CHECKPOINT_WEIGHTS_CARD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/eval/scores/silent_failure.h"
#include "op3d/network/network.h"
#include "op3d/network/weights/checkpoint.h"
#include "op3d/train/checkpoint/model_card.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

struct WeightsCard {
  // For a file without a card only `network` and `classes`, the latter from the classifier's rows.
  ModelCard card;
  // Whether the file has a card.
  bool described = false;

  NetworkOptions options() const;
};

// The network that is assumed for a foreign file without a card if the user names none.
inline constexpr char kUsualNetwork[] = "dg_p3d_resnet50";

// Reads and checks: a card must be valid (ReadModelCard) and describe a network with these tensors'
// shapes and as many classes as its classifier has rows.  `network` is what the user says, empty =
// nothing: it must be the card's network, or is the network of a file without a card (otherwise
// kUsualNetwork).  InvalidArgument begins with the path and names the contradiction; also for a
// file without a classifier.  Errors of WeightsOf.
absl::StatusOr<WeightsCard> ReadWeightsCard(const std::string& path, absl::string_view network);
// The same for a file in memory.
absl::StatusOr<WeightsCard> ReadWeightsCard(const Checkpoint& checkpoint, absl::string_view source,
                                            absl::string_view network);

// "flow" or "pictures", the training data of the network; empty for a file that does not say.
std::string StreamOf(const ModelCard& card);

// Describes a training of `network` that ended with `loss`, for silent_failure.h.
TrainedLoss ToTrainedLoss(const NetworkSettings& network, int64_t classes, double loss);

// The flag --`name` if given, otherwise the file's value, otherwise (0: the file has none)
// `otherwise`.  A flag that differs from the file is used, and adds a note.
int FlagOr(absl::string_view name, std::optional<int> flag, int of_file, int otherwise,
           std::vector<std::string>* notes);
// The same for text; empty = nothing.
std::string FlagOr(absl::string_view name, const std::string& flag, const std::string& of_file,
                   const std::string& otherwise, std::vector<std::string>* notes);

}  // namespace op3d

#endif  // OP3D_TRAIN_CHECKPOINT_WEIGHTS_CARD_H_
