// The list of all networks, and the numbers in which they differ.  Torch-free.
#ifndef OP3D_NETWORK_DEFINITION_ARCHITECTURE_H_
#define OP3D_NETWORK_DEFINITION_ARCHITECTURE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

// The type of the blocks between stem and classifier.  All but the last are based on the
// two-dimensional ResNet (He et al. 2016); they differ in how a block treats time.
enum class Family {
  // Pseudo-3D pairs, global context in every block, dual head (Qiu et al. 2021).
  kDgP3d,
  // Pseudo-3D pairs: the three wirings in turn, or only one of them (Qiu et al. 2017).
  kP3d,
  kP3dA,
  kP3dB,
  kP3dC,
  // Pseudo-3D pairs with a parallel global path (Qiu et al. 2019).
  kLgdP3d,
  // A wider pseudo-3D pair in series (Tran et al. 2018).
  kR2p1d,
  // 3x3x3 convolutions (Carreira and Zisserman 2017).
  kI3d,
  // 1x3x3 convolutions: only the stem sees time.
  kC2d,
  // Separable inception blocks (Xie et al. 2018); not a ResNet.
  kS3d,
};

enum class BlockKind {
  // Two pseudo-3D pairs (18 and 34 layers).
  kBasic,
  // 1x1x1, one pseudo-3D pair, 1x1x1 to four times the planes.
  kBottleneck,
};

// A residual network of four stages after a stem, numbered as in He et al. (2016).  S3D uses only
// `gating`.
struct Architecture {
  std::string name;
  Family family = Family::kDgP3d;
  BlockKind block = BlockKind::kBottleneck;
  // Blocks in layer1 to layer4; layer4_dual has as many as layer4.
  std::array<int64_t, 4> depths = {};
  // Planes of layer1; each later stage has twice as many as the one before.
  int64_t width = 64;
  // Inside a bottleneck: `groups` groups of planes * base_width / 64 channels (ResNeXt, wide).
  int64_t groups = 1;
  int64_t base_width = 64;
  // Three small convolutions instead of the 7x7 one.
  bool deep_stem = false;
  double batch_norm_epsilon = 1e-5;
  // Temporal kernel and stride of the first convolution.
  int64_t early_stride = 4;
  // Temporal kernel and stride of the pool before the spatial head.
  int64_t dual_pool = 4;
  // Parts of DG-P3D that an ablation can leave out; at least one head stays.
  bool temporal_head = true;
  bool spatial_head = true;
  bool global_context = true;
  // S3D-G: each branch of a block is multiplied by a gate computed from its mean.
  bool gating = false;
};

// "dg_p3d_miniature", "s3d", "s3dg", or a family and a size: "p3d_resnet50".  InvalidArgument for
// any other name; the message lists the existing ones.
absl::StatusOr<Architecture> FindArchitecture(absl::string_view name);

// Every name, sorted.
std::vector<std::string> ArchitectureNames();

}  // namespace op3d

#endif  // OP3D_NETWORK_DEFINITION_ARCHITECTURE_H_
