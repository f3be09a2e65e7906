// Brings a dataset's index up to date: scans only new and changed videos.
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
  // The index file; empty: none, everything is scanned.
  std::string file;
  // The file is read, but never written.
  bool read_only = false;
  // The dataset's folder; the paths in the index are relative to it.
  std::string root;
  // Videos scanned at the same time.
  int threads = 1;
  MediaOptions media;
  // Scan unchanged videos too.
  bool rescan = false;
};

struct IndexReport {
  // Videos scanned now, and those already known.
  int64_t scanned = 0;
  int64_t known = 0;
};

// The entry of each of `paths`, in their order; a video that cannot be used has the status
// of its ScanMedia.  Shows a progress bar if anything is scanned.
//
// The file is written at the end, atomically.  A process that is killed earlier leaves a journal
// next to it, from which the next one resumes: the final bytes are the same.  A damaged index is
// rebuilt; if the index cannot be written, it is not used; both print a line on
// stderr.  Errors of the machine (no permission, no memory, a limit) are not stored: those videos
// are tried again the next time.
//
// Cancelled: a signal came; what was scanned is kept.  `report` may be null.
absl::StatusOr<std::vector<IndexedVideo>> IndexVideos(absl::Span<const std::string> paths,
                                                      const IndexOptions& options,
                                                      IndexReport* report);

// `root`/NAME.op3d_index if that folder can be written to; otherwise, by the folder's name and
// path, in op3d/ of the user's cache ($XDG_CACHE_HOME, ~/.cache); empty if there is no cache.
std::string DefaultIndexFile(const std::string& root, absl::string_view name);

// OpenMedia without scanning again: `scan` is the IndexedVideo's; if it is empty, the same as
// OpenMedia.  Errors of OpenMedia and of DecodeScan.
absl::StatusOr<std::unique_ptr<VideoReader>> OpenIndexed(const std::string& path,
                                                         absl::string_view scan,
                                                         const MediaOptions& options);

}  // namespace op3d::data

#endif  // OP3D_DATA_INDEX_INDEX_UPDATE_H_
