#include "data/video/stored/stored_frame_reader.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/video/image/jpeg.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

class StoredFrameReader : public VideoReader {
 public:
  StoredFrameReader(std::unique_ptr<StoredFrames> frames, FrameContent content, std::string path,
                    VideoInfo info, const VideoLimits& limits)
      : limits_(limits),
        content_(content),
        path_(std::move(path)),
        info_(std::move(info)),
        frames_(std::move(frames)) {}

  const VideoInfo& info() const override { return info_; }
  const Counters& counters() const override { return counters_; }

  absl::Status Read(absl::Span<const int64_t> indices,
                    absl::FunctionRef<absl::Status(int64_t, const RgbImage&)> sink) override {
    OP3D_RETURN_IF_ERROR(CheckFrameIndices(indices, info_.frames, path_));
    for (const int64_t frame : indices) {
      if (content_ == FrameContent::kFlow) {
        OP3D_RETURN_IF_ERROR(DecodeFlow(frame));
      } else {
        OP3D_RETURN_IF_ERROR(DecodePicture(frame));
      }
      ++counters_.converted;
      OP3D_RETURN_IF_ERROR(sink(frame, Part()));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status DecodePicture(int64_t frame) {
    OP3D_ASSIGN_OR_RETURN(const absl::string_view bytes, Fetch(frame, 0));
    OP3D_RETURN_IF_ERROR(
        Annotate(decoder_.Decode(bytes, limits_.max_pixels, &image_), frames_->Where(frame, 0)));
    return CheckSize(frame, 0, {image_.width, image_.height});
  }

  absl::Status DecodeFlow(int64_t frame) {
    image_.width = info_.width;
    image_.height = info_.height;
    image_.pixels.assign(static_cast<size_t>(info_.width) * info_.height * 3, 0);
    for (const int picture : {0, 1}) {
      OP3D_ASSIGN_OR_RETURN(const absl::string_view bytes, Fetch(frame, picture));
      const absl::StatusOr<JpegSize> size = decoder_.DecodeGrey(bytes, limits_.max_pixels, &grey_);
      OP3D_RETURN_IF_ERROR(Annotate(size.status(), frames_->Where(frame, picture)));
      OP3D_RETURN_IF_ERROR(CheckSize(frame, picture, *size));
      for (size_t i = 0; i < grey_.size(); ++i) image_.pixels[3 * i + picture] = grey_[i];
    }
    return absl::OkStatus();
  }

  const RgbImage& Part() {
    const Box part = box();
    if (part == Box{0, 0, image_.width, image_.height}) return image_;
    part_.width = part.width;
    part_.height = part.height;
    part_.pixels.clear();
    for (int y = part.top; y < part.top + part.height; ++y) {
      const auto row =
          image_.pixels.begin() + 3 * (static_cast<ptrdiff_t>(y) * image_.width + part.left);
      part_.pixels.insert(part_.pixels.end(), row, row + 3 * part.width);
    }
    return part_;
  }

  absl::StatusOr<absl::string_view> Fetch(int64_t frame, int picture) {
    ++counters_.packets;
    ++counters_.decoded;
    return frames_->Encoded(frame, picture);
  }

  absl::Status CheckSize(int64_t frame, int picture, JpegSize size) const {
    if (size.width == info_.width && size.height == info_.height) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(frames_->Where(frame, picture), " is ", size.width, "x",
                                            size.height, ", but the video's first frame is ",
                                            info_.width, "x", info_.height));
  }

  const VideoLimits limits_;
  const FrameContent content_;
  const std::string path_;
  const VideoInfo info_;
  const std::unique_ptr<StoredFrames> frames_;
  JpegDecoder decoder_;
  RgbImage image_;
  RgbImage part_;
  std::vector<uint8_t> grey_;
  Counters counters_;
};

}  // namespace

absl::StatusOr<VideoInfo> DescribeStoredFrames(StoredFrames* frames, FrameContent content,
                                               const VideoLimits& limits) {
  JpegDecoder decoder;
  JpegSize first;
  for (int picture = 0; picture < PicturesPerFrame(content); ++picture) {
    OP3D_ASSIGN_OR_RETURN(const absl::string_view bytes, frames->Encoded(0, picture));
    const absl::StatusOr<JpegSize> size = decoder.ReadSize(bytes);
    OP3D_RETURN_IF_ERROR(Annotate(size.status(), frames->Where(0, picture)));
    first = *size;
    if (int64_t{first.width} * first.height > limits.max_pixels) {
      return absl::ResourceExhaustedError(
          absl::StrCat(frames->Where(0, picture), " is ", first.width, "x", first.height,
                       ": more than the limit of ", limits.max_pixels,
                       " pixels; loader.max_pixels of the settings can raise it"));
    }
  }
  VideoInfo info;
  info.frames = frames->frames();
  info.width = first.width;
  info.height = first.height;
  info.codec = "jpeg";
  return info;
}

absl::StatusOr<std::unique_ptr<VideoReader>> MakeStoredFrameReader(
    std::unique_ptr<StoredFrames> frames, FrameContent content, std::string path, VideoInfo info,
    const VideoLimits& limits) {
  if (frames->frames() != info.frames) {
    return absl::DataLossError(absl::StrCat(path, " has ", frames->frames(), " frames, but had ",
                                            info.frames, " when it was scanned; scan it again"));
  }
  return absl::make_unique<StoredFrameReader>(std::move(frames), content, std::move(path),
                                              std::move(info), limits);
}

}  // namespace op3d::data
