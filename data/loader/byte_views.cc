#include "data/loader/byte_views.h"

#include "data/transform/normalise.h"

namespace op3d::data {

void NormaliseViews(const ByteViews& views, int64_t first, int64_t count, float* out) {
  const int64_t crops = static_cast<int64_t>(views.crops.size());
  const size_t picture = size_t{3} * views.height * views.width;
  for (int64_t view = first; view < first + count; ++view, out += views.ValuesPerView()) {
    const Box& crop = views.crops[view % crops];
    const int32_t* const pictures = views.pictures.data() + view / crops * views.frames;
    const int64_t plane = int64_t{crop.height} * crop.width;
    for (int t = 0; t < views.frames; ++t) {
      const uint8_t* const pixels = views.pixels.data() + pictures[t] * picture;
      const auto normalise = views.content == FrameContent::kFlow ? NormaliseFlow : Normalise;
      normalise(pixels, views.width, crop, /*mirror=*/false, out + t * plane, views.frames * plane);
    }
  }
}

}  // namespace op3d::data
