#include "data/video/file/nvdec.h"

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

absl::Status Refused(absl::string_view reason) {
  return absl::FailedPreconditionError(absl::StrCat(
      "decoding by NVDEC: ", reason, "; or decode on the CPU: EXACT or FAST instead of NVDEC"));
}

// Codecs of which NVDEC decodes all of the usual profiles.  Of MPEG-4 it has only some features.
bool IsTaken(AVCodecID codec) {
  return codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC || codec == AV_CODEC_ID_VP8 ||
         codec == AV_CODEC_ID_VP9 || codec == AV_CODEC_ID_MPEG2VIDEO;
}

// Whether FFmpeg was built with NVDEC for the codec.
bool HasHwaccel(const AVCodec& codec) {
  const AVCodecHWConfig* config = nullptr;
  for (int i = 0; (config = avcodec_get_hw_config(&codec, i)) != nullptr; ++i) {
    if (config->device_type == AV_HWDEVICE_TYPE_CUDA &&
        (config->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX) != 0) {
      return true;
    }
  }
  return false;
}

// The last of FFmpeg's formats is the one that the CPU decodes to.  If the GPU refuses the stream,
// FFmpeg asks again without AV_PIX_FMT_CUDA.
AVPixelFormat ChooseFormat(AVCodecContext* /*context*/, const AVPixelFormat* formats) {
  bool cuda = false;
  const AVPixelFormat* last = formats;
  for (const AVPixelFormat* format = formats; *format != AV_PIX_FMT_NONE; ++format) {
    cuda |= *format == AV_PIX_FMT_CUDA;
    last = format;
  }
  const bool usual = *last == AV_PIX_FMT_YUV420P || *last == AV_PIX_FMT_YUVJ420P;
  return cuda && usual ? AV_PIX_FMT_CUDA : *last;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Nvdec>> Nvdec::Open(int gpu) {
  const AVCodec* const h264 = avcodec_find_decoder(AV_CODEC_ID_H264);
  if (h264 == nullptr || !HasHwaccel(*h264)) {
    return Refused("this FFmpeg was built without it (--enable-nvdec)");
  }
  FfmpegLog log;
  AVBufferRef* device = nullptr;
  const int opened = av_hwdevice_ctx_create(&device, AV_HWDEVICE_TYPE_CUDA,
                                            absl::StrCat(gpu).c_str(), nullptr, /*flags=*/0);
  std::shared_ptr<const Nvdec> nvdec(new Nvdec(device));
  if (opened < 0) {
    const std::string reason =
        log.count() > 0 ? log.first() : std::string(FfmpegStatus(opened, "CUDA").message());
    return Refused(absl::StrCat("GPU ", gpu, " cannot be used (", reason,
                                "): it needs an NVIDIA GPU with its driver, see nvidia-smi"));
  }
  // FFmpeg loads it with the first video, and would then decode on the CPU without a word.
  void* const library = ::dlopen("libnvcuvid.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) {
    return Refused(
        "the driver's libnvcuvid.so.1 is not installed (in a container, NVIDIA_DRIVER_CAPABILITIES "
        "must contain 'video')");
  }
  ::dlclose(library);
  return nvdec;
}

Nvdec::~Nvdec() { av_buffer_unref(&device_); }

bool Nvdec::Use(const AVCodec& codec, AVCodecContext* context) const {
  if (!IsTaken(codec.id) || !HasHwaccel(codec)) return false;
  context->hw_device_ctx = av_buffer_ref(device_);
  context->get_format = ChooseFormat;
  // Beyond those that FFmpeg counts for references and reordering: the caller keeps one.
  context->extra_hw_frames = 2;
  return true;
}

bool IsOnGpu(const AVFrame& frame) { return frame.format == AV_PIX_FMT_CUDA; }

absl::Status SeparateChroma(const AVFrame& nv12, AVFrame* planar) {
  if (nv12.format != AV_PIX_FMT_NV12) {
    const char* const name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(nv12.format));
    return absl::UnimplementedError(absl::StrCat("NVDEC gave frames of pixel format ",
                                                 name == nullptr ? "unknown" : name, ", not nv12"));
  }
  const int left = static_cast<int>(nv12.crop_left), top = static_cast<int>(nv12.crop_top);
  const int width = nv12.width - left, height = nv12.height - top;
  if (width < 1 || height < 1) {
    return absl::DataLossError(absl::StrCat("a frame of ", nv12.width, "x", nv12.height,
                                            " leaves out ", left, " columns and ", top, " rows"));
  }
  if (planar->data[0] == nullptr || planar->width != width || planar->height != height) {
    av_frame_unref(planar);
    planar->format = AV_PIX_FMT_YUV420P;
    planar->width = width;
    planar->height = height;
    OP3D_RETURN_IF_ERROR(FfmpegStatus(av_frame_get_buffer(planar, 64), "a picture"));
  }
  for (int y = 0; y < height; ++y) {
    std::memcpy(planar->data[0] + static_cast<ptrdiff_t>(y) * planar->linesize[0],
                nv12.data[0] + static_cast<ptrdiff_t>(top + y) * nv12.linesize[0] + left, width);
  }
  const int half = (width + 1) / 2;
  for (int y = 0; y < (height + 1) / 2; ++y) {
    const uint8_t* const from =
        nv12.data[1] + static_cast<ptrdiff_t>(top / 2 + y) * nv12.linesize[1] + left / 2 * 2;
    uint8_t* const u = planar->data[1] + static_cast<ptrdiff_t>(y) * planar->linesize[1];
    uint8_t* const v = planar->data[2] + static_cast<ptrdiff_t>(y) * planar->linesize[2];
    for (int x = 0; x < half; ++x) {
      u[x] = from[2 * x];
      v[x] = from[2 * x + 1];
    }
  }
  planar->pts = nv12.pts;
  planar->best_effort_timestamp = nv12.best_effort_timestamp;
  planar->colorspace = nv12.colorspace;
  planar->color_range = nv12.color_range;
  return absl::OkStatus();
}

absl::Status CopyToHost(const AVFrame& frame, AVFrame* raw, AVFrame* copy) {
  av_frame_unref(raw);
  OP3D_RETURN_IF_ERROR(
      FfmpegStatus(av_hwframe_transfer_data(raw, &frame, /*flags=*/0), "a copy from the GPU"));
  OP3D_RETURN_IF_ERROR(FfmpegStatus(av_frame_copy_props(raw, &frame), "a frame's properties"));
  return SeparateChroma(*raw, copy);
}

}  // namespace op3d::data
