// What one scan of each video of a dataset found, kept in one file, so that unchanged videos are
// never scanned again.
//
//   OP3D_ASSIGN_OR_RETURN(VideoIndex index, VideoIndex::Read(file, root));
//   const IndexedVideo* video = index.Find(path, FrameContent::kPictures);
//   if (video != nullptr && video->stamp == stamp) Use(video->frames);
//
// The file: "op3dindx", the versions of the format and of FFmpeg, a checksum, an IndexContent.
// Paths in it are relative to `root`, so a dataset can be moved together with its index.
#ifndef OP3D_DATA_INDEX_VIDEO_INDEX_H_
#define OP3D_DATA_INDEX_VIDEO_INDEX_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/index/file_stamp.h"
#include "data/index/index.pb.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

struct IndexedVideo {
  // The stamp of the file that was scanned.
  FileStamp stamp;
  // Why the video cannot be used, with its path; OK if it can.
  absl::Status status;
  // If it can be used: the number of frames that decode, and its scan (DecodeScan).
  int64_t frames = 0;
  std::string scan;
};

// Thread-compatible.
class VideoIndex {
 public:
  // An empty index for videos below `root`.
  explicit VideoIndex(std::string root);

  // The index in `file`; an empty one if there is no file, or if another version of FFmpeg or of
  // this format made it, because then its content cannot be trusted.  DataLoss: damaged.
  static absl::StatusOr<VideoIndex> Read(const std::string& file, std::string root);
  static absl::StatusOr<VideoIndex> Parse(absl::string_view content, std::string root);

  // Null if the index has no such video.  Valid until the next Insert.
  const IndexedVideo* Find(const std::string& path, FrameContent content) const;
  // Adds the video, or replaces its older entry.
  void Insert(const std::string& path, FrameContent content, IndexedVideo video);
  // Does nothing if it is not there.
  void Erase(const std::string& path, FrameContent content);
  int64_t size() const { return static_cast<int64_t>(videos_.size()); }

  // One video as a record for a journal; InsertRecord reads it.
  std::string EncodeRecord(const std::string& path, FrameContent content,
                           const IndexedVideo& video) const;
  absl::Status InsertRecord(absl::string_view record);

  // The file's bytes; equal entries give equal bytes, whatever their order.
  std::string Serialize() const;

 private:
  // A video's key in the index: its path below the root, and whether it is flow.
  using Key = std::pair<std::string, bool>;
  Key KeyOf(const std::string& path, FrameContent content) const;
  std::string FullPath(const std::string& path) const;
  void InsertMessage(IndexRecord* record);
  void FillRecord(const Key& key, const IndexedVideo& video, IndexRecord* record) const;

  // Ends in '/', or empty.
  std::string root_;
  absl::flat_hash_map<Key, IndexedVideo> videos_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_INDEX_VIDEO_INDEX_H_
