// A confusion matrix as a picture: rows are the videos' own classes, columns the predicted ones.
//
//   page += DrawConfusion(counts, class_names).ToInline();
#ifndef OP3D_RESULTS_PICTURE_CONFUSION_SVG_H_
#define OP3D_RESULTS_PICTURE_CONFUSION_SVG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "results/picture/svg.h"

namespace op3d::results {

// `counts` is [classes, classes], row-major: counts[own * classes + predicted] videos.  Right ones
// are blue, wrong ones orange, stronger for a larger share of the row.  Up to 40 classes have their
// names, up to 25 the numbers of videos; with more the cells shrink, and without videos a cell is
// blank.
Svg DrawConfusion(absl::Span<const int64_t> counts, const std::vector<std::string>& classes);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_PICTURE_CONFUSION_SVG_H_
