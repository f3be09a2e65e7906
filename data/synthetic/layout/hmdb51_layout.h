// How HMDB51 is laid out: one pool of videos, three splits of it, a list a class and split.
//
//   hmdb51_org/<class>/Old_Film_(HQ)_07_<class>_u_nm_np1_fr_med_0.avi
//   testTrainMulti_7030_splits/<class>_test_split{1,2,3}.txt    `name.avi flag `
//
// The flag is 1 for training, 2 for the test, 0 for neither.
//
// Clips of one film have one flag.
#ifndef OP3D_DATA_SYNTHETIC_LAYOUT_HMDB51_LAYOUT_H_
#define OP3D_DATA_SYNTHETIC_LAYOUT_HMDB51_LAYOUT_H_

#include "data/synthetic/layout/dataset_layout.h"
#include "data/synthetic/miniatures/miniature.h"

namespace op3d::data {

// Of `size` groups (films) and videos_per_group count.  Each split tests on other three tenths of
// the films; the last tenth, at least one film, is in neither list.
DatasetLayout LayOutHmdb51(const Miniature& miniature, const MiniatureSize& size);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_LAYOUT_HMDB51_LAYOUT_H_
