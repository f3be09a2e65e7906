// Brings a dataset's index up to date: scans what is new or has changed, and nothing else.
//
//   IndexOptions options;
//   options.root = root;
//   options.file = DefaultIndexFile(root, "kinetics400");
//   IndexReport report;
//   OP3D_ASSIGN_OR_RETURN(std::vector<IndexedVideo> videos, IndexVideos(paths, options, &report));
//   // videos[i] is that of paths[i]; report.scanned == 0 the second time
#ifndef OP3D_DATA_INDEX_INDEX_UPDATE_H_
#define OP3D_DATA_INDEX_INDEX_UPDATE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/index/video_index.h"
#include "data/video/media.h"

namespace op3d::data {

struct IndexOptions {
  // Where the index is kept; empty: nowhere, everything is scanned.
  std::string file;
  // The file is read, but never written.
  bool read_only = false;
  // The dataset's folder, from which the index's paths count.
  std::string root;
  // Videos scanned at the same time.
  int threads = 1;
  MediaOptions media;
  // Scan also what has not changed.
  bool rescan = false;
};

struct IndexReport {
  // Videos scanned now, and those known from before.
  int64_t scanned = 0;
  int64_t known = 0;
};

// What is known of each of `paths`, in their order; a video that cannot be used has the status
// that ScanMedia gave.  Under a progress bar when anything is scanned.
//
// The file is written at the end, whole or not at all; a process that is killed before has left a
// journal beside it, and the next one goes on from there: the final bytes are the same.  An index
// that is damaged is rebuilt, one that cannot be written is done without, both with a line on
// stderr.  Errors of the machine (no permission, no memory, a limit) are not kept: those videos
// are tried again the next time.
//
// Cancelled: a signal came; what was scanned is kept.  `report` may be null.
absl::StatusOr<std::vector<IndexedVideo>> IndexVideos(absl::Span<const std::string> paths,
                                                      const IndexOptions& options,
                                                      IndexReport* report);

// `root`/NAME.op3d_index when that folder can be written to; else, by the folder's name and path,
// in op3d/ of the user's cache ($XDG_CACHE_HOME, ~/.cache); empty when there is none either.
std::string DefaultIndexFile(const std::string& root, absl::string_view name);

// OpenMedia without another pass: `scan` is the IndexedVideo's; when it is empty, as OpenMedia.
// Errors of OpenMedia and of DecodeScan.
absl::StatusOr<std::unique_ptr<VideoReader>> OpenIndexed(const std::string& path,
                                                         absl::string_view scan,
                                                         const MediaOptions& options);

}  // namespace op3d::data

#endif  // OP3D_DATA_INDEX_INDEX_UPDATE_H_
