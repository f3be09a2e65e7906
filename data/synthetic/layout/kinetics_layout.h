// The layout of Kinetics-400 and -600.
//
//   train/<class>/<id>_<start>_<end>.mp4    val/<class>/...    test/...  (no labels, no folders)
//   kinetics-400_train.csv  kinetics-400_val.csv  kinetics-400_test.csv  label_map.txt  groups.csv
#ifndef OP3D_DATA_SYNTHETIC_LAYOUT_KINETICS_LAYOUT_H_
#define OP3D_DATA_SYNTHETIC_LAYOUT_KINETICS_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "data/synthetic/layout/dataset_layout.h"
#include "data/synthetic/miniatures/miniature.h"

namespace op3d::data {

DatasetLayout LayOutKinetics(const Miniature& miniature, const MiniatureSize& size, uint64_t seed);

// Its parts.
struct KineticsVideo {
  // In the form of YouTube's ids.
  std::string id;
  // The part of the (pretended) source video that the clip shows, in seconds.
  int start_seconds = 0;
  int end_seconds = 0;
  // Index in the miniature's classes.
  int video_class = 0;
};

// `count` videos with different ids, named by (seed, data set, split, index).
std::vector<KineticsVideo> NameKineticsVideos(const Miniature& miniature, absl::string_view split,
                                              int count, uint64_t seed);

// "0wR5jVB-WPk_000417_000427.mp4".
std::string KineticsFileName(const KineticsVideo& video);

// "val/up then down/0wR5jVB-WPk_000417_000427.mp4"; without the class for the split "test".
std::string KineticsPath(const Miniature& miniature, absl::string_view split,
                         const KineticsVideo& video);

// The list of a split, with its header, in the videos' order.
std::string KineticsCsv(const Miniature& miniature, absl::string_view split,
                        const std::vector<KineticsVideo>& videos);

// One class per line, alphabetically: a class's line number, from 0, is its label.
std::string KineticsLabelMap(const Miniature& miniature);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_LAYOUT_KINETICS_LAYOUT_H_
