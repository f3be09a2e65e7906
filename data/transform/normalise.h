// From bytes to the network's input: (byte / 255 - mean) / deviation, in single precision.
//
//   // A frame of 224x224 into time t of a clip [3, T, 224, 224]:
//   Normalise(pixels, 224, {0, 0, 224, 224}, /*mirror=*/false, clip + t * 224 * 224,
//             /*plane_stride=*/T * 224 * 224);
#ifndef OP3D_DATA_TRANSFORM_NORMALISE_H_
#define OP3D_DATA_TRANSFORM_NORMALISE_H_

#include <cstdint>

#include "data/transform/crop.h"

namespace op3d::data {

// Writes `box` of the picture `pixels` ([any, width, 3]) as three planes of box.height rows of
// box.width floats: channel c at out + c * plane_stride.  `mirror` swaps left and right.
// The values are those of NormaliseTable (pixel_rows.h).  Thread-safe.
void Normalise(const uint8_t* pixels, int width, const Box& box, bool mirror, float* out,
               int64_t plane_stride);

// The same for flow, with x in red and y in green: (byte / 255 - 0.5) / 0.229, and zeros as the
// third plane.  `mirror` also negates x.
void NormaliseFlow(const uint8_t* pixels, int width, const Box& box, bool mirror, float* out,
                   int64_t plane_stride);

}  // namespace op3d::data

#endif  // OP3D_DATA_TRANSFORM_NORMALISE_H_
