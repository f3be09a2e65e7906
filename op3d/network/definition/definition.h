// A whole network as plain data: every layer with its name, widths, kernels and
// strides.  What a network computes, its list of parameters, their initial values and its number of
// multiply-adds are all derived from this one description.  Torch-free.
//
//   OP3D_ASSIGN_OR_RETURN(Architecture architecture, FindArchitecture("dg_p3d_resnet50"));
//   const NetworkDefinition definition = DefineNetwork(architecture, /*classes=*/400);
#ifndef OP3D_NETWORK_DEFINITION_DEFINITION_H_
#define OP3D_NETWORK_DEFINITION_DEFINITION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "op3d/network/definition/architecture.h"

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
  // Standard deviation of the normal initial values; 0 = Kaiming's.
  double initial_deviation = 0;
};

struct BatchNormDefinition {
  std::string name;
  int64_t channels = 0;
  double epsilon = 1e-5;
  // Frozen mode applies to every BatchNorm but the stem's first one, named `bn1`.
  bool freezes = true;
};

struct LinearDefinition {
  std::string name;
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  // Its initial weights are 0 instead of random.
  bool starts_at_zero = false;
};

struct ConvolutionNorm {
  ConvolutionDefinition convolution;
  BatchNormDefinition norm;
};

// The wiring of a pair of a spatial (1x3x3) and a temporal (3x1x1) convolution; blocks use A, B, C
// in turn.  Introduced by Qiu et al. (2017).
enum class Wiring {
  kSerial,    // A: temporal(spatial(x))
  kParallel,  // B: spatial(x) + temporal(x)
  kResidual,  // C: s + temporal(s) with s = spatial(x), normalised
  kSpatial,   // spatial(x) alone: C2D's 1x3x3, I3D's 3x3x3
};

// A pseudo-3D pair and the BatchNorm that both use.  Without `temporal` the wiring is kSpatial.
struct PairDefinition {
  ConvolutionDefinition spatial;
  std::optional<ConvolutionDefinition> temporal;
  BatchNormDefinition norm;
};

// Reduces the branch's global mean to few channels, expands it again, and adds it at every
// position.
struct ContextDefinition {
  LinearDefinition reduce;
  LinearDefinition expand;
};

// Local and global diffusion (LGD): in parallel with the features there is a vector g for the clip,
//   g' = ReLU(local(mean of the block's input) + global(g)),
// and output(g') is added at every position.  Each of the three is two linear layers with nothing
// in between.
struct DiffusionDefinition {
  std::array<LinearDefinition, 2> local;
  std::array<LinearDefinition, 2> global;
  std::array<LinearDefinition, 2> output;
};

// A residual block: ReLU(branch(x) + shortcut(x) + context(branch(x))).
struct BlockDefinition {
  std::string name;
  Wiring wiring = Wiring::kSerial;
  // Basic blocks in wiring B: the input of the second temporal convolution is the first one's
  // output, before sum, norm and ReLU.  Otherwise (P3D-B) it is the input of the second spatial
  // one.
  bool chained_temporal = true;
  // Bottleneck: `reduce`, one pair, `expand`.  Basic: two pairs.
  std::optional<ConvolutionNorm> reduce;
  std::vector<PairDefinition> pairs;
  std::optional<ConvolutionNorm> expand;
  // The shortcut if the shape changes; otherwise the identity.
  std::optional<ConvolutionNorm> downsample;
  // At most one of the two.
  std::optional<ContextDefinition> context;
  std::optional<DiffusionDefinition> diffusion;
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

// Four parallel branches whose channels are concatenated: 1x1x1; 1x1x1 and a pair; the same again;
// a max pool and 1x1x1.  Each convolution has its norm and a ReLU.
struct InceptionDefinition {
  std::string name;
  ConvolutionNorm pointwise;
  std::array<ConvolutionNorm, 2> reduce;
  std::array<PairDefinition, 2> pairs;
  PoolDefinition maxpool;
  ConvolutionNorm project;
  // One per branch, or none: the branch times sigmoid(gate(its mean)).
  std::vector<LinearDefinition> gates;
};

// One layer of S3D's trunk: exactly one of the four is set.
struct S3dLayerDefinition {
  std::string name;
  std::optional<PoolDefinition> maxpool;
  std::optional<ConvolutionNorm> pointwise;
  std::optional<PairDefinition> pair;
  std::optional<InceptionDefinition> inception;
};

// Layers that have a second name in the published program: `block3.1` is `Mixed_3b`.
struct S3dBlockDefinition {
  std::string name;
  std::vector<S3dLayerDefinition> layers;
};

// Everything after the trunk in one branch: stage, global average, dropout, classifier.
struct HeadDefinition {
  // Before the stage; only the spatial head has one.
  std::optional<PoolDefinition> maxpool;
  // Has no blocks for S3D.
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
  // S3D's layers from the clip to its head; stem, maxpool and trunk are empty then.
  std::vector<S3dBlockDefinition> s3d;
  // DG-P3D: temporal, spatial.  Other networks have one.
  std::vector<HeadDefinition> heads;
  // LGD: the classifier of the global vector, in training only.
  std::optional<LinearDefinition> global_classifier;
  // The smallest number of frames with which every layer gets at least one, and the layer that
  // needs them; the smallest height and width.
  int64_t least_frames = 1;
  std::string least_frames_for;
  int64_t least_side = 1;
};

// The network of the architecture's family with its numbers.
NetworkDefinition DefineNetwork(const Architecture& architecture, int64_t classes);

// The size after a convolution or pool; remainders are dropped.  0 if the input is
// smaller than the kernel.
Size3 OutputSize(const Size3& input, const Size3& kernel, const Size3& stride,
                 const Size3& padding);

}  // namespace op3d

#endif  // OP3D_NETWORK_DEFINITION_DEFINITION_H_
