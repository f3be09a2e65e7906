// From whatever a checkpoint holds to the entries of one network: its own weights, those of the
// same network for other classes, or a 2-D ResNet's, inflated.  Torch-free.
//
//   OP3D_ASSIGN_OR_RETURN(ImportedWeights weights, ImportWeights(definition, checkpoint));
//   if (weights.report.missing.empty()) ...                          // complete
#ifndef OP3D_NETWORK_WEIGHTS_WEIGHTS_IMPORT_H_
#define OP3D_NETWORK_WEIGHTS_WEIGHTS_IMPORT_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/base/safetensors.h"
#include "op3d/network/definition.h"
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

// InvalidArgument when nothing fits, and for a shape that does not fit (with both shapes).  A
// classifier for another number of classes is not taken over: its entries are both ignored and
// missing, as the authors' programs do between datasets.
absl::StatusOr<ImportedWeights> ImportWeights(const NetworkDefinition& network,
                                              const Checkpoint& checkpoint);

// Whether the network can start from them: InvalidArgument when more is missing than classifiers,
// the context of DG-P3D and batch counters, which keep their initial values.
absl::Status CheckStart(const NetworkDefinition& network, const ImportReport& report);

// The number of rows of the classifier ("fc.weight", or "fc_dual.weight"); 0 without one.
int64_t CountClasses(const std::vector<TensorView>& weights);

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_WEIGHTS_IMPORT_H_
