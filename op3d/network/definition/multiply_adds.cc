#include "op3d/network/definition/multiply_adds.h"

#include <utility>

namespace op3d {
namespace {

int64_t Volume(const Size3& size) { return size[0] * size[1] * size[2]; }

Size3 Pooled(const PoolDefinition& pool, const Size3& size) {
  return OutputSize(size, pool.kernel, pool.stride, pool.padding);
}

// Sums up one stage; `output` and `channels` follow the last convolution.
class Counter {
 public:
  explicit Counter(std::string name) { cost_.name = std::move(name); }

  StageCost Take(const Size3& output) {
    cost_.output = output;
    return std::move(cost_);
  }

  // Returns the output's size.
  Size3 Add(const ConvolutionDefinition& layer, const Size3& input) {
    const Size3 output = OutputSize(input, layer.kernel, layer.stride, layer.padding);
    const int64_t weights =
        layer.out_channels * (layer.in_channels / layer.groups) * Volume(layer.kernel);
    cost_.parameters += weights;
    cost_.multiply_adds += Volume(output) * weights;
    cost_.channels = layer.out_channels;
    return output;
  }

  void Add(const BatchNormDefinition& layer) { cost_.parameters += 2 * layer.channels; }

  Size3 Add(const ConvolutionNorm& layer, const Size3& input) {
    Add(layer.norm);
    return Add(layer.convolution, input);
  }

  void Add(const LinearDefinition& layer) {
    cost_.parameters += (layer.in_channels + 1) * layer.out_channels;
    cost_.multiply_adds += layer.in_channels * layer.out_channels;
    cost_.channels = layer.out_channels;
  }

  Size3 Add(const PairDefinition& pair, Wiring wiring, const Size3& input) {
    const Size3 output = Add(pair.spatial, input);
    Add(pair.norm);
    if (!pair.temporal.has_value()) return output;
    return Add(*pair.temporal, wiring == Wiring::kParallel ? input : output);
  }

  Size3 Add(const StageDefinition& stage, Size3 size) {
    for (const BlockDefinition& block : stage.blocks) size = Add(block, size);
    return size;
  }

  Size3 Add(const BlockDefinition& block, Size3 size) {
    if (block.downsample.has_value()) Add(*block.downsample, size);
    if (block.reduce.has_value()) size = Add(*block.reduce, size);
    for (const PairDefinition& pair : block.pairs) size = Add(pair, block.wiring, size);
    if (block.expand.has_value()) size = Add(*block.expand, size);
    if (block.context.has_value()) {
      Add(block.context->reduce);
      Add(block.context->expand);
    }
    if (block.diffusion.has_value()) {
      for (const auto* layers :
           {&block.diffusion->local, &block.diffusion->global, &block.diffusion->output}) {
        for (const LinearDefinition& layer : *layers) Add(layer);
      }
    }
    return size;
  }

  Size3 Add(const S3dLayerDefinition& layer, const Size3& size) {
    if (layer.maxpool.has_value()) return Pooled(*layer.maxpool, size);
    if (layer.pointwise.has_value()) return Add(*layer.pointwise, size);
    if (layer.pair.has_value()) return Add(*layer.pair, Wiring::kSerial, size);
    const InceptionDefinition& block = *layer.inception;
    Add(block.pointwise, size);
    int64_t channels = cost_.channels;
    for (int i = 0; i < 2; ++i) {
      Add(block.reduce[i], size);
      Add(block.pairs[i], Wiring::kSerial, size);
      channels += cost_.channels;
    }
    Add(block.project, size);
    channels += cost_.channels;
    for (const LinearDefinition& gate : block.gates) Add(gate);
    cost_.channels = channels;
    return size;
  }

 private:
  StageCost cost_;
};

StageCost CountClassifier(const LinearDefinition& layer) {
  Counter counter(layer.name);
  counter.Add(layer);
  return counter.Take({1, 1, 1});
}

}  // namespace

std::vector<StageCost> CountStages(const NetworkDefinition& network, const Size3& size) {
  std::vector<StageCost> stages;
  Size3 trunk = size;
  if (!network.stem.empty()) {
    Counter counter("stem");
    for (const ConvolutionNorm& layer : network.stem) trunk = counter.Add(layer, trunk);
    trunk = Pooled(network.maxpool, trunk);
    stages.push_back(counter.Take(trunk));
  }
  for (const StageDefinition& stage : network.trunk) {
    Counter counter(stage.name);
    trunk = counter.Add(stage, trunk);
    stages.push_back(counter.Take(trunk));
  }
  for (const S3dBlockDefinition& block : network.s3d) {
    Counter counter(block.name);
    for (const S3dLayerDefinition& layer : block.layers) trunk = counter.Add(layer, trunk);
    stages.push_back(counter.Take(trunk));
  }
  for (const HeadDefinition& head : network.heads) {
    if (head.stage.blocks.empty()) continue;
    Counter counter(head.stage.name);
    const Size3 output =
        counter.Add(head.stage, head.maxpool.has_value() ? Pooled(*head.maxpool, trunk) : trunk);
    stages.push_back(counter.Take(output));
  }
  for (const HeadDefinition& head : network.heads) {
    stages.push_back(CountClassifier(head.classifier));
  }
  // Evaluation does not use the global classifier, so its arithmetic is not counted.
  if (network.global_classifier.has_value()) {
    stages.push_back(CountClassifier(*network.global_classifier));
  }
  return stages;
}

StageCost TotalCost(const std::vector<StageCost>& stages) {
  StageCost total;
  total.name = "total";
  for (const StageCost& stage : stages) {
    total.parameters += stage.parameters;
    total.multiply_adds += stage.multiply_adds;
  }
  return total;
}

int64_t CountMultiplyAdds(const NetworkDefinition& network, const Size3& size) {
  return TotalCost(CountStages(network, size)).multiply_adds;
}

}  // namespace op3d
