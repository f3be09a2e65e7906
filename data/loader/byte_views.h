// The views of one video as bytes: each picture once, and which part of which picture a view shows.
// A training clip is one view, of the whole pictures.
//
//   ByteViews views;                                   // from MakeByteViews, or Batch::byte_views
//   std::vector<float> clips(2 * views.ValuesPerView());
//   NormaliseViews(views, /*first=*/4, /*count=*/2, clips.data());     // [2, 3, T, size, size]
//
// For a GPU the pictures may be as they were decoded: `planes` then says what becomes of them
// (op3d/gpu/device_views.h), and the CPU only decodes.  A pixel that the views need takes 1.5 bytes.
//
// Thirty overlapping views of 16x256x256 are 378 MB of floats, but often less than 40 MB as bytes.
// The floats are those of ClipTransform::Store, in every bit.
#ifndef OP3D_DATA_LOADER_BYTE_VIEWS_H_
#define OP3D_DATA_LOADER_BYTE_VIEWS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "data/transform/clip_transform.h"
#include "data/transform/resize.h"
#include "data/video/image/image.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

// Views come as planes if these take at most this multiple of the resized pictures' bytes: more would
// cost more to keep and to copy than the CPU's resizing saves.
inline constexpr int64_t kMostPlaneBytes = 2;

// The parts of decoded pictures that a transform needs: a box of Y, then one of U and of V, tightly
// packed.
struct PlaneParts {
  // Of the whole pictures.
  int width = 0;
  int height = 0;
  // As in YuvToRgb::Make.
  std::array<int, 4> matrix = {};
  bool full_range = false;
  Box luma;
  Box chroma;
  // From these pixels, `luma`, to the views: no hue, blur or RandAugment, and no flow.
  Resize resize;
  TrainDraw draw;

  int64_t LumaBytes() const { return int64_t{luma.width} * luma.height; }
  int64_t ChromaBytes() const { return int64_t{chroma.width} * chroma.height; }
  int64_t PictureBytes() const { return LumaBytes() + 2 * ChromaBytes(); }
};

struct ByteViews {
  // [pictures, height, width, 3]: resized and coloured, red first, not yet mirrored.  With `planes`:
  // [pictures, planes->PictureBytes()].
  std::vector<uint8_t> pixels;
  std::optional<PlaneParts> planes;
  // Of a resized picture.
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
// must exist, and not be planes.  Thread-safe.
void NormaliseViews(const ByteViews& views, int64_t first, int64_t count, float* out);

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_BYTE_VIEWS_H_
