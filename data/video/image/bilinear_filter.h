// The weights with which a row of half-resolution colour samples becomes a full row: bilinear, with
// samples centred between their pixels, and the sums rounded as in libswscale, so that pictures
// have the same bytes.
//
//   const std::optional<BilinearFilter> filter = MakeBilinearFilter(214, 427, 1 << 14);
//   // pixel i = (a * first[i] + b * second[i]) / one, a = sample position[i], b the one after
#ifndef OP3D_DATA_VIDEO_IMAGE_BILINEAR_FILTER_H_
#define OP3D_DATA_VIDEO_IMAGE_BILINEAR_FILTER_H_

#include <cstdint>
#include <optional>
#include <vector>

namespace op3d::data {

struct BilinearFilter {
  // For each pixel, [pixels]: the first of its two samples, in [0, samples - 2], and the weights of
  // both; a pair of weights sums to `one`, except for one unit of rounding.
  std::vector<int> position;
  std::vector<int16_t> first;
  std::vector<int16_t> second;
};

// From `samples` (at least 2) to `pixels` (2 * samples or one less).  nullopt if libswscale would
// use more than two samples for some pixel.
std::optional<BilinearFilter> MakeBilinearFilter(int samples, int pixels, int one);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_IMAGE_BILINEAR_FILTER_H_
