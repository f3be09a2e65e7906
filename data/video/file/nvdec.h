// Decoding on a GPU by NVDEC, through libavcodec's own hwaccel: the same parser, frame order and
// times as on the CPU, so frames have the same numbers.  The pixels come from the driver.
//
//   OP3D_ASSIGN_OR_RETURN(const std::shared_ptr<const Nvdec> nvdec, Nvdec::Open(/*gpu=*/0));
//   const bool on_gpu = nvdec->Use(codec, context);
//
// As Decoding.nvdec, OpenMedia (media.h) takes it.  Only the frames that are asked for are copied
// to the host.
#ifndef OP3D_DATA_VIDEO_FILE_NVDEC_H_
#define OP3D_DATA_VIDEO_FILE_NVDEC_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// FFmpeg's; callers of Open alone need none of it.
struct AVBufferRef;
struct AVCodec;
struct AVCodecContext;
struct AVFrame;

namespace op3d::data {

// A GPU that decodes.  Thread-safe; any number of decoders may use it at the same time, in a CUDA
// context of its own (some hundred MB of the GPU's memory).
class Nvdec {
 public:
  // `gpu`: its number among those that CUDA_VISIBLE_DEVICES leaves.  FailedPrecondition: this
  // FFmpeg has no NVDEC, or this machine no driver for it or no such GPU; the message says which.
  static absl::StatusOr<std::shared_ptr<const Nvdec>> Open(int gpu);
  ~Nvdec();
  Nvdec(const Nvdec&) = delete;
  Nvdec& operator=(const Nvdec&) = delete;

  // Before avcodec_open2: from then on frames are AV_PIX_FMT_CUDA if the GPU can decode the stream.
  // False, and nothing is changed, for a codec that stays on the CPU: all but H.264, HEVC, VP8, VP9
  // and MPEG-2, and those for which FFmpeg has no hwaccel.  Frames with other pixels than 8 bits of
  // 4:2:0, and streams that the driver refuses, are decoded on the CPU too.
  bool Use(const AVCodec& codec, AVCodecContext* context) const;

 private:
  explicit Nvdec(AVBufferRef* device) : device_(device) {}

  AVBufferRef* device_;
};

// Whether the frame's pixels are in a GPU's memory.
bool IsOnGpu(const AVFrame& frame);

// Copies such a frame to the host, as planar 4:2:0 with its time and colours.  `copy` is reused
// from frame to frame of a stream; `raw` is for the driver's own form of it.
absl::Status CopyToHost(const AVFrame& frame, AVFrame* raw, AVFrame* copy);

// Makes three planes of a frame in NV12 (U and V alternating), without what its crop_left and
// crop_top leave out; width and height count from there.  Unimplemented: another pixel format.
absl::Status SeparateChroma(const AVFrame& nv12, AVFrame* planar);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_NVDEC_H_
