// A dataset's own list in whatever format it has, as rows that say the same of every dataset.
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
  // In the order of the list; all with a label, or none.
  std::vector<ListedVideo> videos;
  // Rows without an annotation in a list that has annotations.
  std::vector<ListedVideo> unlabelled;
  // In the order of the labels: as the label map has them, else the names of both lists
  // alphabetically, for lists of paths "0", "1", ...
  std::vector<std::string> classes;
  // The list that was read (HMDB51: the pattern of the files), and the folder of its videos.
  std::string list_path;
  std::string media_path;
  // The files that the rows stand in: the list, or of HMDB51 a file a class.
  std::vector<std::string> files;
  // What a person should know, in sentences: not as many classes as the dataset has.
  std::vector<std::string> notes;

  // "train.txt:12": where a row stands.
  std::string Place(const ListedVideo& video) const;
};

// Reads `root`/`split.list`, or the first of its other names that is there, and the label map;
// takes the rows of `split.part`.  Groups are those of `dataset.video_groups`, else the list's own.
// Absolute paths stay as they are.
//
// NotFound: root, list, label map, file of groups or media folder absent; says what was looked for
// and what is there.  InvalidArgument: a list, label map or file of groups that cannot be read
// (file, line, text, what was expected), a label that the map lacks, a path with two labels (names
// both lines), a video without a group in a file of groups, no row of the part, an unknown format.
// FailedPrecondition: a list of numbers with more classes than the dataset has.
absl::StatusOr<DatasetList> ReadDatasetList(const DatasetSettings& dataset,
                                            const DatasetSettings::Split& split,
                                            const std::string& root);

// How many official splits the copy in `root` has test lists of: 1, 2, ... until there is none.
// InvalidArgument for a dataset that has one split alone; the errors of ReadDatasetList() for the
// first, and for any that the dataset is known to have (official_evaluation).
absl::StatusOr<int> CountSplits(DatasetSettings dataset, const std::string& root);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_DATASET_LIST_H_
