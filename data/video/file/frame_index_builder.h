// Makes the frame index of a file.
//
// It comes from one pass over the packets, without decoding, as long as they tell the truth: one
// picture a packet, each with its own time, starting at a key frame, and times that order the
// pictures as a decoder does.  Where they do not (damage, missing times, times of decoding,
// recordings joined together, interlaced fields) everything is decoded once and the frames are what
// came out.
#ifndef OP3D_DATA_VIDEO_FILE_FRAME_INDEX_BUILDER_H_
#define OP3D_DATA_VIDEO_FILE_FRAME_INDEX_BUILDER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/video/file/demuxer.h"
#include "data/video/reader/frame_index.h"
#include "data/video/reader/video_info.h"

namespace op3d::data {

// Takes all packets out of `demuxer`, which must be freshly open.  DataLoss: no frame decodes.
// ResourceExhausted: more frames or seconds than `limits` allow.  Adds to `warnings` a sentence
// about pictures that change their size, where that shows in headers.
absl::StatusOr<FrameIndex> MakeFrameIndex(Demuxer* demuxer, const VideoLimits& limits,
                                          std::vector<std::string>* warnings);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_FRAME_INDEX_BUILDER_H_
