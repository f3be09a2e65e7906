#include "data/synthetic/miniatures/miniature_rendering.h"

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {

Rendering RenderingOf(const Miniature& miniature, absl::string_view split, int index,
                      uint64_t seed) {
  return Rendering(miniature.classes[ClassOf(miniature, index)], miniature.shape, miniature.style,
                   RandomStream(SplitSeed(seed, miniature, split),
                                absl::StrCat(miniature.name, ".", split, ".video"), {index}));
}

uint64_t SplitSeed(uint64_t seed, const Miniature& miniature, absl::string_view split) {
  return RandomStream(seed, absl::StrCat(miniature.name, ".", split, ".seed"), {})();
}

}  // namespace op3d::data
