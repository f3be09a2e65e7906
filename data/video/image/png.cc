#include "data/video/image/png.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {

absl::StatusOr<std::string> EncodePng(const RgbImage& image) {
  const size_t row_bytes = static_cast<size_t>(image.width) * 3;
  if (image.width <= 0 || image.height <= 0 ||
      image.pixels.size() != row_bytes * static_cast<size_t>(image.height)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write a PNG picture of ", image.width, "x", image.height));
  }
  FfmpegLog log;
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
  if (codec == nullptr) return absl::UnimplementedError("this FFmpeg cannot write PNG");
  const CodecPtr encoder(avcodec_alloc_context3(codec));
  encoder->width = image.width;
  encoder->height = image.height;
  encoder->pix_fmt = AV_PIX_FMT_RGB24;
  encoder->time_base = {1, 1};
  encoder->thread_count = 1;
  OP3D_RETURN_IF_ERROR(FfmpegStatus(avcodec_open2(encoder.get(), codec, nullptr), "PNG encoder"));
  const FramePtr frame(av_frame_alloc());
  frame->format = AV_PIX_FMT_RGB24;
  frame->width = image.width;
  frame->height = image.height;
  OP3D_RETURN_IF_ERROR(FfmpegStatus(av_frame_get_buffer(frame.get(), 0), "a picture"));
  for (int y = 0; y < image.height; ++y) {
    std::memcpy(frame->data[0] + int64_t{y} * frame->linesize[0],
                image.pixels.data() + y * row_bytes, row_bytes);
  }
  OP3D_RETURN_IF_ERROR(FfmpegStatus(avcodec_send_frame(encoder.get(), frame.get()), "PNG encoder"));
  const PacketPtr packet(av_packet_alloc());
  OP3D_RETURN_IF_ERROR(
      FfmpegStatus(avcodec_receive_packet(encoder.get(), packet.get()), "PNG encoder"));
  return std::string(reinterpret_cast<const char*>(packet->data),
                     static_cast<size_t>(packet->size));
}

}  // namespace op3d::data
