#include "data/video/file/decoder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/video/file/nvdec.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// How often the codec may halve the pictures so that their short side keeps `least` pixels.
int Reduction(const AVCodec& codec, const AVCodecParameters& parameters, int least) {
  if (least <= 0) return 0;
  int times = 0;
  while (times < codec.max_lowres &&
         (std::min(parameters.width, parameters.height) >> (times + 1)) >= least) {
    ++times;
  }
  return times;
}

}  // namespace

absl::StatusOr<Decoder> Decoder::Make(const Demuxer& demuxer, int reorder_depth,
                                      const VideoLimits& limits, const Decoding& decoding) {
  const AVCodecParameters& parameters = demuxer.parameters();
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  if (codec == nullptr) {
    return absl::UnimplementedError(absl::StrCat(demuxer.path(),
                                                 ": this FFmpeg has no decoder for ",
                                                 avcodec_get_name(parameters.codec_id)));
  }
  Decoder decoder;
  decoder.codec_.reset(avcodec_alloc_context3(codec));
  decoder.frame_.reset(av_frame_alloc());
  AVCodecContext* context = decoder.codec_.get();
  OP3D_RETURN_IF_ERROR(
      FfmpegStatus(avcodec_parameters_to_context(context, &parameters), demuxer.path()));
  context->pkt_timebase = demuxer.stream().time_base;
  // Two threads are slower than one at these sizes, and videos are decoded in parallel anyway.
  context->thread_count = 1;
  context->has_b_frames =
      std::clamp(std::max(context->has_b_frames, reorder_depth), 0, kLargestReorderDepth);
  context->max_pixels = CodedPixelsLimit(limits);
  decoder.width_ = parameters.width;
  decoder.height_ = parameters.height;
  if (decoding.fast) {
    context->skip_loop_filter = AVDISCARD_ALL;
    context->lowres = Reduction(*codec, parameters, decoding.least_short_side);
    decoder.width_ = AV_CEIL_RSHIFT(parameters.width, context->lowres);
    decoder.height_ = AV_CEIL_RSHIFT(parameters.height, context->lowres);
  }
  if (decoding.nvdec != nullptr && decoding.nvdec->Use(*codec, context)) {
    decoder.raw_.reset(av_frame_alloc());
    decoder.host_.reset(av_frame_alloc());
  }
  decoder.can_skip_ =
      parameters.codec_id == AV_CODEC_ID_H264 || parameters.codec_id == AV_CODEC_ID_MPEG4;
  OP3D_RETURN_IF_ERROR(FfmpegStatus(avcodec_open2(context, codec, nullptr),
                                    absl::StrCat(demuxer.path(), ": cannot decode")));
  return decoder;
}

const AVFrame* Decoder::Next(Demuxer* demuxer) {
  // The failures of one call are limited, so that no damage can make this loop for ever.
  int failures = 0;
  for (;;) {
    av_frame_unref(frame_.get());
    const int received = avcodec_receive_frame(codec_.get(), frame_.get());
    if (received == 0) {
      ++frames_;
      return frame_.get();
    }
    if (received == AVERROR_EOF) return nullptr;
    if (received != AVERROR(EAGAIN) && ++failures <= 64) continue;
    if (draining_) return nullptr;
    const AVPacket* packet = demuxer->Next();
    draining_ = packet == nullptr;
    if (packet != nullptr) {
      ++packets_;
      const bool skip = can_skip_ && skip_before_ != AV_NOPTS_VALUE &&
                        packet->pts != AV_NOPTS_VALUE && packet->pts < skip_before_;
      codec_->skip_frame = skip ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
    }
    // An error means a damaged packet: the frame is lost, the next ones may be fine.
    avcodec_send_packet(codec_.get(), packet);
  }
}

absl::StatusOr<const AVFrame*> Decoder::OnHost(const AVFrame& frame) {
  if (!IsOnGpu(frame)) return &frame;
  OP3D_RETURN_IF_ERROR(CopyToHost(frame, raw_.get(), host_.get()));
  return host_.get();
}

void Decoder::Flush() {
  avcodec_flush_buffers(codec_.get());
  draining_ = false;
}

int64_t PresentationTime(const AVFrame& frame) {
  return frame.pts != AV_NOPTS_VALUE ? frame.pts : frame.best_effort_timestamp;
}

}  // namespace op3d::data
