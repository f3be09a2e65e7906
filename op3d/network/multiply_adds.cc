#include "op3d/network/multiply_adds.h"

namespace op3d {
namespace {

int64_t Volume(const Size3& size) { return size[0] * size[1] * size[2]; }

class Counter {
 public:
  int64_t total() const { return total_; }

  // Returns the output's size.
  Size3 Add(const ConvolutionDefinition& layer, const Size3& input) {
    const Size3 output = OutputSize(input, layer.kernel, layer.stride, layer.padding);
    total_ += Volume(output) * layer.out_channels * (layer.in_channels / layer.groups) *
              Volume(layer.kernel);
    return output;
  }

  void Add(const LinearDefinition& layer) { total_ += layer.in_channels * layer.out_channels; }

  Size3 Add(const PairDefinition& pair, Wiring wiring, const Size3& input) {
    const Size3 output = Add(pair.spatial, input);
    return Add(pair.temporal, wiring == Wiring::kParallel ? input : output);
  }

  Size3 Add(const StageDefinition& stage, Size3 size) {
    for (const BlockDefinition& block : stage.blocks) {
      if (block.downsample.has_value()) Add(block.downsample->convolution, size);
      if (block.reduce.has_value()) size = Add(block.reduce->convolution, size);
      for (const PairDefinition& pair : block.pairs) size = Add(pair, block.wiring, size);
      if (block.expand.has_value()) size = Add(block.expand->convolution, size);
      if (block.context.has_value()) {
        Add(block.context->reduce);
        Add(block.context->expand);
      }
    }
    return size;
  }

 private:
  int64_t total_ = 0;
};

Size3 Pooled(const PoolDefinition& pool, const Size3& size) {
  return OutputSize(size, pool.kernel, pool.stride, pool.padding);
}

}  // namespace

int64_t CountMultiplyAdds(const NetworkDefinition& network, const Size3& size) {
  Counter counter;
  Size3 trunk = size;
  for (const ConvolutionNorm& layer : network.stem) trunk = counter.Add(layer.convolution, trunk);
  trunk = Pooled(network.maxpool, trunk);
  for (const StageDefinition& stage : network.trunk) trunk = counter.Add(stage, trunk);
  for (const HeadDefinition& head : network.heads) {
    counter.Add(head.stage, head.maxpool.has_value() ? Pooled(*head.maxpool, trunk) : trunk);
    counter.Add(head.classifier);
  }
  return counter.total();
}

}  // namespace op3d
