#include "data/video/writer/encoder_settings.h"

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// With AVX-512, x264 reads past the ends of short rows: equal pictures of 64x48 gave different
// bytes.  SSE2, which every x86-64 has, gives the bytes of x264's plain C code, and is as fast
// here.
#if defined(__x86_64__)
constexpr char kX264Arithmetic[] = "asm=sse2";
#else
constexpr char kX264Arithmetic[] = "no-asm=1";
#endif

void SetString(AVCodecContext* encoder, const char* name, const char* value) {
  av_opt_set(encoder->priv_data, name, value, 0);
}

// Each encoder's own options for "this quality, one thread, no text about itself".
void SetPrivateOptions(const VideoWriterOptions& options, AVCodecContext* encoder) {
  const std::string& name = options.encoder;
  const std::string crf = absl::StrCat(options.crf);
  if (name == "libx264") {
    SetString(encoder, "preset", options.preset.c_str());
    SetString(encoder, "crf", crf.c_str());
    SetString(encoder, "x264-params", kX264Arithmetic);
  } else if (name == "libx265") {
    SetString(encoder, "preset", options.preset.c_str());
    SetString(encoder, "crf", crf.c_str());
    SetString(encoder, "x265-params", "pools=none:frame-threads=1:info=0:log-level=none:asm=none");
  } else if (name == "libvpx-vp9" || name == "libvpx") {
    SetString(encoder, "crf", crf.c_str());
    const bool realtime = options.preset == "realtime";
    SetString(encoder, "deadline", realtime ? "realtime" : "good");
    SetString(encoder, "cpu-used", realtime ? "8" : "5");
  } else if (name == "libaom-av1") {
    SetString(encoder, "crf", crf.c_str());
    SetString(encoder, "usage", "realtime");
    SetString(encoder, "cpu-used", "9");
    SetString(encoder, "row-mt", "0");
  } else {
    encoder->flags |= AV_CODEC_FLAG_QSCALE;
    encoder->global_quality = 3 * FF_QP2LAMBDA;
  }
}

}  // namespace

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
  if (!options.fourcc.empty() && options.fourcc.size() != 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", options.fourcc, "\" is not a code of four characters"));
  }
  if (options.packed_b_frames && (options.encoder != "mpeg4" || options.container != "avi")) {
    return absl::InvalidArgumentError("B-frames are packed in AVI files of the encoder mpeg4 only");
  }
  return absl::OkStatus();
}

absl::StatusOr<CodecPtr> OpenEncoder(const VideoWriterOptions& options, bool global_header) {
  const AVCodec* codec = avcodec_find_encoder_by_name(options.encoder.c_str());
  if (codec == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("FFmpeg has no encoder \"", options.encoder, "\""));
  }
  CodecPtr encoder(avcodec_alloc_context3(codec));
  encoder->width = options.width;
  encoder->height = options.height;
  encoder->pix_fmt = av_get_pix_fmt(options.pixel_format.c_str());
  if (encoder->pix_fmt == AV_PIX_FMT_NONE) {
    return absl::InvalidArgumentError(
        absl::StrCat("FFmpeg has no pixel format \"", options.pixel_format, "\""));
  }
  if (options.full_range) encoder->color_range = AVCOL_RANGE_JPEG;
  encoder->time_base = {1, options.frame_rate};
  encoder->framerate = {options.frame_rate, 1};
  encoder->thread_count = 1;
  encoder->flags |= AV_CODEC_FLAG_BITEXACT;
  if (global_header) encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  if (options.key_frame_distance > 0) {
    encoder->gop_size = options.key_frame_distance;
    av_opt_set_int(encoder.get(), "sc_threshold", 0, AV_OPT_SEARCH_CHILDREN);
  }
  if (options.b_frames >= 0) encoder->max_b_frames = options.b_frames;
  SetPrivateOptions(options, encoder.get());
  const absl::Status opened =
      FfmpegStatus(avcodec_open2(encoder.get(), codec, nullptr),
                   absl::StrCat("cannot start the encoder ", options.encoder));
  if (!opened.ok()) return absl::InvalidArgumentError(opened.message());
  return encoder;
}

}  // namespace op3d::data
