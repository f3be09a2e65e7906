#include "op3d/network/weights/inflation.h"

#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/definition/state_entries.h"

namespace op3d {
namespace {

using Origin = InflatedTensor::Origin;

absl::Status Misfit(const StateEntry& entry, const TensorView& source) {
  return absl::InvalidArgumentError(absl::StrCat(source.name, " is ", ShapeText(source.shape),
                                                 ", which does not fit ", entry.name, " ",
                                                 ShapeText(entry.shape), " of the network"));
}

absl::StatusOr<std::vector<float>> Floats(const TensorView& tensor) {
  const size_t count = tensor.data.size() / static_cast<size_t>(DTypeSize(tensor.dtype));
  std::vector<float> floats(count);
  if (tensor.dtype == DType::kF32) {
    std::memcpy(floats.data(), tensor.data.data(), tensor.data.size());
    return floats;
  }
  if (tensor.dtype != DType::kF64) {
    return absl::InvalidArgumentError(absl::StrCat(
        tensor.name, " is of type ", DTypeName(tensor.dtype), "; inflation takes F32 and F64"));
  }
  for (size_t i = 0; i < count; ++i) {
    double value;
    std::memcpy(&value, tensor.data.data() + i * sizeof(value), sizeof(value));
    floats[i] = static_cast<float>(value);
  }
  return floats;
}

std::string Bytes(const std::vector<float>& floats) {
  return std::string(reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float));
}

// The facts about a convolution, found by its name.
struct Layer {
  // Null for convolutions outside pairs.
  const PairDefinition* pair = nullptr;
  Wiring wiring = Wiring::kSpatial;
  bool temporal = false;
};

std::map<std::string, Layer> LayersByName(const NetworkDefinition& network) {
  std::map<std::string, Layer> layers;
  const auto add = [&](const StageDefinition& stage) {
    for (const BlockDefinition& block : stage.blocks) {
      for (const PairDefinition& pair : block.pairs) {
        layers[pair.spatial.name + ".weight"] = {&pair, block.wiring, false};
        if (pair.temporal.has_value()) {
          layers[pair.temporal->name + ".weight"] = {&pair, block.wiring, true};
        }
      }
    }
  };
  for (const StageDefinition& stage : network.trunk) add(stage);
  for (const HeadDefinition& head : network.heads) add(head.stage);
  return layers;
}

// Places a kernel [out, in, height, width] in one of `entry`'s shape [out', in, frames, height,
// width]: at output channel `channel` and frame `frame`, or with `repeat` in every frame, divided
// by their number.
absl::StatusOr<std::vector<float>> PlaceKernel(const StateEntry& entry, const TensorView& source,
                                               int64_t channel, int64_t frame, bool repeat) {
  const std::vector<int64_t>&to = entry.shape, &from = source.shape;
  if (from.size() != 4 || from[0] + channel > to[0] || from[1] != to[1] || from[2] != to[3] ||
      from[3] != to[4]) {
    return Misfit(entry, source);
  }
  OP3D_ASSIGN_OR_RETURN(const std::vector<float> values, Floats(source));
  std::vector<float> kernel(static_cast<size_t>(ElementCount(entry)), 0.0f);
  const int64_t area = from[2] * from[3], frames = to[2];
  const float divisor = repeat ? static_cast<float>(frames) : 1.0f;
  for (int64_t plane = 0; plane < from[0] * from[1]; ++plane) {  // one (out, in)
    const int64_t first = (channel * to[1] + plane) * frames;
    for (int64_t t = repeat ? 0 : frame; t < (repeat ? frames : frame + 1); ++t) {
      for (int64_t i = 0; i < area; ++i) {
        kernel[(first + t) * area + i] = values[plane * area + i] / divisor;
      }
    }
  }
  return kernel;
}

// The identity for the output of the 2-D kernel: input channel `channel` + n within its group to
// output n, at the middle frame.
std::vector<float> IdentityKernel(const StateEntry& entry, int64_t channel) {
  std::vector<float> kernel(static_cast<size_t>(ElementCount(entry)), 0.0f);
  const int64_t inputs = entry.shape[1], frames = entry.shape[2];
  for (int64_t n = 0; n < entry.shape[0]; ++n) {
    const int64_t input = (channel + n) % inputs;
    kernel[(n * inputs + input) * frames + frames / 2] = 1.0f;
  }
  return kernel;
}

class Inflater {
 public:
  Inflater(const NetworkDefinition& network, const std::vector<TensorView>& weights)
      : network_(network), layers_(LayersByName(network)) {
    for (const TensorView& tensor : weights) sources_[tensor.name] = &tensor;
  }

  absl::StatusOr<Inflation> Run() {
    for (const StateEntry& entry : StateEntries(network_)) {
      OP3D_RETURN_IF_ERROR(Add(entry));
    }
    for (const auto& [name, tensor] : sources_) {
      if (used_.count(name) == 0) inflation_.ignored.push_back(name);
    }
    if (used_.empty()) {
      return absl::InvalidArgumentError(
          "no entry of the file fits the network: it is not a 2-D ResNet of this size");
    }
    return std::move(inflation_);
  }

 private:
  absl::Status Add(const StateEntry& entry) {
    const auto found = layers_.find(entry.name);
    const Layer layer = found == layers_.end() ? Layer() : found->second;
    std::string from = layer.temporal ? layer.pair->spatial.name + ".weight" : entry.name;
    // The spatial head starts from the same stage.
    if (absl::StartsWith(from, "layer4_dual.")) {
      from = absl::StrCat("layer4.", absl::StripPrefix(from, "layer4_dual."));
    }
    const auto source = sources_.find(from);
    // The context's fc1 and fc2 do not exist in an image network, and its own fc is for other
    // classes.
    const bool linear = entry.kind == EntryKind::kLinearWeight ||
                        entry.kind == EntryKind::kLinearBias ||
                        entry.kind == EntryKind::kZeroLinearWeight;
    if (linear || source == sources_.end()) {
      inflation_.missing.push_back(entry.name);
      return absl::OkStatus();
    }
    used_.insert(from);
    InflatedTensor tensor{entry.name, entry.shape, Origin::kMapped, from, DType::kF32, ""};
    if (entry.kind == EntryKind::kConvolutionWeight) {
      OP3D_ASSIGN_OR_RETURN(tensor.data, Kernel(entry, layer, *source->second));
      tensor.origin = layer.temporal ? Origin::kMade : Origin::kInflated;
    } else if (source->second->shape != entry.shape) {
      return Misfit(entry, *source->second);
    } else if (entry.kind == EntryKind::kBatchCounter) {
      tensor.dtype = source->second->dtype;
      tensor.data = std::string(source->second->data);
    } else {
      OP3D_ASSIGN_OR_RETURN(const std::vector<float> values, Floats(*source->second));
      tensor.data = Bytes(values);
    }
    inflation_.tensors.push_back(std::move(tensor));
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Kernel(const StateEntry& entry, const Layer& layer,
                                     const TensorView& source) const {
    if (layer.temporal) {
      // A pair with its own inner width (R(2+1)D) has the image's channels in its middle.
      const int64_t margin = Margin(*layer.pair);
      if (layer.wiring != Wiring::kSerial) {
        return Bytes(std::vector<float>(static_cast<size_t>(ElementCount(entry)), 0.0f));
      }
      return Bytes(IdentityKernel(entry, margin));
    }
    const bool stem = entry.name == network_.stem[0].convolution.name + ".weight";
    const bool repeat = !stem && entry.shape[2] > 1;  // I3D
    const int64_t margin = layer.pair == nullptr ? 0 : Margin(*layer.pair);
    // If the image kernel does not have all the channels, it is of another width.
    if (source.shape.empty() || source.shape[0] + 2 * margin != entry.shape[0]) {
      return Misfit(entry, source);
    }
    OP3D_ASSIGN_OR_RETURN(
        const std::vector<float> kernel,
        PlaceKernel(entry, source, margin, stem ? entry.shape[2] / 2 : 0, repeat));
    return Bytes(kernel);
  }

  // The number of channels on either side of the image's.
  static int64_t Margin(const PairDefinition& pair) {
    if (!pair.temporal.has_value()) return 0;
    return pair.spatial.out_channels == pair.temporal->out_channels
               ? 0
               : pair.temporal->out_channels * 5 / 8;
  }

  const NetworkDefinition& network_;
  const std::map<std::string, Layer> layers_;
  std::map<std::string, const TensorView*> sources_;
  std::set<std::string> used_;
  Inflation inflation_;
};

}  // namespace

bool IsImageNetwork(const std::vector<TensorView>& weights) {
  for (const TensorView& tensor : weights) {
    if (tensor.name == "conv1.weight") return tensor.shape.size() == 4;
  }
  return false;
}

absl::StatusOr<Inflation> Inflate(const NetworkDefinition& network,
                                  const std::vector<TensorView>& weights) {
  if (network.stem.empty()) {
    return absl::InvalidArgumentError(
        "S3D starts from scratch or from its own weights: no 2-D ResNet has its blocks");
  }
  return Inflater(network, weights).Run();
}

}  // namespace op3d
