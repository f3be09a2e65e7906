// The weights by which a row of halved colour samples becomes a full row: bilinear, samples centred
// between the pixels they stand for, the sums rounded as libswscale does it, so that pictures come
// out with the same bytes.
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
  // Of each pixel, [pixels]: the first of its two samples, in [0, samples - 2], and the weights of
  // both; a pair of weights adds up to `one`, but for one unit of rounding.
  std::vector<int> position;
  std::vector<int16_t> first;
  std::vector<int16_t> second;
};

// From `samples` (at least 2) to `pixels` (2 * samples or one less).  Nothing when libswscale would
// use more than two samples for some pixel.
std::optional<BilinearFilter> MakeBilinearFilter(int samples, int pixels, int one);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_IMAGE_BILINEAR_FILTER_H_
