#include "op3d/network/definition/state_entries.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace op3d {
namespace {

StateEntry Entry(std::string name, std::vector<int64_t> shape, EntryKind kind) {
  StateEntry entry;
  entry.name = std::move(name);
  entry.shape = std::move(shape);
  entry.kind = kind;
  return entry;
}

class List {
 public:
  void Add(const ConvolutionDefinition& layer) {
    const Size3& k = layer.kernel;
    const int64_t in_channels = layer.in_channels / layer.groups;
    StateEntry entry =
        Entry(layer.name + ".weight", {layer.out_channels, in_channels, k[0], k[1], k[2]},
              EntryKind::kConvolutionWeight);
    entry.fan_in = in_channels * k[0] * k[1] * k[2];
    entry.initial_deviation = layer.initial_deviation;
    entries_.push_back(std::move(entry));
  }

  void Add(const BatchNormDefinition& layer) {
    const std::vector<int64_t> shape = {layer.channels};
    for (StateEntry entry :
         {Entry(layer.name + ".weight", shape, EntryKind::kNormWeight),
          Entry(layer.name + ".bias", shape, EntryKind::kNormBias),
          Entry(layer.name + ".running_mean", shape, EntryKind::kRunningMean),
          Entry(layer.name + ".running_var", shape, EntryKind::kRunningVariance),
          Entry(layer.name + ".num_batches_tracked", {}, EntryKind::kBatchCounter)}) {
      entry.freezes = layer.freezes;
      entries_.push_back(std::move(entry));
    }
  }

  void Add(const LinearDefinition& layer) {
    for (StateEntry entry :
         {Entry(layer.name + ".weight", {layer.out_channels, layer.in_channels},
                layer.starts_at_zero ? EntryKind::kZeroLinearWeight : EntryKind::kLinearWeight),
          Entry(layer.name + ".bias", {layer.out_channels}, EntryKind::kLinearBias)}) {
      entry.fan_in = layer.in_channels;
      entries_.push_back(std::move(entry));
    }
  }

  void Add(const ConvolutionNorm& layer) {
    Add(layer.convolution);
    Add(layer.norm);
  }

  void Add(const PairDefinition& pair) {
    Add(pair.spatial);
    if (pair.temporal.has_value()) Add(*pair.temporal);
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
    if (block.diffusion.has_value()) {
      for (const auto* layers :
           {&block.diffusion->local, &block.diffusion->global, &block.diffusion->output}) {
        for (const LinearDefinition& layer : *layers) Add(layer);
      }
    }
  }

  void Add(const InceptionDefinition& block) {
    Add(block.pointwise);
    for (int i = 0; i < 2; ++i) {
      Add(block.reduce[i]);
      Add(block.pairs[i]);
    }
    Add(block.project);
    for (const LinearDefinition& gate : block.gates) Add(gate);
  }

  void Add(const S3dLayerDefinition& layer) {
    if (layer.pointwise.has_value()) Add(*layer.pointwise);
    if (layer.pair.has_value()) Add(*layer.pair);
    if (layer.inception.has_value()) Add(*layer.inception);
  }

  // The layers under their own names, then the same tensors as `block2.1` and so on.
  void Add(const S3dBlockDefinition& block) {
    const size_t begin = entries_.size();
    std::vector<size_t> ends;
    for (const S3dLayerDefinition& layer : block.layers) {
      Add(layer);
      ends.push_back(entries_.size());
    }
    size_t at = begin;
    for (size_t i = 0; i < block.layers.size(); ++i) {
      const size_t prefix = block.layers[i].name.size();
      for (; at < ends[i]; ++at) {
        StateEntry second = entries_[at];
        second.same_tensor_as = second.name;
        second.name = absl::StrCat(block.name, ".", i, second.name.substr(prefix));
        entries_.push_back(std::move(second));
      }
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
  for (const S3dBlockDefinition& block : network.s3d) list.Add(block);
  for (const HeadDefinition& head : network.heads) list.Add(head.stage);
  for (const HeadDefinition& head : network.heads) list.Add(head.classifier);
  if (network.global_classifier.has_value()) list.Add(*network.global_classifier);
  return list.Take();
}

std::string ShapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

int64_t ElementCount(const StateEntry& entry) {
  int64_t count = 1;
  for (const int64_t dimension : entry.shape) count *= dimension;
  return count;
}

int64_t CountParameters(const std::vector<StateEntry>& entries) {
  int64_t count = 0;
  for (const StateEntry& entry : entries) {
    if (IsParameter(entry.kind) && entry.same_tensor_as.empty()) count += ElementCount(entry);
  }
  return count;
}

}  // namespace op3d
