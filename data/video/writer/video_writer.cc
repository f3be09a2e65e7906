#include "data/video/writer/video_writer.h"

#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "data/video/writer/encoder_settings.h"
#include "data/video/writer/packed_b_frames.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

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
    OP3D_RETURN_IF_ERROR(WriteHeld());
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
    const bool global_header = (muxer_->oformat->flags & AVFMT_GLOBALHEADER) != 0;
    OP3D_ASSIGN_OR_RETURN(encoder_, OpenEncoder(options_, global_header));
    if (options_.packed_b_frames) packer_.emplace(options_.frame_rate);
    return absl::OkStatus();
  }

  // x264 writes its version and settings into a comment (SEI); without it equal pictures give
  // equal files as long as the encoder makes the same decisions.
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
    // 0 = the container's own.
    const std::string& fourcc = options_.fourcc;
    stream->codecpar->codec_tag =
        fourcc.empty() ? 0 : MKTAG(fourcc[0], fourcc[1], fourcc[2], fourcc[3]);
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
    held_.reset(av_packet_alloc());
    AVDictionary* muxer_options = nullptr;
    if (options_.live) av_dict_set(&muxer_options, "live", "1", 0);
    const int started = avformat_write_header(muxer_.get(), &muxer_options);
    av_dict_free(&muxer_options);
    return FfmpegStatus(started, absl::StrCat("cannot start a ", options_.container, " video"));
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
    // BT.601, limited unless asked otherwise: what readers assume of an untagged file.
    const int* matrix = sws_getCoefficients(SWS_CS_ITU601);
    sws_setColorspaceDetails(scaler_.get(), matrix, 1, matrix, options_.full_range, 0, 1 << 16,
                             1 << 16);
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

  // Filters `packet`; nullptr = the end.
  absl::Status Filter(AVPacket* packet) {
    OP3D_RETURN_IF_ERROR(
        FfmpegStatus(av_bsf_send_packet(filter_.get(), packet), "cannot filter a packet"));
    for (;;) {
      const int code = av_bsf_receive_packet(filter_.get(), packet_.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return absl::OkStatus();
      OP3D_RETURN_IF_ERROR(FfmpegStatus(code, "cannot filter a packet"));
      av_packet_rescale_ts(packet_.get(), encoder_->time_base, muxer_->streams[0]->time_base);
      packet_->stream_index = 0;
      if (options_.decoding_times) {
        if (!first_decoding_time_.has_value()) first_decoding_time_ = packet_->dts;
        packet_->pts = packet_->dts -= *first_decoding_time_;
      }
      OP3D_RETURN_IF_ERROR(Write());
    }
  }

  // Writes the content of `packet_`; packed B-frames change packets' contents, not their positions.
  absl::Status Write() {
    if (packer_.has_value()) {
      const std::string stored = packer_->Add(
          {reinterpret_cast<const char*>(packet_->data), static_cast<size_t>(packet_->size)});
      std::swap(held_, packet_);
      if (stored.empty()) return absl::OkStatus();
      OP3D_RETURN_IF_ERROR(Replace(stored));
    }
    return FfmpegStatus(av_interleaved_write_frame(muxer_.get(), packet_.get()),
                        "cannot write a packet");
  }

  absl::Status WriteHeld() {
    if (!packer_.has_value()) return absl::OkStatus();
    std::swap(held_, packet_);
    OP3D_RETURN_IF_ERROR(Replace(packer_->Finish()));
    return FfmpegStatus(av_interleaved_write_frame(muxer_.get(), packet_.get()),
                        "cannot write a packet");
  }

  // Replaces the bytes of `packet_`, but not its times.
  absl::Status Replace(const std::string& bytes) {
    PacketPtr replaced(av_packet_alloc());
    const int size = static_cast<int>(bytes.size());
    OP3D_RETURN_IF_ERROR(FfmpegStatus(av_new_packet(replaced.get(), size), "a packet"));
    std::memcpy(replaced->data, bytes.data(), bytes.size());
    av_packet_copy_props(replaced.get(), packet_.get());
    packet_ = std::move(replaced);
    return absl::OkStatus();
  }

  const VideoWriterOptions options_;
  MemoryFile file_;
  OutputPtr muxer_;
  CodecPtr encoder_;
  BitstreamFilterPtr filter_;
  ScalerPtr scaler_;
  FramePtr frame_;
  PacketPtr packet_;
  // For packed B-frames: the previous packet, whose content the packer holds.
  std::optional<BFramePacker> packer_;
  PacketPtr held_;
  std::optional<int64_t> first_decoding_time_;
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

}  // namespace op3d::data
