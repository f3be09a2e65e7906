// Packets in, frames in order of presentation out; one thread, every frame that can be had.
#ifndef DATA_VIDEO_DECODER_H_
#define DATA_VIDEO_DECODER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "data/video/demuxer.h"
#include "data/video/ffmpeg.h"
#include "data/video/video_info.h"

namespace op3d {

class Decoder {
 public:
  // `reorder_depth`: how many frames may have to wait for an earlier one; the decoder raises it by
  // itself when the stream says so, but would drop frames before it has noticed.
  // Unimplemented: this FFmpeg cannot decode the codec.
  static absl::StatusOr<Decoder> Make(const Demuxer& demuxer, int reorder_depth,
                                      const VideoLimits& limits);

  // The next frame of `demuxer`'s packets, valid until the next call; nullptr at the end.  Damaged
  // packets are passed over (FFmpeg's log tells).
  const AVFrame* Next(Demuxer* demuxer);
  // Forgets everything it has seen; after a seek.
  void Flush();

  int64_t packets() const { return packets_; }
  int64_t frames() const { return frames_; }

 private:
  CodecPtr codec_;
  FramePtr frame_;
  bool draining_ = false;
  int64_t packets_ = 0;
  int64_t frames_ = 0;
};

// When the frame is to be presented, in its stream's time base; AV_NOPTS_VALUE when nothing tells.
int64_t PresentationTime(const AVFrame& frame);

}  // namespace op3d

#endif  // DATA_VIDEO_DECODER_H_
