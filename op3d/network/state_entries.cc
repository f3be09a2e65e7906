#include "op3d/network/state_entries.h"

#include <utility>

namespace op3d {
namespace {

class List {
 public:
  void Add(const ConvolutionDefinition& layer) {
    const Size3& k = layer.kernel;
    const int64_t in_channels = layer.in_channels / layer.groups;
    entries_.push_back({layer.name + ".weight",
                        {layer.out_channels, in_channels, k[0], k[1], k[2]},
                        EntryKind::kConvolutionWeight,
                        in_channels * k[0] * k[1] * k[2]});
  }

  void Add(const BatchNormDefinition& layer) {
    const std::vector<int64_t> shape = {layer.channels};
    const bool freezes = layer.freezes;
    entries_.push_back({layer.name + ".weight", shape, EntryKind::kNormWeight, 0, freezes});
    entries_.push_back({layer.name + ".bias", shape, EntryKind::kNormBias, 0, freezes});
    entries_.push_back({layer.name + ".running_mean", shape, EntryKind::kRunningMean, 0, freezes});
    entries_.push_back(
        {layer.name + ".running_var", shape, EntryKind::kRunningVariance, 0, freezes});
    entries_.push_back(
        {layer.name + ".num_batches_tracked", {}, EntryKind::kBatchCounter, 0, freezes});
  }

  void Add(const LinearDefinition& layer) {
    entries_.push_back(
        {layer.name + ".weight",
         {layer.out_channels, layer.in_channels},
         layer.starts_at_zero ? EntryKind::kZeroLinearWeight : EntryKind::kLinearWeight,
         layer.in_channels});
    entries_.push_back(
        {layer.name + ".bias", {layer.out_channels}, EntryKind::kLinearBias, layer.in_channels});
  }

  void Add(const ConvolutionNorm& layer) {
    Add(layer.convolution);
    Add(layer.norm);
  }

  void Add(const PairDefinition& pair) {
    Add(pair.spatial);
    Add(pair.temporal);
    Add(pair.norm);
  }

  void Add(const BlockDefinition& block) {
    if (block.reduce.has_value()) Add(*block.reduce);
    for (const PairDefinition& pair : block.pairs) Add(pair);
    if (block.expand.has_value()) Add(*block.expand);
    if (block.downsample.has_value()) Add(*block.downsample);
    if (block.context.has_value()) {
      Add(block.context->reduce);
      Add(block.context->expand);
    }
  }

  void Add(const StageDefinition& stage) {
    for (const BlockDefinition& block : stage.blocks) Add(block);
  }

  std::vector<StateEntry> Take() { return std::move(entries_); }

 private:
  std::vector<StateEntry> entries_;
};

}  // namespace

bool IsParameter(EntryKind kind) {
  return kind != EntryKind::kRunningMean && kind != EntryKind::kRunningVariance &&
         kind != EntryKind::kBatchCounter;
}

std::vector<StateEntry> StateEntries(const NetworkDefinition& network) {
  List list;
  for (const ConvolutionNorm& layer : network.stem) list.Add(layer);
  for (const StageDefinition& stage : network.trunk) list.Add(stage);
  for (const HeadDefinition& head : network.heads) list.Add(head.stage);
  for (const HeadDefinition& head : network.heads) list.Add(head.classifier);
  return list.Take();
}

int64_t ElementCount(const StateEntry& entry) {
  int64_t count = 1;
  for (const int64_t dimension : entry.shape) count *= dimension;
  return count;
}

int64_t CountParameters(const std::vector<StateEntry>& entries) {
  int64_t count = 0;
  for (const StateEntry& entry : entries) {
    if (IsParameter(entry.kind)) count += ElementCount(entry);
  }
  return count;
}

}  // namespace op3d
