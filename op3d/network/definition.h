// A whole network written down as plain data: every layer with its name, its widths, kernels and
// strides.  What a network computes, its list of parameters, their initial values and its count of
// multiply-adds all follow from this one description.  Torch-free.
//
//   OP3D_ASSIGN_OR_RETURN(Architecture architecture, FindArchitecture("dg_p3d_resnet50"));
//   const NetworkDefinition definition = DefineDgP3d(architecture, /*classes=*/400);
#ifndef OP3D_NETWORK_DEFINITION_H_
#define OP3D_NETWORK_DEFINITION_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "op3d/network/architecture.h"

namespace op3d {

// Time, height, width.
using Size3 = std::array<int64_t, 3>;

// A convolution without bias.  Its weight is [out_channels, in_channels / groups, kernel...].
struct ConvolutionDefinition {
  std::string name;
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  Size3 kernel = {1, 1, 1};
  Size3 stride = {1, 1, 1};
  Size3 padding = {0, 0, 0};
  int64_t groups = 1;
};

struct BatchNormDefinition {
  std::string name;
  int64_t channels = 0;
  double epsilon = 1e-5;
  // The frozen mode leaves out exactly the stem's first one, named `bn1`.
  bool freezes = true;
};

struct LinearDefinition {
  std::string name;
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  // From scratch its weights are 0 instead of random.
  bool starts_at_zero = false;
};

struct ConvolutionNorm {
  ConvolutionDefinition convolution;
  BatchNormDefinition norm;
};

// How a pair of a spatial (1x3x3) and a temporal (3x1x1) convolution is wired; blocks take A, B, C
// in turn.  Qiu et al. (2017) introduced the three.
enum class Wiring {
  kSerial,    // A: temporal(spatial(x))
  kParallel,  // B: spatial(x) + temporal(x)
  kResidual,  // C: s + temporal(s) with s = spatial(x), normalised
};

// A pseudo-3D pair with the BatchNorm they share.
struct PairDefinition {
  ConvolutionDefinition spatial;
  ConvolutionDefinition temporal;
  BatchNormDefinition norm;
};

// A squeeze of the branch's global mean to few channels and back, added everywhere.
struct ContextDefinition {
  LinearDefinition reduce;
  LinearDefinition expand;
};

// A residual block: ReLU(branch(x) + shortcut(x) + context(branch(x))).
struct BlockDefinition {
  std::string name;
  Wiring wiring = Wiring::kSerial;
  // Bottleneck: `reduce`, one pair, `expand`.  Basic: two pairs.
  absl::optional<ConvolutionNorm> reduce;
  std::vector<PairDefinition> pairs;
  absl::optional<ConvolutionNorm> expand;
  // The shortcut where the shape changes; identity elsewhere.
  absl::optional<ConvolutionNorm> downsample;
  absl::optional<ContextDefinition> context;
};

struct StageDefinition {
  std::string name;
  std::vector<BlockDefinition> blocks;
};

// A max pool.
struct PoolDefinition {
  std::string name;
  Size3 kernel = {1, 1, 1};
  Size3 stride = {1, 1, 1};
  Size3 padding = {0, 0, 0};
};

// Everything behind the trunk on one of its two ways: stage, global average, dropout, classifier.
struct HeadDefinition {
  // Before the stage; only the spatial head has one.
  absl::optional<PoolDefinition> maxpool;
  StageDefinition stage;
  // The name of the global average, for observers.
  std::string pool_name;
  LinearDefinition classifier;
};

struct NetworkDefinition {
  // Each followed by a ReLU; `relu_names` are for observers.
  std::vector<ConvolutionNorm> stem;
  std::vector<std::string> relu_names;
  PoolDefinition maxpool;
  // layer1 to layer3.
  std::vector<StageDefinition> trunk;
  // Temporal, spatial.
  std::vector<HeadDefinition> heads;
  // The fewest frames that every layer gets a frame from.
  int64_t least_frames = 0;
};

// DG-P3D: pseudo-3D residual blocks with global context, and the dual head.
NetworkDefinition DefineDgP3d(const Architecture& architecture, int64_t classes);

// The size behind a convolution or pool; remainders are dropped.
Size3 OutputSize(const Size3& input, const Size3& kernel, const Size3& stride,
                 const Size3& padding);

}  // namespace op3d

#endif  // OP3D_NETWORK_DEFINITION_H_
