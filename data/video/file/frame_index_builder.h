// Makes the frame index of a file.
//
// It needs only one pass over the packets, without decoding, if they are consistent: one
// picture per packet, each with its own time, starting at a key frame, and times in the order in
// which a decoder outputs the pictures.  Otherwise (damage, missing times, decoding times,
// concatenated recordings, interlaced fields) everything is decoded once, and the frames are those
// that the decoder returned.
#ifndef OP3D_DATA_VIDEO_FILE_FRAME_INDEX_BUILDER_H_
#define OP3D_DATA_VIDEO_FILE_FRAME_INDEX_BUILDER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/video/file/demuxer.h"
#include "data/video/reader/frame_index.h"
#include "data/video/reader/video_info.h"

namespace op3d::data {

// Reads all packets of `demuxer`, which must be newly opened.  DataLoss: no frame decodes.
// ResourceExhausted: more frames or seconds than `limits` allow.  Adds a warning to `warnings`
// about pictures that change their size, if headers show it.
absl::StatusOr<FrameIndex> MakeFrameIndex(Demuxer* demuxer, const VideoLimits& limits,
                                          std::vector<std::string>* warnings);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_FRAME_INDEX_BUILDER_H_
