// The layout of ActivityNet 1.3.
//
//   videos/v_<id>.mp4 or .mkv
//   activity_net.v1-3.min.json    all parts; the segments say when the actor is visible, in
//                                 seconds; the testing part has none
#ifndef OP3D_DATA_SYNTHETIC_LAYOUT_ACTIVITYNET_LAYOUT_H_
#define OP3D_DATA_SYNTHETIC_LAYOUT_ACTIVITYNET_LAYOUT_H_

#include <cstdint>

#include "data/synthetic/layout/dataset_layout.h"
#include "data/synthetic/miniatures/miniature.h"

namespace op3d::data {

DatasetLayout LayOutActivityNet(const Miniature& miniature, const MiniatureSize& size,
                                uint64_t seed);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_LAYOUT_ACTIVITYNET_LAYOUT_H_
