#include "data/command/clip_export.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "data/index/scan_record.h"
#include "data/loader/clip_views.h"
#include "data/loader/frame_store.h"
#include "data/sampling/sampling.h"
#include "data/transform/clip_transform.h"
#include "data/video/media.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// The random transforms of the published training, and evaluations without a margin around the
// crop.
TransformSettings PublishedTransform(int size) {
  TransformSettings transform;
  transform.set_train_crop(size);
  transform.set_min_area(0.2);
  transform.set_max_area(1);
  transform.set_jitter_probability(0.8);
  transform.set_brightness(0.4);
  transform.set_contrast(0.4);
  transform.set_saturation(0.4);
  transform.set_hue(0.1);
  transform.set_grey_probability(0.2);
  transform.set_blur_probability(0.5);
  transform.set_horizontal_flip(true);
  transform.set_search_short_side(size);
  transform.set_search_crop(size);
  transform.set_test_short_side(size);
  transform.set_test_crop(size);
  return transform;
}

absl::StatusOr<ClipTransform> MakeTransform(const ClipRequest& request, int width, int height) {
  const TransformSettings settings = PublishedTransform(request.size);
  switch (request.crop) {
    case ClipRequest::Crop::kCentre:
      return ClipTransform::ForSearch(settings, width, height);
    case ClipRequest::Crop::kThree:
      return ClipTransform::ForTest(settings, width, height);
    case ClipRequest::Crop::kRandom:
      break;
  }
  RandomStream stream(request.seed, "train.clip", {});
  return ClipTransform::ForTraining(DrawTrainTransform(settings, width, height, &stream), settings);
}

constexpr int kLargestSize = 8192;
constexpr double kMostBytes = 2.0 * (1 << 30);

int64_t Views(const ClipRequest& request) {
  return request.crop == ClipRequest::Crop::kThree ? 3 : 1;
}

absl::Status CheckRequest(const ClipRequest& request) {
  OP3D_RETURN_IF_ERROR(CheckClipShape({1, request.length, request.stride}));
  if (request.size < 1 || request.size > kLargestSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a crop of ", request.size, " pixels a side; it must be in [1, ", kLargestSize, "]"));
  }
  const double bytes = 3.0 * sizeof(float) * static_cast<double>(Views(request)) * request.length *
                       request.size * request.size;
  if (bytes > kMostBytes) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%d views of %d frames of %dx%d pixels would take %.1f GiB; at most 2 are allowed: make "
        "length or size smaller",
        Views(request), request.length, request.size, request.size, bytes / (1 << 30)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ClipRequest::Crop> ParseCrop(absl::string_view name) {
  if (name == "center") return ClipRequest::Crop::kCentre;
  if (name == "three") return ClipRequest::Crop::kThree;
  if (name == "random") return ClipRequest::Crop::kRandom;
  return absl::InvalidArgumentError(
      absl::StrCat("crop '", name, "' is none of: center, three, random"));
}

absl::StatusOr<ClipFile> MakeClipFile(const std::string& video, const ClipRequest& request) {
  OP3D_RETURN_IF_ERROR(CheckRequest(request));
  MediaOptions media;
  media.content = request.content;
  OP3D_ASSIGN_OR_RETURN(const VideoScan scan, ScanMedia(video, media));
  if (request.start < 0 || request.start >= scan.info.frames) {
    return absl::OutOfRangeError(absl::StrCat(video, ": the clip's start ", request.start,
                                              " is outside of the video's frames, [0, ",
                                              scan.info.frames, ")"));
  }
  ClipFile file;
  for (int t = 0; t < request.length; ++t) {
    const int64_t frame = request.start + int64_t{t} * request.stride;
    file.held += frame >= scan.info.frames ? 1 : 0;
    file.frames.push_back(std::min(frame, scan.info.frames - 1));
  }

  file.shape = {Views(request), 3, request.length, request.size, request.size};
  std::vector<float> clip(Views(request) * 3 * request.length * request.size * request.size);
  FrameStore store(0);
  ViewSeconds seconds;
  OP3D_RETURN_IF_ERROR(MakeClipViews(
      {video, video, -1, scan.info.frames, EncodeScan(scan), "", request.content}, {file.frames},
      [&](int width, int height) { return MakeTransform(request, width, height); }, &store,
      absl::MakeSpan(clip), &seconds));
  const absl::string_view bytes(reinterpret_cast<const char*>(clip.data()),
                                clip.size() * sizeof(float));
  OP3D_ASSIGN_OR_RETURN(file.bytes,
                        SerializeSafetensors({{"clip", DType::kF32, file.shape, bytes}},
                                             {{"frames", absl::StrJoin(file.frames, ",")}}));
  return file;
}

std::string ClipFileJson(const ClipFile& clip, const std::string& video, const std::string& out) {
  const nlohmann::ordered_json json = {{"file", out},
                                       {"video", video},
                                       {"shape", clip.shape},
                                       {"frames", clip.frames},
                                       {"held", clip.held}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace op3d::data
