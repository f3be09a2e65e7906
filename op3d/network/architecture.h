// The numbers that tell one network of the family from another, and the list of all names.
// Torch-free.
#ifndef OP3D_NETWORK_ARCHITECTURE_H_
#define OP3D_NETWORK_ARCHITECTURE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

enum class BlockKind {
  // Two pseudo-3D pairs (18 and 34 layers).
  kBasic,
  // 1x1x1, one pseudo-3D pair, 1x1x1 to four times the planes.
  kBottleneck,
};

// A residual network of four stages behind a stem, as He et al. (2016) number them.
struct Architecture {
  std::string name;
  BlockKind block = BlockKind::kBottleneck;
  // Blocks in layer1 to layer4; layer4_dual has as many as layer4.
  std::array<int64_t, 4> depths = {};
  // Planes of layer1; they double from stage to stage.
  int64_t width = 64;
  // Inside a bottleneck: `groups` groups of planes * base_width / 64 channels (ResNeXt, wide).
  int64_t groups = 1;
  int64_t base_width = 64;
  // Three small convolutions in place of the 7x7 one.
  bool deep_stem = false;
  double batch_norm_epsilon = 1e-5;
  // Temporal kernel and stride of the first convolution.
  int64_t early_stride = 4;
  // Temporal kernel and stride of the pool before the spatial head.
  int64_t dual_pool = 4;
};

// InvalidArgument for any other name than those below; the message lists them.
absl::StatusOr<Architecture> FindArchitecture(absl::string_view name);

// Sorted.
std::vector<std::string> ArchitectureNames();

}  // namespace op3d

#endif  // OP3D_NETWORK_ARCHITECTURE_H_
