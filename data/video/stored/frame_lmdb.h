// A video as an LMDB database of JPEG frames: keys `000001.jpg`, `000002.jpg`, ..., or any naming
// of `frame_names.h`; flow is in the same database as the pictures.
#ifndef OP3D_DATA_VIDEO_STORED_FRAME_LMDB_H_
#define OP3D_DATA_VIDEO_STORED_FRAME_LMDB_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/video/reader/video_info.h"
#include "data/video/stored/stored_frames.h"

namespace op3d::data {

// Whether `path` is a database: a folder that contains data.mdb, or such a file itself.
bool IsLmdb(const std::string& path);

// Opens the database for reading, without a lock: no lock file is written, and nobody may
// write to the database at that time.  Any number of readers may be open, in any threads.
//
// NotFound: no database, or no frames of this content in it.  DataLoss: truncated or damaged.
// Errors of FrameNames::Finish.
absl::StatusOr<std::unique_ptr<StoredFrames>> OpenFrameLmdb(const std::string& path,
                                                            FrameContent content,
                                                            const VideoLimits& limits);

// A key and its value.
struct LmdbPicture {
  std::string key;
  std::string jpeg;
};

// Makes the database `path`, a new folder that contains data.mdb, from all the pictures: the same
// bytes every time.  Not atomic: write it next to its final place and rename the folder.
// ResourceExhausted on a full disk.
absl::Status WriteFrameLmdb(const std::string& path, absl::Span<const LmdbPicture> pictures);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_STORED_FRAME_LMDB_H_
