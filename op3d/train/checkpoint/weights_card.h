// Which network a file of weights holds, and how it is tested: what the file says of itself, what
// the flags of a program say, and whether the two fit.
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
  // Of a file without a card `network` and `classes` alone, the latter as the classifier has rows.
  ModelCard card;
  // The file has one.
  bool described = false;

  NetworkOptions options() const;
};

// The network that a foreign file without a card is taken for when nobody names one.
inline constexpr char kUsualNetwork[] = "dg_p3d_resnet50";

// Reads and checks: a card must be sound (ReadModelCard) and describe a network of these tensors'
// shapes for as many classes as its classifier has rows.  `network` is what the user says, empty =
// nothing: it must be the card's, and names the network of a file without a card (kUsualNetwork
// otherwise).  InvalidArgument begins with the path and says what contradicts what; also for a
// file without a classifier, and as WeightsOf.
absl::StatusOr<WeightsCard> ReadWeightsCard(const std::string& path, absl::string_view network);
// The same of a file that is in memory.
absl::StatusOr<WeightsCard> ReadWeightsCard(const Checkpoint& checkpoint, absl::string_view source,
                                            absl::string_view network);

// "flow" or "pictures", what the network was trained on; empty for a file that does not say.
std::string StreamOf(const ModelCard& card);

// A training of `network` that ended with `loss`, for silent_failure.h.
TrainedLoss ToTrainedLoss(const NetworkSettings& network, int64_t classes, double loss);

// The flag --`name` where it is given, else what the file says, else (0: it says nothing)
// `otherwise`.  A flag that differs from the file adds a note: it holds all the same.
int FlagOr(absl::string_view name, std::optional<int> flag, int of_file, int otherwise,
           std::vector<std::string>* notes);
// The same of words; empty = nothing.
std::string FlagOr(absl::string_view name, const std::string& flag, const std::string& of_file,
                   const std::string& otherwise, std::vector<std::string>* notes);

}  // namespace op3d

#endif  // OP3D_TRAIN_CHECKPOINT_WEIGHTS_CARD_H_
