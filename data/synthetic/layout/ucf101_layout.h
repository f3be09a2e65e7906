// The layout of UCF101: one pool of videos, three splits of it.
//
//   UCF-101/<Class>/v_<Class>_g01_c01.avi
//   ucfTrainTestlist/classInd.txt, trainlist0{1,2,3}.txt, testlist0{1,2,3}.txt
//
// Lines end with CR LF, as in existing copies.  Clips of one group are on one side of each split.
#ifndef OP3D_DATA_SYNTHETIC_LAYOUT_UCF101_LAYOUT_H_
#define OP3D_DATA_SYNTHETIC_LAYOUT_UCF101_LAYOUT_H_

#include "data/synthetic/layout/dataset_layout.h"
#include "data/synthetic/miniatures/miniature.h"

namespace op3d::data {

// Uses groups and videos_per_group of `size`: split s tests on the s-th third of the groups.
DatasetLayout LayOutUcf101(const Miniature& miniature, const MiniatureSize& size);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_LAYOUT_UCF101_LAYOUT_H_
