// What a user's copy of a dataset holds, beside what its official lists ask for.
//
//   DatasetIndexOptions options;
//   options.root = "/data/hmdb51";
//   OP3D_ASSIGN_OR_RETURN(DatasetIndexReport report, IndexDataset(dataset, options));
//   std::puts(DatasetReportText(report).c_str());
#ifndef OP3D_DATA_COMMAND_DATASET_INDEX_H_
#define OP3D_DATA_COMMAND_DATASET_INDEX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "data/datasets/dataset.pb.h"

namespace op3d::data {

struct DatasetIndexOptions {
  std::string root;
  // File of the index; empty = DefaultIndexFile.
  std::string index;
  // Videos scanned at the same time, at least 1.
  int threads = 1;
  // Scan also what has not changed.
  bool rescan = false;
  // Videos of fewer frames are named as short.
  int64_t shortest = 16;
};

// A list of the dataset and what is there of it.
struct SplitReport {
  // "train" or "evaluation".
  std::string name;
  // Why none of it can be used; then the rest is empty.
  absl::Status status;
  // The dataset's settings name such a list.
  bool named = true;
  VideoList list;
  // Videos of the official list; 0 = not known.
  int64_t official = 0;
  // Of all usable videos.
  int64_t frames = 0;
  // Classes that have a usable video.
  int64_t classes_used = 0;
  // Usable, but shorter than asked for; in the order of the list.
  std::vector<Video> short_videos;
};

struct DatasetIndexReport {
  std::string dataset;
  std::string root;
  // Where the index is; empty = nowhere, no folder could be written to.
  std::string index;
  std::vector<SplitReport> splits;
};

// Finds both lists and their media, scans what is new and writes the index.  A list that is not
// there is reported; when neither can be used, it is the first one's error (LoadVideoList).
// Cancelled: a signal came; what was scanned is kept.
absl::StatusOr<DatasetIndexReport> IndexDataset(const DatasetSettings& dataset,
                                                const DatasetIndexOptions& options);

// How a command ends that had to do with both lists: OK when all lists that the dataset names can
// be used, else an error that ends the program with 1 and names those that cannot.
absl::Status UsableLists(const DatasetIndexReport& report);

// For a person: counts, the first ten videos of each kind, and notes: rows that name one file,
// videos of both lists, folders that may not be read.
std::string DatasetReportText(const DatasetIndexReport& report);

// One object a list, a line each: dataset, list, listed, official, usable, frames, classes,
// missing [{name, reason}], broken [{name, path, reason}], unlabelled [{name, reason}], short
// [{name, path, frames}], notes; or dataset, list, error.
std::string DatasetReportJson(const DatasetIndexReport& report);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_DATASET_INDEX_H_
