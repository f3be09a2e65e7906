#include "data/video/image/jpeg.h"

#include <turbojpeg.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

const unsigned char* Data(absl::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

absl::StatusOr<std::string> Compress(absl::Span<const uint8_t> pixels, JpegSize picture,
                                     int channels, int quality) {
  if (picture.width <= 0 || picture.height <= 0 ||
      pixels.size() != static_cast<size_t>(picture.width) * picture.height * channels ||
      quality < 1 || quality > 100) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write a JPEG picture of ", picture.width, "x", picture.height, " (",
                     pixels.size(), " bytes) with quality ", quality, "; the quality is 1 to 100"));
  }
  const tjhandle handle = tjInitCompress();
  auto destroy = absl::MakeCleanup([handle] {
    if (handle != nullptr) tjDestroy(handle);
  });
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  if (handle == nullptr ||
      tjCompress2(handle, pixels.data(), picture.width, /*pitch=*/0, picture.height,
                  channels == 1 ? TJPF_GRAY : TJPF_RGB, &bytes, &size,
                  channels == 1 ? TJSAMP_GRAY : TJSAMP_420, quality, TJFLAG_ACCURATEDCT) != 0) {
    tjFree(bytes);
    return absl::InternalError(absl::StrCat(
        "cannot write a JPEG picture: ", handle == nullptr ? "no memory" : tjGetErrorStr2(handle)));
  }
  std::string encoded(reinterpret_cast<char*>(bytes), size);
  tjFree(bytes);
  return encoded;
}

}  // namespace

void JpegDecoder::Deleter::operator()(void* handle) const { tjDestroy(handle); }

JpegDecoder::JpegDecoder() : handle_(tjInitDecompress()) {}

absl::Status JpegDecoder::Error(absl::string_view what) const {
  return absl::DataLossError(
      absl::StrCat(what, " (libjpeg-turbo says: ", tjGetErrorStr2(handle_.get()), ")"));
}

absl::StatusOr<JpegSize> JpegDecoder::ReadSize(absl::string_view bytes) {
  if (handle_ == nullptr) return absl::ResourceExhaustedError("no memory for a JPEG decoder");
  JpegSize size;
  int subsampling = 0;
  int colours = 0;
  if (bytes.empty()) return absl::DataLossError("an empty picture");
  if (tjDecompressHeader3(handle_.get(), Data(bytes), bytes.size(), &size.width, &size.height,
                          &subsampling, &colours) != 0) {
    return Error("not a JPEG picture");
  }
  if (size.width <= 0 || size.height <= 0) return absl::DataLossError("not a JPEG picture");
  return size;
}

absl::StatusOr<JpegSize> JpegDecoder::CheckedSize(absl::string_view bytes, int64_t max_pixels) {
  OP3D_ASSIGN_OR_RETURN(const JpegSize size, ReadSize(bytes));
  if (size.height > max_pixels / size.width) {
    return absl::ResourceExhaustedError(absl::StrCat("a picture of ", size.width, "x", size.height,
                                                     ": more than the limit of ", max_pixels,
                                                     " pixels"));
  }
  return size;
}

absl::Status JpegDecoder::Decompress(absl::string_view bytes, JpegSize size, int format,
                                     uint8_t* pixels) {
  // A small file can contain thousands of passes over a large picture.
  const int flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS;
  if (tjDecompress2(handle_.get(), Data(bytes), bytes.size(), pixels, size.width, /*pitch=*/0,
                    size.height, format, flags) != 0) {
    return Error("a damaged JPEG picture");
  }
  return absl::OkStatus();
}

absl::Status JpegDecoder::Decode(absl::string_view bytes, int64_t max_pixels, RgbImage* image) {
  OP3D_ASSIGN_OR_RETURN(const JpegSize size, CheckedSize(bytes, max_pixels));
  image->width = size.width;
  image->height = size.height;
  image->pixels.resize(static_cast<size_t>(size.width) * size.height * 3);
  return Decompress(bytes, size, TJPF_RGB, image->pixels.data());
}

absl::StatusOr<JpegSize> JpegDecoder::DecodeGrey(absl::string_view bytes, int64_t max_pixels,
                                                 std::vector<uint8_t>* pixels) {
  OP3D_ASSIGN_OR_RETURN(const JpegSize size, CheckedSize(bytes, max_pixels));
  pixels->resize(static_cast<size_t>(size.width) * size.height);
  OP3D_RETURN_IF_ERROR(Decompress(bytes, size, TJPF_GRAY, pixels->data()));
  return size;
}

absl::StatusOr<std::string> EncodeJpeg(const RgbImage& image, int quality) {
  return Compress(image.pixels, {image.width, image.height}, /*channels=*/3, quality);
}

absl::StatusOr<std::string> EncodeGreyJpeg(absl::Span<const uint8_t> pixels, JpegSize size,
                                           int quality) {
  return Compress(pixels, size, /*channels=*/1, quality);
}

}  // namespace op3d::data
