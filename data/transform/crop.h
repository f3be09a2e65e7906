// Which part of a picture is used: boxes in whole pixels.
//
//   RandomStream stream(seed, "train.clip", {epoch, video});
//   const Box box = RandomResizedCropBox(340, 256, /*min_area=*/0.2, /*max_area=*/1, &stream);
//   const Box centre = CropBox(CropPlace::kCentre, 340, 256, 224);
#ifndef OP3D_DATA_TRANSFORM_CROP_H_
#define OP3D_DATA_TRANSFORM_CROP_H_

#include "data/video/image/image.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {

// The positions of the crops of an evaluation; a test uses all three, in this order.
enum class CropPlace { kCentre, kTopLeft, kBottomRight };

// A square of `size` pixels in a picture at least as large.  The centre's offset is half the
// difference, with halves rounded to even (differences 1, 3, 5 give 0, 2, 2).
Box CropBox(CropPlace place, int width, int height, int size);

// A box with the share `area` of the picture's area and width / height = `ratio`, each
// side rounded (halves to even); left and top are 0.  May be larger than the picture.
Box SizedCropBox(int width, int height, double area, double ratio);

// The central box that is used after ten draws that did not fit: as large as a ratio from 3/4 to
// 4/3 allows.
Box FallbackCropBox(int width, int height);

// The box of a random resized crop: area uniform in [min_area, max_area), logarithm of the ratio
// uniform between log(3/4) and log(4/3), position uniform; ten tries to fit, then the fallback.
Box RandomResizedCropBox(int width, int height, double min_area, double max_area,
                         RandomStream* stream);

}  // namespace op3d::data

#endif  // OP3D_DATA_TRANSFORM_CROP_H_
