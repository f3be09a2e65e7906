#include "data/video/file/frame_converter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// The "j" formats have "full range" in their name, which swscale has deprecated.
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

bool IsFullRange(const AVFrame& frame) {
  return frame.color_range == AVCOL_RANGE_JPEG || WithoutRange(frame.format) != frame.format;
}

// Pixel (x, y) of the image comes from pixel (u, v) of `stored`.
void Turn(const uint8_t* stored, ptrdiff_t stride, Orientation turn, RgbImage* image) {
  uint8_t* out = image->pixels.data();
  for (int y = 0; y < image->height; ++y) {
    const int b = turn.flip_y ? image->height - 1 - y : y;
    for (int x = 0; x < image->width; ++x, out += 3) {
      const int a = turn.flip_x ? image->width - 1 - x : x;
      const int u = turn.transpose ? b : a;
      const int v = turn.transpose ? a : b;
      std::memcpy(out, stored + v * stride + u * 3, 3);
    }
  }
}

bool IsUpright(Orientation turn) { return !turn.transpose && !turn.flip_x && !turn.flip_y; }

}  // namespace

FrameConverter::FrameConverter(int width, int height, Orientation orientation)
    : width_(width), height_(height), orientation_(orientation), scaled_(av_frame_alloc()) {
  // swscale writes whole vectors: the rows need its alignment, which an RgbImage does not have.
  scaled_->format = AV_PIX_FMT_RGB24;
  scaled_->width = width;
  scaled_->height = height;
}

Box FrameConverter::StoredBox(const Box& presented) const {
  const int width = orientation_.transpose ? height_ : width_;
  const int height = orientation_.transpose ? width_ : height_;
  Box box = presented;
  if (orientation_.flip_x) box.left = width - box.left - box.width;
  if (orientation_.flip_y) box.top = height - box.top - box.height;
  if (orientation_.transpose) {
    std::swap(box.left, box.top);
    std::swap(box.width, box.height);
  }
  return box;
}

YuvToRgb* FrameConverter::ShortCut(const AVFrame& frame) {
  if (WithoutRange(frame.format) != AV_PIX_FMT_YUV420P || frame.width != width_ ||
      frame.height != height_) {
    return nullptr;
  }
  const int* matrix = sws_getCoefficients(Matrix(frame.colorspace));
  const bool full_range = IsFullRange(frame);
  if (matrix != matrix_ || full_range != full_range_) {
    short_cut_ = YuvToRgb::Make(width_, height_, matrix, full_range);
    matrix_ = matrix;
    full_range_ = full_range;
  }
  return short_cut_.has_value() ? &*short_cut_ : nullptr;
}

absl::Status FrameConverter::PrepareScaler(const AVFrame& frame) {
  if (scaled_->data[0] == nullptr) {
    OP3D_RETURN_IF_ERROR(FfmpegStatus(av_frame_get_buffer(scaled_.get(), 64), "a picture"));
  }
  scaler_.reset(sws_getCachedContext(
      scaler_.release(), frame.width, frame.height, WithoutRange(frame.format), width_, height_,
      AV_PIX_FMT_RGB24, SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT,
      nullptr, nullptr, nullptr));
  if (scaler_ == nullptr) {
    const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame.format));
    return absl::UnimplementedError(absl::StrCat("cannot turn frames of ", frame.width, "x",
                                                 frame.height, ", pixel format ",
                                                 name == nullptr ? "unknown" : name, ", into RGB"));
  }
  const int* coefficients = sws_getCoefficients(Matrix(frame.colorspace));
  // Fails for RGB formats, which have no matrix; then there is nothing to set.
  sws_setColorspaceDetails(scaler_.get(), coefficients, IsFullRange(frame), coefficients, 1, 0,
                           1 << 16, 1 << 16);
  return absl::OkStatus();
}

absl::StatusOr<FrameConverter::Pixels> FrameConverter::Scale(const AVFrame& frame) {
  OP3D_RETURN_IF_ERROR(PrepareScaler(frame));
  const int rows = sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height,
                             scaled_->data, scaled_->linesize);
  if (rows != height_) return absl::InternalError(absl::StrCat("swscale gave ", rows, " rows"));
  return Pixels{scaled_->data[0], scaled_->linesize[0]};
}

absl::Status FrameConverter::Convert(const AVFrame& frame, const Box& box, RgbImage* image) {
  const Box stored = StoredBox(box);
  const size_t row_bytes = static_cast<size_t>(stored.width) * 3;
  image->width = box.width;
  image->height = box.height;
  image->pixels.resize(row_bytes * stored.height);
  const bool upright = IsUpright(orientation_);
  Pixels pixels = {nullptr, static_cast<ptrdiff_t>(row_bytes)};
  if (YuvToRgb* const short_cut = ShortCut(frame); short_cut != nullptr) {
    if (!upright) part_.resize(image->pixels.size());
    uint8_t* const out = upright ? image->pixels.data() : part_.data();
    short_cut->Convert({frame.data[0], frame.data[1], frame.data[2]},
                       {frame.linesize[0], frame.linesize[1], frame.linesize[2]}, stored, out);
    if (upright) return absl::OkStatus();
    pixels.data = out;
  } else {
    OP3D_ASSIGN_OR_RETURN(pixels, Scale(frame));
    pixels.data += stored.top * pixels.stride + stored.left * 3;
  }
  if (!upright) {
    Turn(pixels.data, pixels.stride, orientation_, image);
    return absl::OkStatus();
  }
  for (int y = 0; y < stored.height; ++y) {
    std::memcpy(image->pixels.data() + y * row_bytes, pixels.data + y * pixels.stride, row_bytes);
  }
  return absl::OkStatus();
}

bool FrameConverter::MayGivePlanes(int format) const {
  return IsUpright(orientation_) &&
         (format == AV_PIX_FMT_NONE || WithoutRange(format) == AV_PIX_FMT_YUV420P);
}

std::optional<YuvPicture> FrameConverter::Planes(const AVFrame& frame) {
  if (!MayGivePlanes(frame.format) || ShortCut(frame) == nullptr) return std::nullopt;
  YuvPicture picture = {width_, height_, {}, {}, {}, full_range_};
  for (size_t i = 0; i < 3; ++i) {
    picture.planes[i] = frame.data[i];
    picture.strides[i] = frame.linesize[i];
  }
  std::copy(matrix_, matrix_ + picture.matrix.size(), picture.matrix.begin());
  return picture;
}

}  // namespace op3d::data
