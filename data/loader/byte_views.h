// The views of one video as bytes: each picture once, and which part of which picture a view shows.
// A training clip is one view, of the whole pictures.
//
//   ByteViews views;                                   // from MakeByteViews, or Batch::byte_views
//   std::vector<float> clips(2 * views.ValuesPerView());
//   NormaliseViews(views, /*first=*/4, /*count=*/2, clips.data());     // [2, 3, T, size, size]
//
// Thirty overlapping views of 16x256x256 are 378 MB of floats, but often less than 40 MB as bytes.
// The floats are those of ClipTransform::Store, in every bit.
#ifndef OP3D_DATA_LOADER_BYTE_VIEWS_H_
#define OP3D_DATA_LOADER_BYTE_VIEWS_H_

#include <cstdint>
#include <vector>

#include "data/video/image/image.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

struct ByteViews {
  // [pictures, height, width, 3]: resized and coloured, red first, not yet mirrored.
  std::vector<uint8_t> pixels;
  int height = 0;
  int width = 0;
  // [clips, frames]: the picture that frame t of a clip shows.
  std::vector<int32_t> pictures;
  int frames = 0;
  // The squares that the crops are of a picture; view v is clip v / crops.size() in crop v %
  // crops.size().
  std::vector<Box> crops;
  // Swaps left and right of every view (and negates the x of flow).
  bool mirror = false;
  FrameContent content = FrameContent::kPictures;

  int64_t ValuesPerView() const {
    return crops.empty() ? 0 : int64_t{3} * frames * crops[0].height * crops[0].width;
  }
};

// Writes views [first, first + count) to `out`, [count, 3, frames, size, size], normalised.  They
// must exist.  Thread-safe.
void NormaliseViews(const ByteViews& views, int64_t first, int64_t count, float* out);

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_BYTE_VIEWS_H_
