// The entry point to a video's frames, however they are stored:
//
//   | stored as        | `path` is                                                   |
//   |------------------|-------------------------------------------------------------|
//   | a video file     | the file                                                    |
//   | JPEG frames      | a folder of 00001.jpg, 00002.jpg, ... (see frame_names.h)   |
//   | an LMDB of them  | the database's folder (with data.mdb) or its file           |
//   | decoded pictures | a file NAME.packed (see packed_video.h)                     |
//   | either, in a tar | the tar, then the member as in a folder: shard.tar/run/a.mp4 |
//   | a file elsewhere | a URL of http, https or s3, if MediaOptions.remote is set   |
//
//   OP3D_ASSIGN_OR_RETURN(VideoScan scan, ScanMedia(path));              // once, kept in an index
//   OP3D_ASSIGN_OR_RETURN(auto reader, OpenMedia(path, scan));           // needs no other pass
//   OP3D_RETURN_IF_ERROR(reader->Read({0, 8, 16}, sink));
//
// The same frames stored in any of these ways are the same images (except for JPEG's loss).
#ifndef OP3D_DATA_VIDEO_MEDIA_H_
#define OP3D_DATA_VIDEO_MEDIA_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/video/reader/video_info.h"
#include "data/video/reader/video_reader.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

class RemoteFiles;

struct MediaOptions {
  VideoLimits limits = {};
  // kFlow: the x and y pictures of optical flow, which only stored frames have.  An image's red is
  // x, its green y, its blue 0.
  FrameContent content = FrameContent::kPictures;
  // Reads paths that are URLs (data/video/remote/remote_files.h); null: they are refused.
  std::shared_ptr<const RemoteFiles> remote = nullptr;
  // Of video files; a scan does not depend on it.
  Decoding decoding = {};
};

// What one pass over the video finds.  Takes about a millisecond; video files whose packets are not
// enough (damage, missing times) are decoded once.
//
// NotFound: nothing there, or a folder without frames.  InvalidArgument: not a video, or flow
// requested from a video file, or a tar or member that cannot be read in place (TarShard).
// DataLoss: a video in which no frame decodes, stored frames with gaps, or a tar that is cut off
// before the video's end.  The errors of RemoteFiles::Fetch.  ResourceExhausted: beyond the limits.  Messages name the path.
absl::StatusOr<VideoScan> ScanMedia(const std::string& path, const MediaOptions& options = {});

// Opens the video of which ScanMedia made `scan`, with the same options, without another pass.
// Errors of ScanMedia; DataLoss if the number of stored frames has changed.
absl::StatusOr<std::unique_ptr<VideoReader>> OpenMedia(const std::string& path, VideoScan scan,
                                                       const MediaOptions& options = {});

// ScanMedia and OpenMedia in one.
absl::StatusOr<std::unique_ptr<VideoReader>> OpenMedia(const std::string& path,
                                                       const MediaOptions& options = {});

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_MEDIA_H_
