// Features inside a network, kept as a matrix: one row per position, one column per channel.
//
// A 1x1x1 convolution is then one matrix product, BatchNorm works on columns, and the 2-D kernels
// of LibTorch see channels-last images without a copy.
#ifndef OP3D_NETWORK_LAYERS_FEATURE_MAP_H_
#define OP3D_NETWORK_LAYERS_FEATURE_MAP_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "op3d/network/definition/definition.h"

namespace op3d {

struct FeatureMap {
  at::Tensor rows;  // [clips * T * H * W, C], contiguous; positions in the order N, T, H, W
  int64_t clips = 0;
  Size3 size = {};  // T, H, W

  int64_t channels() const { return rows.size(1); }
  // H * W, T * H * W.
  int64_t area() const { return size[1] * size[2]; }
  int64_t volume() const { return size[0] * area(); }

  // Views in channels-last memory.
  at::Tensor Images() const {  // [clips * T, C, H, W]
    return rows.view({clips * size[0], size[1], size[2], channels()}).permute({0, 3, 1, 2});
  }
  at::Tensor Sequences() const {  // [clips, C, T, H * W]
    return rows.view({clips, size[0], area(), channels()}).permute({0, 3, 1, 2});
  }
  // [clips, C], the mean over T, H and W; for features of 16 bits in single precision.
  at::Tensor Mean() const {
    const at::ScalarType type = rows.scalar_type();
    return rows.view({clips, volume(), channels()})
        .mean(1, /*keepdim=*/false, c10::isReducedFloatingType(type) ? at::kFloat : type);
  }
  at::Tensor Clips() const {  // [clips, C, T, H, W]
    return rows.view({clips, size[0], size[1], size[2], channels()}).permute({0, 4, 1, 2, 3});
  }
};

// The rows of a 4-D tensor [A, C, B, D]; without a copy if it is channels-last.
inline at::Tensor RowsOf(const at::Tensor& images) {
  return images.permute({0, 2, 3, 1}).reshape({-1, images.size(1)});
}

// A network's tensors by their name in the state dict.
using TensorTable = std::map<std::string, at::Tensor>;

// Options of a forward pass.
struct ForwardMode {
  bool training = false;
  // No gradients are recorded, so a layer may overwrite an input that nothing else uses.
  bool inference = false;
  // bfloat16 or float16: the type of features and convolutions.  Any other: they have the clips'
  // own.
  at::ScalarType features = at::kFloat;

  bool half() const { return c10::isReducedFloatingType(features); }
  // Training: blocks keep only their input and compute the rest again in the backward pass.
  bool recompute = false;
  // This is the second computation: running statistics are already updated.
  bool recomputing = false;
  bool frozen_batch_norm = false;
  // Share of the features set to zero in training, and the seed of the masks.
  double dropout = 0;
  uint64_t dropout_seed = 0;
  // May be empty.
  std::function<void(const std::string&, const at::Tensor&)> observer;
};

inline void Observe(const ForwardMode& mode, const std::string& name, const FeatureMap& map) {
  if (mode.observer) mode.observer(name, map.Clips());
}

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_FEATURE_MAP_H_
