// A miniature on paper: which video lies where, and what its lists say.  Pure text, no files.
//
// A real data set's lists and folders are written by the layout of its format: kinetics_layout,
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
    // What it is rendered from: miniature_rendering.h.
    std::string split;
    int index = 0;
    // Below the data set's folder, with its ending; that of a folder of JPEG frames without one.
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

// `class,group` after a header row, in alphabetical order: what the benchmark splits results by.
std::string GroupsCsv(const Miniature& miniature);

// A field of a CSV file: in quotes where it holds a comma, a quote, a space or a line break.
std::string CsvField(absl::string_view text);

// In alphabetical order.
std::vector<const VideoClass*> SortedClasses(const Miniature& miniature);

// 11 letters, digits, "-" and "_".
std::string DrawYouTubeId(RandomStream* stream);

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_LAYOUT_DATASET_LAYOUT_H_
