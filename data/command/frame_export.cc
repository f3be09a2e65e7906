#include "data/command/frame_export.h"

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/index/index_update.h"
#include "data/transform/resize.h"
#include "data/video/image/jpeg.h"
#include "data/video/image/png.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::data {
namespace {

constexpr int kLongestSide = 32768;
constexpr int kStripGap = 2, kStripQuality = 82, kStripFrames = 8, kStripHeight = 96;
constexpr uint8_t kStripGrey = 128;

absl::StatusOr<RgbImage> Resized(const RgbImage& image, const PictureSize& size) {
  OP3D_ASSIGN_OR_RETURN(Resize resize, Resize::Make({0, 0, image.width, image.height}, size.width,
                                                    size.height, {0, 0, size.width, size.height}));
  RgbImage resized = {size.width, size.height, {}};
  resized.pixels.resize(static_cast<size_t>(size.width) * size.height * 3);
  resize.Apply(image.pixels.data(), {0, 0, image.width, image.height}, resized.pixels.data());
  return resized;
}

// Appends `image` to the right of `strip`, which is empty or equally high.
void AppendToStrip(const RgbImage& image, RgbImage* strip) {
  const int gap = strip->width == 0 ? 0 : kStripGap;
  RgbImage joined = {strip->width + gap + image.width, image.height, {}};
  for (int y = 0; y < image.height; ++y) {
    const auto append = [&](const RgbImage& part) {
      const auto row = part.pixels.begin() + static_cast<ptrdiff_t>(y) * part.width * 3;
      joined.pixels.insert(joined.pixels.end(), row, row + static_cast<ptrdiff_t>(part.width) * 3);
    };
    if (gap > 0) append(*strip);
    joined.pixels.insert(joined.pixels.end(), static_cast<size_t>(gap) * 3, kStripGrey);
    append(image);
  }
  *strip = std::move(joined);
}

}  // namespace

absl::StatusOr<std::vector<ExportedFrame>> ExportFrames(const std::string& video,
                                                        std::vector<int64_t> indices,
                                                        int short_side, const std::string& folder,
                                                        const MediaOptions& options) {
  if (indices.empty()) return absl::InvalidArgumentError("no frames are given");
  if (short_side < 0 || short_side > kLongestSide) {
    return absl::InvalidArgumentError(
        absl::StrCat("a short side of ", short_side, " pixels is not in [0, ", kLongestSide, "]"));
  }
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<VideoReader> reader, OpenMedia(video, options));
  // Checked before a folder is created.
  OP3D_RETURN_IF_ERROR(CheckFrameIndices(indices, reader->info().frames, video));
  OP3D_RETURN_IF_ERROR(MakeFolders(folder));
  std::vector<ExportedFrame> exported;
  OP3D_RETURN_IF_ERROR(reader->Read(indices, [&](int64_t frame, const RgbImage& image) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    absl::StatusOr<std::string> png;
    if (short_side == 0) {
      png = EncodePng(image);
    } else {
      const absl::StatusOr<RgbImage> resized =
          Resized(image, ShortSideSize(image.width, image.height, short_side));
      OP3D_RETURN_IF_ERROR(resized.status());
      png = EncodePng(*resized);
    }
    OP3D_RETURN_IF_ERROR(png.status());
    exported.push_back({frame, JoinPath(folder, absl::StrFormat("frame_%06d.png", frame))});
    return WriteFileAtomically(exported.back().path, *png);
  }));
  return exported;
}

absl::StatusOr<std::string> FrameStrip(VideoReader* reader, int frames, int height) {
  OP3D_RETURN_IF_ERROR(RequireIn("the frames of a strip", frames, 1, 1000));
  OP3D_RETURN_IF_ERROR(RequireIn("the height of a strip", height, 1, 1024));
  const int64_t all = reader->info().frames, count = std::min<int64_t>(frames, all);
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < count; ++i) indices.push_back((2 * i + 1) * all / (2 * count));
  RgbImage strip;
  OP3D_RETURN_IF_ERROR(reader->Read(indices, [&](int64_t, const RgbImage& image) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    const int64_t width = int64_t{image.width} * height / std::max(image.height, 1);
    OP3D_ASSIGN_OR_RETURN(
        const RgbImage small,
        Resized(image, {static_cast<int>(std::clamp<int64_t>(width, 1, kLongestSide)), height}));
    AppendToStrip(small, &strip);
    return absl::OkStatus();
  }));
  return EncodeJpeg(strip, kStripQuality);
}

absl::StatusOr<std::vector<std::string>> FrameStripsOf(absl::Span<const Video> videos,
                                                       absl::Span<const std::string> names) {
  std::map<absl::string_view, const Video*> by_name;
  for (const Video& video : videos) by_name.emplace(video.name, &video);
  Progress progress("frames", static_cast<int64_t>(names.size()), "videos");
  std::vector<std::string> strips;
  for (const std::string& name : names) {
    progress.Add(1);
    strips.emplace_back();
    const auto found = by_name.find(name);
    if (found == by_name.end()) continue;
    const Video& video = *found->second;
    MediaOptions media;
    media.content = video.content;
    const absl::StatusOr<std::unique_ptr<VideoReader>> reader =
        OpenIndexed(video.path, video.scan, media);
    absl::StatusOr<std::string> strip = reader.ok()
                                            ? FrameStrip(reader->get(), kStripFrames, kStripHeight)
                                            : absl::StatusOr<std::string>(reader.status());
    if (absl::IsCancelled(strip.status())) return strip.status();
    if (strip.ok()) {
      strips.back() = *std::move(strip);
    } else {
      Progress::Print(absl::StrCat("without frames: ", strip.status().message()));
    }
  }
  return strips;
}

std::string ExportedFrameJson(const ExportedFrame& frame) {
  const nlohmann::ordered_json json = {{"frame", frame.frame}, {"file", frame.path}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace op3d::data
