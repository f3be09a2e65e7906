// What one scan of each of a dataset's videos found, kept in one file, so that no later start scans
// a video again that has not changed.
//
//   OP3D_ASSIGN_OR_RETURN(VideoIndex index, VideoIndex::Read(file, root));
//   const IndexedVideo* video = index.Find(path, FrameContent::kPictures);
//   if (video != nullptr && video->stamp == stamp) Use(video->frames);
//
// The file: "op3dindx", the format's and FFmpeg's version, a checksum, an IndexContent.  Paths in
// it count from `root`, so a dataset can be moved together with its index.
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
  // Of the file that was scanned.
  FileStamp stamp;
  // Why the video cannot be used, with its path; OK when it can.
  absl::Status status;
  // Of a video that can be used: how many decode, and its scan (DecodeScan).
  int64_t frames = 0;
  std::string scan;
};

// Thread-compatible.
class VideoIndex {
 public:
  // An empty index for videos below `root`.
  explicit VideoIndex(std::string root);

  // The index in `file`; an empty one when there is none, or when it was made by another version
  // of FFmpeg or of this format: then nothing in it can be relied on.  DataLoss: damaged.
  static absl::StatusOr<VideoIndex> Read(const std::string& file, std::string root);
  static absl::StatusOr<VideoIndex> Parse(absl::string_view content, std::string root);

  // Null when the index has no such video.  Valid until the next Insert.
  const IndexedVideo* Find(const std::string& path, FrameContent content) const;
  // Puts it in, in place of an older one.
  void Insert(const std::string& path, FrameContent content, IndexedVideo video);
  // Nothing when it is not there.
  void Erase(const std::string& path, FrameContent content);
  int64_t size() const { return static_cast<int64_t>(videos_.size()); }

  // One video as a record, which Insert takes in again; for a journal.
  std::string EncodeRecord(const std::string& path, FrameContent content,
                           const IndexedVideo& video) const;
  absl::Status InsertRecord(absl::string_view record);

  // The file's bytes; equal entries give equal bytes, whatever their order.
  std::string Serialize() const;

 private:
  // A video's name in the index: its path below the root, and whether its flow is meant.
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
