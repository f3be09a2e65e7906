// The plan of a miniature: the path of each video, and the text of its lists.  Only text, no files.
//
// The layout of each format writes the lists and folders of a real data set: kinetics_layout,
// something_something_layout, ucf101_layout, hmdb51_layout, activitynet_layout.
#ifndef OP3D_DATA_SYNTHETIC_LAYOUT_DATASET_LAYOUT_H_
#define OP3D_DATA_SYNTHETIC_LAYOUT_DATASET_LAYOUT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "data/synthetic/miniatures/miniature.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {

struct DatasetLayout {
  struct PlacedVideo {
    // The video to render: miniature_rendering.h.
    std::string split;
    int index = 0;
    // Below the data set's folder, with its ending; a folder of JPEG frames has no ending.
    std::string path;
  };
  std::vector<PlacedVideo> videos;

  struct TextFile {
    // Below the data set's folder.
    std::string path;
    std::string text;
  };
  std::vector<TextFile> texts;
};

// `class,group` after a header row, in alphabetical order; the benchmark groups results by it.
std::string GroupsCsv(const Miniature& miniature);

// In alphabetical order.
std::vector<const VideoClass*> SortedClasses(const Miniature& miniature);

// 11 letters, digits, "-" and "_".
std::string DrawYouTubeId(RandomStream* stream);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_LAYOUT_DATASET_LAYOUT_H_
