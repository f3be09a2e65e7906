#include "data/video/video_writer.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/video/ffmpeg.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

// With AVX-512, x264 reads past the ends of short rows: equal pictures of 64x48 gave different
// bytes.  SSE2, which every x86-64 has, gives the bytes of x264's plain C code, and is as fast
// here.
#if defined(__x86_64__)
constexpr char kX264Arithmetic[] = "asm=sse2";
#else
constexpr char kX264Arithmetic[] = "no-asm=1";
#endif

absl::Status CheckOptions(const VideoWriterOptions& options) {
  const int width = options.width;
  const int height = options.height;
  if (width < 16 || height < 16 || width % 2 != 0 || height % 2 != 0 || width > 8192 ||
      height > 8192) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot encode frames of ", width, "x", height,
                     ": width and height must be even and between 16 and 8192"));
  }
  if (options.frame_rate < 1 || options.frame_rate > 1000) {
    return absl::InvalidArgumentError(
        absl::StrCat("a frame rate of ", options.frame_rate, " is not between 1 and 1000"));
  }
  if (options.crf < 0 || options.crf > 51) {
    return absl::InvalidArgumentError(absl::StrCat("crf ", options.crf, " is not in [0, 51]"));
  }
  return absl::OkStatus();
}

class MemoryVideoWriter : public VideoWriter {
 public:
  explicit MemoryVideoWriter(const VideoWriterOptions& options) : options_(options) {}

  absl::Status Start() {
    FfmpegLog log;
    OP3D_RETURN_IF_ERROR(StartMuxer());
    OP3D_RETURN_IF_ERROR(StartEncoder());
    OP3D_RETURN_IF_ERROR(StartFilter());
    OP3D_RETURN_IF_ERROR(StartStream());
    return StartConversion();
  }

  absl::Status Add(const RgbImage& image, int64_t skipped) override {
    FfmpegLog log;
    if (finished_) return absl::FailedPreconditionError("the video is finished already");
    const size_t bytes = static_cast<size_t>(options_.width) * options_.height * 3;
    if (image.width != options_.width || image.height != options_.height ||
        image.pixels.size() != bytes || skipped < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "frame ", frames_, " is ", image.width, "x", image.height, " (", image.pixels.size(),
          " bytes, ", skipped, " skipped); the video is ", options_.width, "x", options_.height));
    }
    OP3D_RETURN_IF_ERROR(FfmpegStatus(av_frame_make_writable(frame_.get()), "a frame"));
    const uint8_t* rows[] = {image.pixels.data()};
    const int stride[] = {options_.width * 3};
    sws_scale(scaler_.get(), rows, stride, 0, options_.height, frame_->data, frame_->linesize);
    time_ += skipped;
    frame_->pts = time_++;
    ++frames_;
    return Encode(frame_.get());
  }

  absl::StatusOr<std::string> Finish() override {
    FfmpegLog log;
    if (finished_ || frames_ == 0) {
      return absl::FailedPreconditionError(finished_ ? "the video is finished already"
                                                     : "a video needs at least one frame");
    }
    finished_ = true;
    OP3D_RETURN_IF_ERROR(Encode(nullptr));
    OP3D_RETURN_IF_ERROR(Filter(nullptr));
    OP3D_RETURN_IF_ERROR(FfmpegStatus(av_write_trailer(muxer_.get()), "cannot end the video"));
    avio_flush(file_.stream());
    return std::move(file_.bytes());
  }

 private:
  absl::Status StartMuxer() {
    AVFormatContext* muxer = nullptr;
    const int made =
        avformat_alloc_output_context2(&muxer, nullptr, options_.container.c_str(), nullptr);
    if (made < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("FFmpeg writes no container \"", options_.container, "\""));
    }
    muxer_.reset(muxer);
    muxer->flags |= AVFMT_FLAG_BITEXACT;  // no date, no version
    muxer->pb = file_.stream();
    return absl::OkStatus();
  }

  absl::Status StartEncoder() {
    const AVCodec* codec = avcodec_find_encoder_by_name(options_.encoder.c_str());
    if (codec == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("FFmpeg has no encoder \"", options_.encoder, "\""));
    }
    encoder_.reset(avcodec_alloc_context3(codec));
    encoder_->width = options_.width;
    encoder_->height = options_.height;
    encoder_->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder_->time_base = {1, options_.frame_rate};
    encoder_->framerate = {options_.frame_rate, 1};
    encoder_->thread_count = 1;
    encoder_->flags |= AV_CODEC_FLAG_BITEXACT;
    if ((muxer_->oformat->flags & AVFMT_GLOBALHEADER) != 0) {
      encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    }
    if (options_.key_frame_distance > 0) {
      encoder_->gop_size = options_.key_frame_distance;
      av_opt_set_int(encoder_.get(), "sc_threshold", 0, AV_OPT_SEARCH_CHILDREN);
    }
    if (options_.b_frames >= 0) encoder_->max_b_frames = options_.b_frames;
    if (options_.encoder == "libx264") {
      av_opt_set(encoder_->priv_data, "preset", options_.preset.c_str(), 0);
      av_opt_set_double(encoder_->priv_data, "crf", options_.crf, 0);
      av_opt_set(encoder_->priv_data, "x264-params", kX264Arithmetic, 0);
    } else {
      encoder_->flags |= AV_CODEC_FLAG_QSCALE;
      encoder_->global_quality = 3 * FF_QP2LAMBDA;
    }
    return FfmpegStatus(avcodec_open2(encoder_.get(), codec, nullptr),
                        absl::StrCat("cannot start the encoder ", options_.encoder));
  }

  // x264 writes its version and settings into a comment (SEI); without it equal pictures give
  // equal files for as long as the encoder decides alike.
  absl::Status StartFilter() {
    const bool has_comment = encoder_->codec_id == AV_CODEC_ID_H264;
    AVBSFContext* filter = nullptr;
    OP3D_RETURN_IF_ERROR(FfmpegStatus(
        av_bsf_alloc(av_bsf_get_by_name(has_comment ? "filter_units" : "null"), &filter),
        "FFmpeg's packet filter"));
    filter_.reset(filter);
    if (has_comment) av_opt_set(filter->priv_data, "remove_types", "6", 0);
    filter->time_base_in = encoder_->time_base;
    avcodec_parameters_from_context(filter->par_in, encoder_.get());
    return FfmpegStatus(av_bsf_init(filter), "FFmpeg's packet filter");
  }

  absl::Status StartStream() {
    AVStream* stream = avformat_new_stream(muxer_.get(), nullptr);
    OP3D_RETURN_IF_ERROR(FfmpegStatus(avcodec_parameters_copy(stream->codecpar, filter_->par_out),
                                      "a video stream"));
    stream->codecpar->codec_tag = 0;  // the container's own
    stream->time_base = encoder_->time_base;
    stream->avg_frame_rate = encoder_->framerate;
    if (options_.rotation != 0) {
      constexpr size_t kBytes = 9 * sizeof(int32_t);
      auto* matrix = static_cast<int32_t*>(av_malloc(kBytes));
      av_display_rotation_set(matrix, options_.rotation);
      av_stream_add_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, reinterpret_cast<uint8_t*>(matrix),
                              kBytes);
    }
    time_ = options_.first_frame_time;
    packet_.reset(av_packet_alloc());
    return FfmpegStatus(avformat_write_header(muxer_.get(), nullptr),
                        absl::StrCat("cannot start a ", options_.container, " video"));
  }

  absl::Status StartConversion() {
    frame_.reset(av_frame_alloc());
    frame_->format = encoder_->pix_fmt;
    frame_->width = options_.width;
    frame_->height = options_.height;
    OP3D_RETURN_IF_ERROR(FfmpegStatus(av_frame_get_buffer(frame_.get(), 64), "a frame"));
    scaler_.reset(sws_getContext(
        options_.width, options_.height, AV_PIX_FMT_RGB24, options_.width, options_.height,
        encoder_->pix_fmt, SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_BITEXACT,
        nullptr, nullptr, nullptr));
    if (scaler_ == nullptr) return absl::InternalError("swscale cannot convert RGB");
    // BT.601 limited, untagged: what readers assume of an untagged file.
    const int* matrix = sws_getCoefficients(SWS_CS_ITU601);
    sws_setColorspaceDetails(scaler_.get(), matrix, 1, matrix, 0, 0, 1 << 16, 1 << 16);
    return absl::OkStatus();
  }

  absl::Status Encode(const AVFrame* frame) {
    OP3D_RETURN_IF_ERROR(
        FfmpegStatus(avcodec_send_frame(encoder_.get(), frame), "cannot encode a frame"));
    for (;;) {
      const int code = avcodec_receive_packet(encoder_.get(), packet_.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return absl::OkStatus();
      OP3D_RETURN_IF_ERROR(FfmpegStatus(code, "cannot encode a frame"));
      if (packet_->duration == 0) packet_->duration = 1;
      OP3D_RETURN_IF_ERROR(Filter(packet_.get()));
    }
  }

  // Takes what is in `packet`; nullptr = the end.
  absl::Status Filter(AVPacket* packet) {
    OP3D_RETURN_IF_ERROR(
        FfmpegStatus(av_bsf_send_packet(filter_.get(), packet), "cannot filter a packet"));
    for (;;) {
      const int code = av_bsf_receive_packet(filter_.get(), packet_.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return absl::OkStatus();
      OP3D_RETURN_IF_ERROR(FfmpegStatus(code, "cannot filter a packet"));
      av_packet_rescale_ts(packet_.get(), encoder_->time_base, muxer_->streams[0]->time_base);
      packet_->stream_index = 0;
      OP3D_RETURN_IF_ERROR(FfmpegStatus(av_interleaved_write_frame(muxer_.get(), packet_.get()),
                                        "cannot write a packet"));
    }
  }

  const VideoWriterOptions options_;
  MemoryFile file_;
  OutputPtr muxer_;
  CodecPtr encoder_;
  BitstreamFilterPtr filter_;
  ScalerPtr scaler_;
  FramePtr frame_;
  PacketPtr packet_;
  int64_t time_ = 0;
  int64_t frames_ = 0;
  bool finished_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VideoWriter>> VideoWriter::Make(const VideoWriterOptions& options) {
  OP3D_RETURN_IF_ERROR(CheckOptions(options));
  auto writer = absl::make_unique<MemoryVideoWriter>(options);
  OP3D_RETURN_IF_ERROR(writer->Start());
  return writer;
}

}  // namespace op3d
