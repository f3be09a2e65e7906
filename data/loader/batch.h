// A few clips, ready for the network.
#ifndef OP3D_DATA_LOADER_BATCH_H_
#define OP3D_DATA_LOADER_BATCH_H_

#include <cstdint>
#include <vector>

#include "data/loader/byte_views.h"

namespace op3d::data {

struct Batch {
  // [size * views, 3, frames, height, width], normalised.
  std::vector<float> clips;
  // Instead of `clips`, if the loader was asked for bytes: [size].
  std::vector<ByteViews> byte_views;
  // [size]: class of each video (-1 when not known), and its index in the loader's list.
  std::vector<int64_t> labels;
  std::vector<int64_t> videos;
  int size = 0;
  // Views per video; view v of video i is clip i * views + v.
  int views = 1;
  int frames = 0;
  int height = 0;
  int width = 0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_BATCH_H_
