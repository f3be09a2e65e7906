// The card of a file of weights: its network, classes, clips and test, as
// metadata of the file itself.  Torch-free.
//
//   std::map<std::string, std::string> metadata;
//   AddModelCard(written, &metadata);                             // to write
//   OP3D_ASSIGN_OR_RETURN(std::optional<ModelCard> card,
//                         ReadModelCard(checkpoint, "model.safetensors"));
//   if (card.has_value()) Use(card->network());
//
// All functions are thread-safe.
#ifndef OP3D_TRAIN_CHECKPOINT_MODEL_CARD_H_
#define OP3D_TRAIN_CHECKPOINT_MODEL_CARD_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/datasets/dataset.pb.h"
#include "data/sampling/sampling.h"
#include "op3d/network/weights/checkpoint.h"
#include "op3d/train/checkpoint/model_card.pb.h"

namespace op3d {

// The key of the card in a file's metadata.
inline constexpr char kModelCard[] = "op3d.model";

// The card's text, for the metadata of safetensors and the extra files of TorchScript.
std::string ModelCardText(const ModelCard& card);
void AddModelCard(const ModelCard& card, std::map<std::string, std::string>* metadata);

// The file's card; nullopt if it has none (a foreign or old file).  The card is not trusted:
// InvalidArgument begins with `source` and names the field if the card does not parse, is longer
// than 1 MiB, or has numbers outside their range, names for another number of classes, a test of
// more than 8 GiB per video, a mean or deviation other than ours, or a path outside the dataset's
// folder.  ReadWeightsCard (weights_card.h) checks whether the tensors fit.
absl::StatusOr<std::optional<ModelCard>> ReadModelCard(const Checkpoint& checkpoint,
                                                       absl::string_view source);

// The clip of the card's test; {0, 0, 0} if unknown.
data::ClipShape TestClip(const ModelCard& card);

// The part of `dataset` that is valid on another machine: without its sources, absolute paths and
// the hosts of remote data.
DatasetSettings PortableDataset(const DatasetSettings& dataset);

// "dg_p3d_miniature of width 16 for 9 classes of kinetics400; test of 2 clips of 4 x 4 frames,
// short side 36, crop 32".
std::string DescribeModelCard(const ModelCard& card);

}  // namespace op3d

#endif  // OP3D_TRAIN_CHECKPOINT_MODEL_CARD_H_
