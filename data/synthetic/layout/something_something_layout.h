// The layout of Something-Something V1 and V2.
//
// V1:  20bn-something-something-v1/<id>/00001.jpg ...
//      something-something-v1-labels.csv, -train.csv, -validation.csv (`id;label`), -test.csv
//      (`id`)
// V2:  20bn-something-something-v2/<id>.webm
//      something-something-v2-labels.json, -train.json, -validation.json, -test.json
#ifndef OP3D_DATA_SYNTHETIC_LAYOUT_SOMETHING_SOMETHING_LAYOUT_H_
#define OP3D_DATA_SYNTHETIC_LAYOUT_SOMETHING_SOMETHING_LAYOUT_H_

#include <cstdint>

#include "data/synthetic/layout/dataset_layout.h"
#include "data/synthetic/miniatures/miniature.h"

namespace op3d::data {

// The miniature's format decides the version.  Labels are in the order of its classes.
DatasetLayout LayOutSomethingSomething(const Miniature& miniature, const MiniatureSize& size,
                                       uint64_t seed);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_LAYOUT_SOMETHING_SOMETHING_LAYOUT_H_
