#include "op3d/network/definition/definition.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "op3d/network/definition/s3d_definition.h"

namespace op3d {
namespace {

constexpr Size3 kSpatialKernel = {1, 3, 3};
constexpr Size3 kSpatialPadding = {0, 1, 1};
constexpr Size3 kTemporalKernel = {3, 1, 1};
constexpr Size3 kTemporalPadding = {1, 0, 0};

int64_t Expansion(BlockKind kind) { return kind == BlockKind::kBottleneck ? 4 : 1; }

Size3 SpatialStride(int64_t stride) { return {1, stride, stride}; }

// Writes the blocks of one network one after another; the wiring depends on the running index.
class Author {
 public:
  explicit Author(const Architecture& architecture) : architecture_(architecture) {}

  StageDefinition Stage(const std::string& name, int number, int64_t in_channels,
                        int64_t stride) const {
    int64_t index = 0;
    for (int i = 0; i + 1 < number; ++i) index += architecture_.depths[i];
    const int64_t planes = architecture_.width << (number - 1);
    StageDefinition stage{name, {}};
    for (int64_t i = 0; i < architecture_.depths[number - 1]; ++i) {
      stage.blocks.push_back(Block(absl::StrCat(name, ".", i), index + i,
                                   i == 0 ? in_channels : planes * Expansion(architecture_.block),
                                   planes, i == 0 ? stride : 1));
    }
    return stage;
  }

  std::vector<ConvolutionNorm> Stem() const {
    const int64_t width = architecture_.width;
    const int64_t early = architecture_.early_stride;
    if (!architecture_.deep_stem) {
      return {{{"conv1", 3, width, {early, 7, 7}, {early, 2, 2}, {0, 3, 3}}, Norm("bn1", width)}};
    }
    return {
        {{"conv1", 3, width, {early, 3, 3}, {early, 2, 2}, {0, 1, 1}}, Norm("bn1", width)},
        {{"conv2", width, width, kSpatialKernel, {1, 1, 1}, kSpatialPadding}, Norm("bn2", width)},
        {{"conv3", width, 2 * width, kSpatialKernel, {1, 1, 1}, kSpatialPadding},
         Norm("bn3", 2 * width)}};
  }

 private:
  BatchNormDefinition Norm(const std::string& name, int64_t channels) const {
    return {name, channels, architecture_.batch_norm_epsilon, /*freezes=*/name != "bn1"};
  }

  ConvolutionNorm Pointwise(const std::string& convolution, const std::string& norm,
                            int64_t in_channels, int64_t out_channels, int64_t stride) const {
    return {{convolution, in_channels, out_channels, {1, 1, 1}, SpatialStride(stride)},
            Norm(norm, out_channels)};
  }

  Wiring WiringOf(int64_t index) const {
    switch (architecture_.family) {
      case Family::kI3d:
      case Family::kC2d:
        return Wiring::kSpatial;
      case Family::kR2p1d:
      case Family::kP3dA:
        return Wiring::kSerial;
      case Family::kP3dB:
        return Wiring::kParallel;
      case Family::kP3dC:
        return Wiring::kResidual;
      default:
        return static_cast<Wiring>(index % 3);
    }
  }

  // In wiring B both convolutions get the pair's input, so the temporal one also has its channels
  // and stride; otherwise it gets the spatial one's output.
  PairDefinition Pair(const std::string& block, int number, Wiring wiring, int64_t in_channels,
                      int64_t out_channels, int64_t stride, int64_t groups) const {
    const std::string name = absl::StrCat(block, ".conv", number);
    const bool i3d = architecture_.family == Family::kI3d;
    // R(2+1)D gives a pair as many weights as the 3x3x3 kernel that it replaces.
    const int64_t inner =
        architecture_.family == Family::kR2p1d ? out_channels * 9 / 4 : out_channels;
    PairDefinition pair;
    pair.spatial = {name,
                    in_channels,
                    inner,
                    i3d ? Size3{3, 3, 3} : kSpatialKernel,
                    SpatialStride(stride),
                    i3d ? Size3{1, 1, 1} : kSpatialPadding,
                    groups};
    pair.norm = Norm(absl::StrCat(block, ".bn", number), out_channels);
    if (wiring == Wiring::kSpatial) return pair;
    const bool parallel = wiring == Wiring::kParallel;
    pair.temporal = {name + "_t",
                     parallel ? in_channels : inner,
                     out_channels,
                     kTemporalKernel,
                     SpatialStride(parallel ? stride : 1),
                     kTemporalPadding,
                     architecture_.family == Family::kDgP3d ? groups : 1};
    return pair;
  }

  BlockDefinition Block(const std::string& name, int64_t index, int64_t in_channels, int64_t planes,
                        int64_t stride) const {
    const int64_t out_channels = planes * Expansion(architecture_.block);
    BlockDefinition block;
    block.name = name;
    block.wiring = WiringOf(index);
    block.chained_temporal = architecture_.family != Family::kP3dB;
    if (architecture_.block == BlockKind::kBottleneck) {
      const int64_t groups = architecture_.groups;
      const int64_t inner = planes * architecture_.base_width / 64 * groups;
      block.reduce = Pointwise(name + ".conv1", name + ".bn1", in_channels, inner, 1);
      block.pairs.push_back(Pair(name, 2, block.wiring, inner, inner, stride, groups));
      block.expand = Pointwise(name + ".conv3", name + ".bn3", inner, out_channels, 1);
    } else {
      block.pairs.push_back(Pair(name, 1, block.wiring, in_channels, planes, stride, 1));
      block.pairs.push_back(Pair(name, 2, block.wiring, planes, planes, 1, 1));
    }
    if (stride != 1 || in_channels != out_channels) {
      block.downsample = Pointwise(name + ".downsample.0", name + ".downsample.1", in_channels,
                                   out_channels, stride);
    }
    // The minimum of 4 only matters for the miniature.
    const int64_t squeezed = std::max<int64_t>(4, out_channels / 16);
    if (architecture_.family == Family::kDgP3d && architecture_.global_context) {
      block.context = {{name + ".fc1", out_channels, squeezed},
                       {name + ".fc2", squeezed, out_channels, /*starts_at_zero=*/true}};
    }
    if (architecture_.family == Family::kLgdP3d) {
      block.diffusion = {{LinearDefinition{name + ".fc1", in_channels, squeezed},
                          LinearDefinition{name + ".fc2", squeezed, out_channels}},
                         {LinearDefinition{name + ".fc3", in_channels, squeezed},
                          LinearDefinition{name + ".fc4", squeezed, out_channels}},
                         {LinearDefinition{name + ".fc5", out_channels, squeezed},
                          LinearDefinition{name + ".fc6", squeezed, out_channels,
                                           /*starts_at_zero=*/true}}};
    }
    return block;
  }

  const Architecture& architecture_;
};

NetworkDefinition DefineResidual(const Architecture& architecture, int64_t classes) {
  const Author author(architecture);
  const int64_t expansion = Expansion(architecture.block);
  NetworkDefinition network;
  network.stem = author.Stem();
  network.relu_names = architecture.deep_stem ? std::vector<std::string>{"relu1", "relu2", "relu3"}
                                              : std::vector<std::string>{"relu"};
  network.maxpool = {"maxpool", {1, 3, 3}, {1, 2, 2}, {0, 1, 1}};
  int64_t channels = network.stem.back().convolution.out_channels;
  for (int stage = 1; stage <= 3; ++stage) {
    network.trunk.push_back(author.Stage(absl::StrCat("layer", stage), stage, channels,
                                         /*stride=*/stage == 1 ? 1 : 2));
    channels = (architecture.width << (stage - 1)) * expansion;
  }
  const bool dual = architecture.family == Family::kDgP3d;
  const int64_t features = (architecture.width << 3) * expansion;
  if (!dual || architecture.temporal_head) {
    network.heads.push_back(
        {std::nullopt, author.Stage("layer4", 4, channels, 2), "pool", {"fc", features, classes}});
  }
  network.least_frames = architecture.early_stride;
  network.least_frames_for = "the stem";
  if (dual && architecture.spatial_head) {
    const int64_t pool = architecture.dual_pool;
    network.heads.push_back({PoolDefinition{"maxpool_dual", {pool, 1, 1}, {pool, 1, 1}},
                             author.Stage("layer4_dual", 4, channels, 1),
                             "pool_dual",
                             {"fc_dual", features, classes}});
    network.least_frames *= pool;
    network.least_frames_for = "the spatial head";
  }
  if (architecture.family == Family::kLgdP3d) {
    network.global_classifier = LinearDefinition{"fc_g", features, classes};
  }
  return network;
}

}  // namespace

NetworkDefinition DefineNetwork(const Architecture& architecture, int64_t classes) {
  return architecture.family == Family::kS3d ? DefineS3d(architecture.gating, classes)
                                             : DefineResidual(architecture, classes);
}

Size3 OutputSize(const Size3& input, const Size3& kernel, const Size3& stride,
                 const Size3& padding) {
  Size3 output;
  for (size_t i = 0; i < output.size(); ++i) {
    const int64_t room = input[i] + 2 * padding[i] - kernel[i];
    output[i] = room < 0 ? 0 : room / stride[i] + 1;
  }
  return output;
}

}  // namespace op3d
