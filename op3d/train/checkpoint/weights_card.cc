#include "op3d/train/checkpoint/weights_card.h"

#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/definition/state_entries.h"
#include "op3d/network/weights/weights_import.h"
#include "op3d/train/settings/network_settings.h"

namespace op3d {
namespace {

// Rows of the network's classifier; 0 without one.
int64_t RowsOfClassifier(const NetworkDefinition& definition,
                         const std::vector<TensorView>& tensors) {
  const std::string name = definition.heads[0].classifier.name + ".weight";
  for (const TensorView& tensor : tensors) {
    if (tensor.name == name && !tensor.shape.empty()) return tensor.shape[0];
  }
  return 0;
}

// Checked before memory is used, because a card may describe a wrong network.
absl::Status CheckShapes(const NetworkDefinition& definition,
                         const std::vector<TensorView>& tensors) {
  std::map<std::string, const TensorView*> given;
  for (const TensorView& tensor : tensors) given[tensor.name] = &tensor;
  for (const StateEntry& entry : StateEntries(definition)) {
    const auto found = given.find(entry.name);
    if (found == given.end() || found->second->shape == entry.shape) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("metadata ", kModelCard, " describes a network whose ", entry.name, " is ",
                     ShapeText(entry.shape), ", but the file's is ",
                     ShapeText(found->second->shape),
                     ": the description belongs to other weights"));
  }
  return absl::OkStatus();
}

}  // namespace

NetworkOptions WeightsCard::options() const {
  return ToNetworkOptions(card.network(), card.classes());
}

absl::StatusOr<WeightsCard> ReadWeightsCard(const std::string& path, absl::string_view network) {
  OP3D_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Read(path));
  return ReadWeightsCard(checkpoint, path, network);
}

absl::StatusOr<WeightsCard> ReadWeightsCard(const Checkpoint& checkpoint, absl::string_view source,
                                            absl::string_view network) {
  WeightsCard weights;
  OP3D_ASSIGN_OR_RETURN(const std::optional<ModelCard> card, ReadModelCard(checkpoint, source));
  weights.described = card.has_value();
  if (card.has_value()) {
    weights.card = *card;
    if (!network.empty() && network != card->network().name()) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, " holds the weights of ", card->network().name(),
                       ", as its metadata says; --network=", network,
                       " contradicts it: the weights are those of another network, or leave "
                       "--network out"));
    }
  } else {
    weights.card.mutable_network()->set_name(std::string(network.empty() ? kUsualNetwork : network));
    weights.card.set_classes(1);
  }
  absl::StatusOr<NetworkDefinition> definition = Define(weights.options());
  OP3D_RETURN_IF_ERROR(Annotate(definition.status(), source));
  absl::StatusOr<NetworkWeights> found = WeightsOf(*definition, checkpoint);
  OP3D_RETURN_IF_ERROR(Annotate(found.status(), source));
  const int64_t rows = RowsOfClassifier(*definition, found->tensors);
  if (rows == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        source, " has no ", definition->heads[0].classifier.name, ".weight, the classifier of ",
        weights.card.network().name(),
        "; are these the weights of another network? (./bazelw run //op3d:weights -- inspect shows "
        "what is in it)"));
  }
  if (!card.has_value()) {
    weights.card.set_classes(static_cast<int32_t>(rows));
    return weights;
  }
  if (rows != card->classes()) {
    return absl::InvalidArgumentError(absl::StrCat(source, ": metadata ", kModelCard, " says ",
                                                   card->classes(), " classes, but ",
                                                   definition->heads[0].classifier.name,
                                                   ".weight has ", rows, " rows"));
  }
  OP3D_RETURN_IF_ERROR(Annotate(CheckShapes(*definition, found->tensors), source));
  return weights;
}

std::string StreamOf(const ModelCard& card) {
  const DatasetSettings& dataset = card.dataset();
  if (dataset.stream() == DatasetSettings::FLOW) return "flow";
  // Imported weights have a card too, but their dataset is unknown.
  return dataset.name().empty() ? "" : "pictures";
}

TrainedLoss ToTrainedLoss(const NetworkSettings& network, int64_t classes, double loss) {
  TrainedLoss trained;
  trained.loss = loss;
  trained.classes = classes;
  // LGD's global classifier is trained too.
  const absl::StatusOr<NetworkDefinition> definition = Define(ToNetworkOptions(network, classes));
  if (definition.ok()) {
    trained.heads = static_cast<int64_t>(definition->heads.size()) +
                    (definition->global_classifier.has_value() ? 1 : 0);
  }
  return trained;
}

int FlagOr(absl::string_view name, std::optional<int> flag, int of_file, int otherwise,
           std::vector<std::string>* notes) {
  if (!flag.has_value()) return of_file != 0 ? of_file : otherwise;
  if (of_file != 0 && *flag != of_file) {
    notes->push_back(absl::StrCat("note: --", name, "=", *flag,
                                  " is used, although the weights are made for ", of_file));
  }
  return *flag;
}

std::string FlagOr(absl::string_view name, const std::string& flag, const std::string& of_file,
                   const std::string& otherwise, std::vector<std::string>* notes) {
  if (flag.empty()) return !of_file.empty() ? of_file : otherwise;
  if (!of_file.empty() && flag != of_file) {
    notes->push_back(absl::StrCat("note: --", name, "=", flag,
                                  " is used, although the weights are made for ", of_file));
  }
  return flag;
}

}  // namespace op3d
