// Compares a user's copy of a dataset with its official lists.
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
  // The index file; empty = DefaultIndexFile.
  std::string index;
  // Videos scanned at the same time, at least 1.
  int threads = 1;
  // Scan unchanged videos too.
  bool rescan = false;
  // Videos with fewer frames are reported as short.
  int64_t shortest = 16;
};

// A list of the dataset and what the copy has of it.
struct SplitReport {
  // "train" or "evaluation".
  std::string name;
  // The reason if none of it can be used; then the rest is empty.
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
  // Usable, but shorter than `shortest`; in the order of the list.
  std::vector<Video> short_videos;
};

struct DatasetIndexReport {
  std::string dataset;
  std::string root;
  // The index file; empty if no folder could be written to.
  std::string index;
  std::vector<SplitReport> splits;
};

// Finds both lists and their media, scans new videos and writes the index.  A missing list is part
// of the report; if neither can be used, the result is the first one's error (LoadVideoList).
// Cancelled: a signal came; what was scanned is kept.
absl::StatusOr<DatasetIndexReport> IndexDataset(const DatasetSettings& dataset,
                                                const DatasetIndexOptions& options);

// The end of a command that needed both lists: OK if all lists that the dataset names can
// be used, otherwise an error (exit code 1) that names those that cannot.
absl::Status UsableLists(const DatasetIndexReport& report);

// For people: counts, the first ten videos of each kind, and notes: rows that name one file,
// videos in both lists, folders without read permission.
std::string DatasetReportText(const DatasetIndexReport& report);

// One JSON object per list, one per line: dataset, list, listed, official, usable, frames, classes,
// missing [{name, reason}], broken [{name, path, reason}], unlabelled [{name, reason}], short
// [{name, path, frames}], notes; or dataset, list, error.
std::string DatasetReportJson(const DatasetIndexReport& report);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_DATASET_INDEX_H_
