// A dataset's own list, whatever its format, as rows that are the same for every dataset.
//
//   OP3D_ASSIGN_OR_RETURN(DatasetList list, ReadDatasetList(dataset, dataset.evaluation(), root));
//   // list.videos[0] = {"0wR5jVB-WPk_000417_000427", label 0, ...}
//   // list.classes[0] = "abseiling"
#ifndef OP3D_DATA_ANNOTATION_DATASET_LIST_H_
#define OP3D_DATA_ANNOTATION_DATASET_LIST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/listed_video.h"
#include "data/datasets/dataset.pb.h"

namespace op3d::data {

struct DatasetList {
  // In the order of the list; either all have a label or none has.
  std::vector<ListedVideo> videos;
  // Rows without an annotation in a list that has annotations.
  std::vector<ListedVideo> unlabelled;
  // In the order of the labels: from the label map, otherwise the names of both lists in
  // alphabetical order; for lists of paths "0", "1", ...
  std::vector<std::string> classes;
  // The list that was read (HMDB51: the pattern of the files), and the folder of its videos.
  std::string list_path;
  std::string media_path;
  // The files that contain the rows: the list, or for HMDB51 one file per class.
  std::vector<std::string> files;
  // Notes for the user, in sentences: the number of classes is not the dataset's.
  std::vector<std::string> notes;

  // "train.txt:12": the position of a row.
  std::string Place(const ListedVideo& video) const;
};

// Reads `root`/`split.list`, or the first of its other names that exists, and the label map, and
// returns the rows of `split.part`.  Groups come from `dataset.video_groups`, otherwise from the
// list itself.  Absolute paths are used as they are.  List, label map and group file may be URLs of
// hosts that `dataset.remote` allows, and the media folder a URL, which is not asked here.
//
// NotFound: root, list, label map, group file or media folder is missing; the message says what was
// looked for and what exists.  InvalidArgument: a list, label map or group file that cannot be read
// (file, line, text, what was expected), a label that the map lacks, a path with two labels (names
// both lines), a video that the group file does not list, no row of the part, an unknown format.
// FailedPrecondition: a list of numbers with more classes than the dataset has.  The errors of
// RemoteFiles::Fetch for URLs.
absl::StatusOr<DatasetList> ReadDatasetList(const DatasetSettings& dataset,
                                            const DatasetSettings::Split& split,
                                            const std::string& root);

// The number of official splits for which the copy in `root` has test lists: 1, 2, ... until one is
// missing.  InvalidArgument for a dataset that has only one split; the errors of ReadDatasetList()
// for the first split and for all that the dataset is known to have (official_evaluation).
absl::StatusOr<int> CountSplits(DatasetSettings dataset, const std::string& root);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_DATASET_LIST_H_
