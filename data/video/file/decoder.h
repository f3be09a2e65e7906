// Packets in, frames in order of presentation out; one thread, every frame that can be decoded.
#ifndef OP3D_DATA_VIDEO_FILE_DECODER_H_
#define OP3D_DATA_VIDEO_FILE_DECODER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "data/video/file/demuxer.h"
#include "data/video/reader/video_info.h"

namespace op3d::data {

class Decoder {
 public:
  // `reorder_depth`: how many frames may have to wait for one that is presented earlier; the
  // decoder raises it by itself when the stream says so, but would drop the frames before that.
  // Larger values than kLargestReorderDepth are reduced to it.
  // Unimplemented: this FFmpeg cannot decode the codec.
  static absl::StatusOr<Decoder> Make(const Demuxer& demuxer, int reorder_depth,
                                      const VideoLimits& limits, const Decoding& decoding = {});

  // The next frame of `demuxer`'s packets, valid until the next call; nullptr at the end.  Damaged
  // packets are skipped (FFmpeg's log names them).  With Decoding.nvdec its pixels may be on the
  // GPU.
  const AVFrame* Next(Demuxer* demuxer);
  // The frame that Next returned, with its pixels in this machine's memory; valid until the next
  // call of either.  Errors of the copy from the GPU.
  absl::StatusOr<const AVFrame*> OnHost(const AVFrame& frame);
  // Forgets all earlier packets; call it after a seek.
  void Flush();

  // From now on frames that are presented before `time`, in the stream's time base, are not needed:
  // those that no other frame refers to are left out if that saves their decoding (H.264 and
  // MPEG-4).  AV_NOPTS_VALUE: all frames are returned.
  void SkipBefore(int64_t time) { skip_before_ = time; }

  // The size of its frames in pixels; with Decoding.fast perhaps a part of the stream's.
  int width() const { return width_; }
  int height() const { return height_; }

  int64_t packets() const { return packets_; }
  int64_t frames() const { return frames_; }

 private:
  CodecPtr codec_;
  FramePtr frame_;
  // Of a frame from the GPU: as the driver stores it, and its three planes.
  FramePtr raw_;
  FramePtr host_;
  bool draining_ = false;
  // Whether skipping a frame leaves all other frames unchanged.
  bool can_skip_ = false;
  int64_t skip_before_ = AV_NOPTS_VALUE;
  int width_ = 0;
  int height_ = 0;
  int64_t packets_ = 0;
  int64_t frames_ = 0;
};

// The presentation time of the frame, in its stream's time base; AV_NOPTS_VALUE if unknown.
int64_t PresentationTime(const AVFrame& frame);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_DECODER_H_
