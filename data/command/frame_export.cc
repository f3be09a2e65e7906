#include "data/command/frame_export.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/transform/resize.h"
#include "data/video/image/png.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::data {
namespace {

constexpr int kLongestSide = 32768;

absl::StatusOr<RgbImage> WithShortSide(const RgbImage& image, int short_side) {
  const PictureSize size = ShortSideSize(image.width, image.height, short_side);
  OP3D_ASSIGN_OR_RETURN(Resize resize, Resize::Make({0, 0, image.width, image.height}, size.width,
                                                    size.height, {0, 0, size.width, size.height}));
  RgbImage resized = {size.width, size.height, {}};
  resized.pixels.resize(static_cast<size_t>(size.width) * size.height * 3);
  resize.Apply(image.pixels.data(), {0, 0, image.width, image.height}, resized.pixels.data());
  return resized;
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
      const absl::StatusOr<RgbImage> resized = WithShortSide(image, short_side);
      OP3D_RETURN_IF_ERROR(resized.status());
      png = EncodePng(*resized);
    }
    OP3D_RETURN_IF_ERROR(png.status());
    exported.push_back({frame, JoinPath(folder, absl::StrFormat("frame_%06d.png", frame))});
    return WriteFileAtomically(exported.back().path, *png);
  }));
  return exported;
}

std::string ExportedFrameJson(const ExportedFrame& frame) {
  const nlohmann::ordered_json json = {{"frame", frame.frame}, {"file", frame.path}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace op3d::data
