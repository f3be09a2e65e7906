// The layout of HMDB51: one pool of videos, three splits of it, one list per class and split.
//
//   hmdb51_org/<class>/Old_Film_(HQ)_07_<class>_u_nm_np1_fr_med_0.avi
//   testTrainMulti_7030_splits/<class>_test_split{1,2,3}.txt    `name.avi flag `
//
// The flag is 1 for training, 2 for the test, 0 for neither.
//
// All clips of one film have the same flag.
#ifndef OP3D_DATA_SYNTHETIC_LAYOUT_HMDB51_LAYOUT_H_
#define OP3D_DATA_SYNTHETIC_LAYOUT_HMDB51_LAYOUT_H_

#include "data/synthetic/layout/dataset_layout.h"
#include "data/synthetic/miniatures/miniature.h"

namespace op3d::data {

// Uses groups (films) and videos_per_group of `size`.  Each split tests on another three tenths of
// the films; the last tenth, at least one film, is in neither list.
DatasetLayout LayOutHmdb51(const Miniature& miniature, const MiniatureSize& size);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_LAYOUT_HMDB51_LAYOUT_H_
