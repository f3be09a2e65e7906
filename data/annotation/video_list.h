// The videos of a split that really exist: the official list, joined with the files of the
// user's copy and their frame counts.
//
//   OP3D_ASSIGN_OR_RETURN(VideoList list, LoadVideoList(dataset, dataset.evaluation(), root,
//                                                       loader_settings, /*threads=*/2));
//   // list.videos[0] = {"0wR5jVB-WPk_000417_000427", ".../abseiling/0wR5...mp4", label 0, 250}
//
// Copies differ: none is complete; some keep class folders (with spaces or with underscores), some
// have one flat folder, some one more folder around the classes.  So files are found by their names
// anywhere in the media folder, up to three levels below it, and in folders next to it whose
// name starts with "replacement".  If several files have one name, the first readable one is used.
// The report says what is missing and what is broken.
#ifndef OP3D_DATA_ANNOTATION_VIDEO_LIST_H_
#define OP3D_DATA_ANNOTATION_VIDEO_LIST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/datasets/dataset.pb.h"
#include "data/index/index_update.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

class RemoteFiles;

struct Video {
  // The name in the list, without a file ending; in a list of paths the path as written.
  std::string name;
  // A video file, or a folder or LMDB of frames, or a member of a tar, or a URL (data/video/media.h).
  std::string path;
  // Index in VideoList::classes; -1 if the list has no labels.
  int64_t label = -1;
  // The number of frames that decode; at least 1.
  int64_t frames = 0;
  // The index's scan of the file, for OpenIndexed.
  std::string scan = {};
  // Videos of one group were cut from the same video and look alike; empty if unknown.
  // Rows of the list that name one file are in one group.
  std::string group = {};
  // Pictures or flow: DatasetSettings.stream.
  FrameContent content = FrameContent::kPictures;
  // Identifies the file whatever its path: device and inode number (of a member of a tar, a hash of
  // the tar's and its place, of a URL its hash); zeros if unknown.
  std::pair<uint64_t, uint64_t> file = {};
  // For MediaOptions, if the path is a URL; null for other videos.
  std::shared_ptr<const RemoteFiles> remote = nullptr;
};

// A row of the list without a usable video.
struct LeftOutVideo {
  std::string name;
  // Empty: there is no such file.
  std::string path;
  std::string reason;
  // It has no annotation in a list that has annotations; no file was looked for.
  bool unlabelled = false;
};

struct VideoList {
  // The usable ones, in the order of the list.
  std::vector<Video> videos;
  // Names of the labels.
  std::vector<std::string> classes;
  // Rows of the list = videos + missing + broken + unlabelled.
  int64_t listed = 0;
  // The copy has no such file.
  int64_t missing = 0;
  // The file exists, but is not a readable video.
  int64_t broken = 0;
  // Without an annotation in a list that has annotations.
  int64_t unlabelled = 0;
  // The first ten of the missing, then the first ten of the broken: "name: reason".
  std::vector<std::string> examples;
  // All of them; missing and broken ones in the order of the list, then the unlabelled ones.
  std::vector<LeftOutVideo> left_out;
  // Notes for the user, in sentences: rows that name one file, rows without an annotation,
  // folders without read permission, a number of classes that is not the official one.
  std::vector<std::string> notes;
};

// The limits in `loader`.  InvalidArgument for one that is negative or not a number.
absl::StatusOr<VideoLimits> LimitsOf(const LoaderSettings& loader);

// Reads the list and the label map (ReadDatasetList), finds the videos in the media folder and
// looks each up in the index.  Videos that the index does not know are scanned with `threads`
// threads (at least one), under a progress bar, and added to it.  In `index`, this function sets
// root, threads, limits and the frame content; without an index file all videos are scanned.
//
// Missing and broken videos: with on_bad_video SKIP or SUBSTITUTE they are left out and counted,
// otherwise they are an error that names the first of them.  Rows without an annotation in a list
// that has annotations are always left out and counted.
//
// Errors of ReadDatasetList.  InvalidArgument: one file with two labels in a list of paths (names
// both rows; in an official list that is only a note).
// PermissionDenied: the media folder cannot be listed, or a row's URL has a host that
// `dataset.remote` does not allow.  NotFound: no video of the list exists;
// says what was looked for, where, and what to do.  FailedPrecondition: missing and broken videos
// under ERROR.  DataLoss: every file is broken.  Cancelled: a signal came.
absl::StatusOr<VideoList> LoadVideoList(const DatasetSettings& dataset,
                                        const DatasetSettings::Split& split,
                                        const std::string& root, const LoaderSettings& loader,
                                        int threads, IndexOptions index = {});

// For training a network with `dataset.classes` outputs: InvalidArgument if `list` has another
// number of classes, as a miniature or a subset has; says how to set it.
absl::Status CheckClassCount(const VideoList& list, const DatasetSettings& dataset,
                             absl::string_view name);

// Written into a copy's folder by `dataset transcode`, `flow` and `pack`: one line of JSON that says
// how the copy was made.
inline constexpr char kCopyNoteFile[] = "transcode.json";
// That line; empty if `root` has no such file or it is no JSON object.
std::string CopyNote(const std::string& root);

// One line per video, "name<tab>label", in order.
std::string VideoListText(absl::Span<const Video> videos);
// CRC-32 of that text: two runs with equal CRCs used the same videos.
uint32_t VideoListCrc32(absl::Span<const Video> videos);

// A sentence about the videos of `train` that are also in `evaluation`: measuring on them would be
// measuring on training data.  Empty if there are none.
std::string DescribeSharedVideos(absl::Span<const Video> train, absl::Span<const Video> evaluation);

// "abc: 2 of 19906 listed videos used (19904 missing, 0 broken)"; also the number of rows without a
// label, if there are any.
std::string DescribeVideoList(const VideoList& list, absl::string_view name);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_VIDEO_LIST_H_
