// From a checkpoint to the entries of one network: its own weights, those of the
// same network for other classes, or a 2-D ResNet's, inflated.  Torch-free.
//
//   OP3D_ASSIGN_OR_RETURN(ImportedWeights weights, ImportWeights(definition, checkpoint));
//   if (weights.report.missing.empty()) Use(weights);                // complete
#ifndef OP3D_NETWORK_WEIGHTS_WEIGHTS_IMPORT_H_
#define OP3D_NETWORK_WEIGHTS_WEIGHTS_IMPORT_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/base/safetensors.h"
#include "op3d/network/definition/definition.h"
#include "op3d/network/weights/checkpoint.h"

namespace op3d {

// What happened to the names; each list is in the order of the network or the file.
struct ImportReport {
  // Copied under their own name.
  std::vector<std::string> mapped;
  // 2-D kernels that got a time axis, and temporal kernels, which 2-D networks do not have.
  std::vector<std::string> inflated;
  std::vector<std::string> made;
  // Entries of the file that the network does not use.
  std::vector<std::string> ignored;
  // Entries of the network that are not in the file.
  std::vector<std::string> missing;
};

struct ImportedWeights {
  // Entries of the network's state dict, in its order, without the missing ones.  They live as
  // long as this and the checkpoint.
  std::vector<TensorView> tensors;
  ImportReport report;
  std::shared_ptr<const std::deque<std::string>> storage;
};

// A checkpoint's tensors under the names of one network.
struct NetworkWeights {
  // Under the network's own names, if it has them; views into the checkpoint.
  std::vector<TensorView> tensors;
  // The prefix of these names in the file: "", "module.", "state_dict/model._orig_mod." ...
  std::string prefix;
  // The names of the same state dict under another prefix, as in the file.
  std::vector<std::string> others;
};

// Finds the network's weights under any key and any prefix, known or not: the
// one under which most of the network's names are found.  A classifier under another prefix is
// found too: MMAction2 keeps it in `cls_head.`, under `fc_cls` (for networks with one classifier).
// EMA weights are used if there are no others.  If nothing fits, the result of Checkpoint::Weights.
//
// InvalidArgument if the weights occur twice (teacher and student, two encoders), naming
// both places; if nothing fits and the file contains objects that cannot be read; and for values
// that are NaN or infinite (see CheckFinite).
absl::StatusOr<NetworkWeights> WeightsOf(const NetworkDefinition& network,
                                         const Checkpoint& checkpoint);

// InvalidArgument names the tensors with NaN or infinite values, and the number of such values.
absl::Status CheckFinite(const std::vector<TensorView>& tensors);

// InvalidArgument as in WeightsOf, if nothing fits, and for a shape that does not fit (with both
// shapes).  A classifier for another number of classes is not used: its entries are both
// ignored and missing, as in the authors' programs when the dataset changes.
absl::StatusOr<ImportedWeights> ImportWeights(const NetworkDefinition& network,
                                              const Checkpoint& checkpoint);

// Whether the network can start from them: InvalidArgument if anything is missing other than
// classifiers, the context of DG-P3D and batch counters, which keep their initial values.
absl::Status CheckStart(const NetworkDefinition& network, const ImportReport& report);

// The number of rows of the classifier ("fc.weight", or "fc_dual.weight"); 0 without one.
int64_t CountClasses(const std::vector<TensorView>& weights);

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_WEIGHTS_IMPORT_H_
