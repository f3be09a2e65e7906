#include "data/video/frame_converter.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

// The "j" formats say "full range" in their name, which swscale has come to dislike.
AVPixelFormat WithoutRange(int format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ411P:
      return AV_PIX_FMT_YUV411P;
    case AV_PIX_FMT_YUVJ420P:
      return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
      return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ440P:
      return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ444P:
      return AV_PIX_FMT_YUV444P;
    default:
      return static_cast<AVPixelFormat>(format);
  }
}

int Matrix(AVColorSpace space) {
  switch (space) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    default:
      return SWS_CS_ITU601;
  }
}

// Pixel (x, y) of the presented picture comes from pixel (u, v) of the stored one.
void Turn(const AVFrame& stored, int width, int height, Orientation turn, RgbImage* image) {
  image->width = turn.transpose ? height : width;
  image->height = turn.transpose ? width : height;
  image->pixels.resize(static_cast<size_t>(width) * height * 3);
  uint8_t* out = image->pixels.data();
  if (!turn.transpose && !turn.flip_x) {
    for (int y = 0; y < height; ++y, out += width * 3) {
      const int v = turn.flip_y ? height - 1 - y : y;
      std::memcpy(out, stored.data[0] + int64_t{v} * stored.linesize[0], width * 3);
    }
    return;
  }
  for (int y = 0; y < image->height; ++y) {
    const int b = turn.flip_y ? image->height - 1 - y : y;
    for (int x = 0; x < image->width; ++x, out += 3) {
      const int a = turn.flip_x ? image->width - 1 - x : x;
      const int u = turn.transpose ? b : a;
      const int v = turn.transpose ? a : b;
      std::memcpy(out, stored.data[0] + int64_t{v} * stored.linesize[0] + u * 3, 3);
    }
  }
}

}  // namespace

FrameConverter::FrameConverter(int width, int height, Orientation orientation)
    : width_(width), height_(height), orientation_(orientation), upright_(av_frame_alloc()) {
  // swscale writes whole vectors: the rows need its alignment, which an RgbImage does not have.
  upright_->format = AV_PIX_FMT_RGB24;
  upright_->width = width;
  upright_->height = height;
}

absl::Status FrameConverter::Prepare(const AVFrame& frame) {
  if (upright_->data[0] == nullptr) {
    OP3D_RETURN_IF_ERROR(FfmpegStatus(av_frame_get_buffer(upright_.get(), 64), "a picture"));
  }
  const AVPixelFormat format = WithoutRange(frame.format);
  scaler_.reset(sws_getCachedContext(
      scaler_.release(), frame.width, frame.height, format, width_, height_, AV_PIX_FMT_RGB24,
      SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT, nullptr, nullptr,
      nullptr));
  if (scaler_ == nullptr) {
    const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame.format));
    return absl::UnimplementedError(absl::StrCat("cannot turn frames of ", frame.width, "x",
                                                 frame.height, ", pixel format ",
                                                 name == nullptr ? "unknown" : name, ", into RGB"));
  }
  const bool full = frame.color_range == AVCOL_RANGE_JPEG || format != frame.format;
  const int* coefficients = sws_getCoefficients(Matrix(frame.colorspace));
  // Fails for RGB formats, which have no matrix; then there is nothing to set.
  sws_setColorspaceDetails(scaler_.get(), coefficients, full, coefficients, 1, 0, 1 << 16, 1 << 16);
  return absl::OkStatus();
}

absl::Status FrameConverter::Convert(const AVFrame& frame, RgbImage* image) {
  OP3D_RETURN_IF_ERROR(Prepare(frame));
  const int rows = sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height,
                             upright_->data, upright_->linesize);
  if (rows != height_) return absl::InternalError(absl::StrCat("swscale gave ", rows, " rows"));
  Turn(*upright_, width_, height_, orientation_, image);
  return absl::OkStatus();
}

}  // namespace op3d
