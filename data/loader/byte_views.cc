#include "data/loader/byte_views.h"

#include <algorithm>

#include "data/transform/normalise.h"

namespace op3d::data {

void NormaliseViews(const ByteViews& views, int64_t first, int64_t count, float* out) {
  const auto normalise = views.content == FrameContent::kFlow ? NormaliseFlow : Normalise;
  const int64_t crops = static_cast<int64_t>(views.crops.size());
  const size_t picture = size_t{3} * views.height * views.width;
  // All crops of a picture while it is in the cache.
  for (int64_t start = first; start < first + count;) {
    const int64_t clip = start / crops;
    const int64_t end = std::min((clip + 1) * crops, first + count);
    for (int t = 0; t < views.frames; ++t) {
      const uint8_t* const pixels =
          views.pixels.data() + views.pictures[clip * views.frames + t] * picture;
      for (int64_t view = start; view < end; ++view) {
        const Box& crop = views.crops[view % crops];
        const int64_t plane = int64_t{crop.height} * crop.width;
        normalise(pixels, views.width, crop, views.mirror,
                  out + (view - first) * views.ValuesPerView() + t * plane, views.frames * plane);
      }
    }
    start = end;
  }
}

}  // namespace op3d::data
