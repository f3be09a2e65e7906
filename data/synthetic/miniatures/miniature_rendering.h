// The videos of a miniature, each by its name.
//
//   const Rendering rendering = RenderingOf(miniature, "train", 7, seed);
#ifndef OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_RENDERING_H_
#define OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_RENDERING_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "data/synthetic/miniatures/miniature.h"
#include "data/synthetic/scene/rendering.h"

namespace op3d::data {

// Video `index` of a list ("train", "val", "test") or of the pool of a data set with several splits
// ("pool"); its class is ClassOf(miniature, index).
Rendering RenderingOf(const Miniature& miniature, absl::string_view split, int index,
                      uint64_t seed);

// Each split has its own seed, so that the splits are independent.
uint64_t SplitSeed(uint64_t seed, const Miniature& miniature, absl::string_view split);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_RENDERING_H_
