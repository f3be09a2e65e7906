// RandAugment (Cubuk et al. 2020) on clips: a few operations drawn from sixteen, all with one
// magnitude, the same for all frames.  Byte for byte as the released programs do it with Pillow.
//
//   const std::vector<AugmentStep> steps = DrawRandAugment(2, 27, 224, 224, &stream);
//   for (RgbImage& frame : frames) {
//     for (const AugmentStep& step : steps) ApplyAugment(step, 224, 224, &frame.pixels);
//   }
#ifndef OP3D_DATA_TRANSFORM_RAND_AUGMENT_H_
#define OP3D_DATA_TRANSFORM_RAND_AUGMENT_H_

#include <cstdint>
#include <vector>

#include "op3d/base/random_stream.h"

namespace op3d::data {

enum class AugmentOperation {
  kAutoContrast,
  kEqualize,
  kInvert,
  kRotate,       // degrees, 0 to 30
  kPosterize,    // bits that go, 0 to 4 of the lower half
  kSolarize,     // 0 to 256: bytes of at least 256 - value are inverted
  kSolarizeAdd,  // 0 to 110, added to bytes below 128
  kColor,        // these four 0 to 0.9: the factor is 1 - sign * value
  kContrast,
  kBrightness,
  kSharpness,
  kShearX,  // 0 to 0.3
  kShearY,
  kCutout,      // side as a share of the width, 0 to 0.3571
  kTranslateX,  // share of the width or height, 0 to 0.4464
  kTranslateY,
};
constexpr int kAugmentOperations = 16;

struct AugmentStep {
  AugmentOperation operation = AugmentOperation::kAutoContrast;
  // In the operation's range; never negative.
  double value = 0;
  // 1 or -1, for operations that have a direction.
  int sign = 1;
  // The middle of kCutout, in pixels.
  double centre_x = 0;
  double centre_y = 0;
};

// The step of an operation at `magnitude` out of 30, in [0, 30].
AugmentStep MakeAugmentStep(AugmentOperation operation, double magnitude);

// `count` steps at `magnitude` for pictures of `width` x `height`; operations may repeat.
std::vector<AugmentStep> DrawRandAugment(int count, double magnitude, int width, int height,
                                         RandomStream* stream);

// Changes one picture, [height, width, 3].  AutoContrast, Equalize and Contrast depend on this
// picture only.  Pixels that a geometric operation uncovers are black; Cutout's square is
// (125, 123, 114).
void ApplyAugment(const AugmentStep& step, int width, int height, std::vector<uint8_t>* pixels);

}  // namespace op3d::data

#endif  // OP3D_DATA_TRANSFORM_RAND_AUGMENT_H_
