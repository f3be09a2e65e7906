// From an image network's weights to a video network's: a 2-D ResNet's kernels get a time axis
// (called inflation by Carreira and Zisserman 2017).  At first every frame then gives the same
// features as in the image network.  Torch-free.
//
//   OP3D_ASSIGN_OR_RETURN(Checkpoint image_network, Checkpoint::Read("resnet50-19c8e357.pth"));
//   OP3D_ASSIGN_OR_RETURN(Inflation inflation, Inflate(definition, image_network.Weights()));
#ifndef OP3D_NETWORK_WEIGHTS_INFLATION_H_
#define OP3D_NETWORK_WEIGHTS_INFLATION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "op3d/base/safetensors.h"
#include "op3d/network/definition/definition.h"

namespace op3d {

struct InflatedTensor {
  enum class Origin {
    // Copied: norms only.
    kMapped,
    // A kernel with a time axis.
    kInflated,
    // A temporal kernel, which image networks do not have: the identity (wiring A), or 0.
    kMade,
  };
  std::string name;
  std::vector<int64_t> shape;
  Origin origin = Origin::kMapped;
  // The 2-D entry; for a temporal kernel the entry of its pair.
  std::string source;
  // F32; I64 for `num_batches_tracked`.
  DType dtype = DType::kF32;
  std::string data;
};

struct Inflation {
  // In the order of the network's state dict.
  std::vector<InflatedTensor> tensors;
  // Entries of the 2-D file that the network does not use, for example its classifier.
  std::vector<std::string> ignored;
  // Entries of the network that the 2-D file does not have: classifiers, context.  They keep their
  // initial values.
  std::vector<std::string> missing;
};

// Whether the weights look like a 2-D ResNet's: the first convolution's kernel has no time axis.
bool IsImageNetwork(const std::vector<TensorView>& weights);

// Spatial kernels: time axis of length 1.  Stem: frame early_stride / 2 of a kernel that is 0 in
// all other frames.  I3D's 3x3x3: the kernel divided by 3, three times.  R(2+1)D's wider pairs: the
// kernel at output channel 5w/8, and the temporal one selects these channels.  `layer4` of
// DG-P3D is copied to both heads.
//
// InvalidArgument if no entry fits the network, for S3D (no image network has its blocks), and
// for a shape that does not fit (with both shapes).
absl::StatusOr<Inflation> Inflate(const NetworkDefinition& network,
                                  const std::vector<TensorView>& weights);

}  // namespace op3d

#endif  // OP3D_NETWORK_WEIGHTS_INFLATION_H_
