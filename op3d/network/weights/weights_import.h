// From whatever a checkpoint holds to the entries of one network: its own weights, those of the
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

// What became of the names, each list in the order of the network or the file.
struct ImportReport {
  // Copied under their own name.
  std::vector<std::string> mapped;
  // 2-D kernels that got a time axis, and temporal kernels that no 2-D network has.
  std::vector<std::string> inflated;
  std::vector<std::string> made;
  // Of the file, for which the network has no use.
  std::vector<std::string> ignored;
  // Of the network, which the file does not give.
  std::vector<std::string> missing;
};

struct ImportedWeights {
  // Entries of the network's state dict, in its order; what is missing is left out.  They live as
  // long as this and the checkpoint.
  std::vector<TensorView> tensors;
  ImportReport report;
  std::shared_ptr<const std::deque<std::string>> storage;
};

// A checkpoint's tensors as one network names them.
struct NetworkWeights {
  // Under the network's own names, where it has them; views into the checkpoint.
  std::vector<TensorView> tensors;
  // What stands before them in the file: "", "module.", "state_dict/model._orig_mod." ...
  std::string prefix;
  // The names of the same state dict that stand under another prefix, as in the file.
  std::vector<std::string> others;
};

// Finds the network's weights wherever they stand: under any key and any prefix, known or not, the
// one under which most of the network's names are found.  A classifier under another prefix is
// found too: MMAction2 keeps it in `cls_head.`, under `fc_cls` (for networks of one classifier).
// EMA weights count when there are no others.  Where nothing fits, what Checkpoint::Weights gives.
//
// InvalidArgument when the weights stand there twice (teacher and student, two encoders), naming
// both places; when nothing fits and the file holds objects that cannot be read; and for values
// that are NaN or infinite, as CheckFinite.
absl::StatusOr<NetworkWeights> WeightsOf(const NetworkDefinition& network,
                                         const Checkpoint& checkpoint);

// InvalidArgument names the tensors that hold NaN or infinite values, and how many.
absl::Status CheckFinite(const std::vector<TensorView>& tensors);

// InvalidArgument as WeightsOf, when nothing fits, and for a shape that does not fit (with both
// shapes).  A classifier for another number of classes is not taken over: its entries are both
// ignored and missing, as the authors' programs do between datasets.
absl::StatusOr<ImportedWeights> ImportWeights(const NetworkDefinition& network,
                                              const Checkpoint& checkpoint);

// Whether the network can start from them: InvalidArgument when more is missing than classifiers,
// the context of DG-P3D and batch counters, which keep their initial values.
absl::Status CheckStart(const NetworkDefinition& network, const ImportReport& report);

// The number of rows of the classifier ("fc.weight", or "fc_dual.weight"); 0 without one.
int64_t CountClasses(const std::vector<TensorView>& weights);

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_WEIGHTS_IMPORT_H_
