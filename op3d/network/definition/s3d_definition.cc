#include "op3d/network/definition/s3d_definition.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace op3d {
namespace {

// Standard deviation of the normal initial values of every convolution.
constexpr double kDeviation = 0.01;

ConvolutionNorm Pointwise(const std::string& name, int64_t in_channels, int64_t out_channels) {
  ConvolutionNorm unit{{name + ".conv", in_channels, out_channels}, {name + ".bn", out_channels}};
  unit.convolution.initial_deviation = kDeviation;
  return unit;
}

// A k x k kernel in space, then one of k frames; `stride` in both.
PairDefinition Pair(const std::string& name, int64_t in_channels, int64_t out_channels, int64_t k,
                    int64_t stride) {
  const int64_t side = k / 2;
  PairDefinition pair;
  pair.spatial = {name + ".conv1", in_channels, out_channels, {1, k, k}, {1, stride, stride},
                  {0, side, side}, 1,           kDeviation};
  pair.temporal = {
      name + ".conv2_t", out_channels, out_channels, {k, 1, 1}, {stride, 1, 1}, {side, 0, 0}, 1,
      kDeviation};
  pair.norm = {name + ".bn1", out_channels};
  return pair;
}

// The widths of a block: 1x1x1; 1x1x1 and pair; 1x1x1 and pair; after the pool.
using Widths = std::array<int64_t, 6>;

InceptionDefinition Inception(const std::string& name, int64_t in_channels, const Widths& widths,
                              bool gating) {
  InceptionDefinition block;
  block.name = name;
  block.pointwise = Pointwise(name + ".branch0.0", in_channels, widths[0]);
  for (int i = 0; i < 2; ++i) {
    const std::string branch = absl::StrCat(name, ".branch", i + 1);
    block.reduce[i] = Pointwise(branch + ".0", in_channels, widths[1 + 2 * i]);
    block.pairs[i] = Pair(branch + ".1", widths[1 + 2 * i], widths[2 + 2 * i], 3, 1);
  }
  block.maxpool = {name + ".branch3.0", {3, 3, 3}, {1, 1, 1}, {1, 1, 1}};
  block.project = Pointwise(name + ".branch3.1", in_channels, widths[5]);
  if (!gating) return block;
  const int64_t outputs[] = {widths[0], widths[2], widths[4], widths[5]};
  for (int i = 0; i < 4; ++i) {
    block.gates.push_back({absl::StrCat(name, ".gating_b", i, ".fc"), outputs[i], outputs[i]});
  }
  return block;
}

// Appends layers and keeps track of the number of channels between them.
class Author {
 public:
  explicit Author(bool gating) : gating_(gating) {}

  void Block() { blocks_.push_back({absl::StrCat("block", blocks_.size() + 1), {}}); }
  void MaxPool(const std::string& name, const Size3& kernel, const Size3& stride,
               const Size3& padding) {
    Layer(name).maxpool = PoolDefinition{name, kernel, stride, padding};
  }
  void Unit(const std::string& name, int64_t channels) {
    Layer(name).pointwise = Pointwise(name, channels_, channels);
    channels_ = channels;
  }
  void Separable(const std::string& name, int64_t channels, int64_t k, int64_t stride) {
    Layer(name).pair = Pair(name, channels_, channels, k, stride);
    channels_ = channels;
  }
  void Mixed(const std::string& name, const Widths& widths) {
    Layer(name).inception = Inception(name, channels_, widths, gating_);
    channels_ = widths[0] + widths[2] + widths[4] + widths[5];
  }

  int64_t channels() const { return channels_; }
  std::vector<S3dBlockDefinition> Take() { return std::move(blocks_); }

 private:
  S3dLayerDefinition& Layer(const std::string& name) {
    blocks_.back().layers.emplace_back();
    blocks_.back().layers.back().name = name;
    return blocks_.back().layers.back();
  }

  const bool gating_;
  int64_t channels_ = 3;
  std::vector<S3dBlockDefinition> blocks_;
};

}  // namespace

NetworkDefinition DefineS3d(bool gating, int64_t classes) {
  Author author(gating);
  author.Block();
  author.Separable("Conv_1a", 64, 7, 2);
  author.Block();
  author.MaxPool("MaxPool_2a", {1, 3, 3}, {1, 2, 2}, {0, 1, 1});
  author.Unit("Conv_2b", 64);
  author.Separable("Conv_2c", 192, 3, 1);
  author.Block();
  author.MaxPool("MaxPool_3a", {1, 3, 3}, {1, 2, 2}, {0, 1, 1});
  author.Mixed("Mixed_3b", {64, 96, 128, 16, 32, 32});
  author.Mixed("Mixed_3c", {128, 128, 192, 32, 96, 64});
  author.Block();
  author.MaxPool("MaxPool_4a", {3, 3, 3}, {2, 2, 2}, {1, 1, 1});
  author.Mixed("Mixed_4b", {192, 96, 208, 16, 48, 64});
  author.Mixed("Mixed_4c", {160, 112, 224, 24, 64, 64});
  author.Mixed("Mixed_4d", {128, 128, 256, 24, 64, 64});
  author.Mixed("Mixed_4e", {112, 144, 288, 32, 64, 64});
  author.Mixed("Mixed_4f", {256, 160, 320, 32, 128, 128});
  author.Block();
  author.MaxPool("MaxPool_5a", {1, 2, 2}, {1, 2, 2}, {0, 0, 0});
  author.Mixed("Mixed_5b", {256, 160, 320, 32, 128, 128});
  author.Mixed("Mixed_5c", {384, 192, 384, 48, 128, 128});

  NetworkDefinition network;
  const int64_t features = author.channels();
  network.s3d = author.Take();
  network.heads.push_back({std::nullopt, {}, "pool", {"fc", features, classes}});
  network.least_frames_for = "the network";
  // Halved five times, the last time without padding.
  network.least_side = 17;
  return network;
}

}  // namespace op3d
