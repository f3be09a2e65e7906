#include "op3d/gpu/view_plan.h"

#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "data/transform/resize.h"
#include "data/video/image/yuv_to_rgb.h"
#include "op3d/base/status_macros.h"

namespace op3d::gpu {
namespace {

using Colour = data::TrainDraw::Colour;

constexpr int64_t kAlignment = 16;

template <typename T>
int64_t Rounded(T bytes) {
  return (static_cast<int64_t>(bytes) + kAlignment - 1) / kAlignment * kAlignment;
}

template <typename T>
int64_t BytesOf(const std::vector<T>& values) {
  return Rounded(values.size() * sizeof(T));
}

absl::Status CheckPlanes(const data::ByteViews& views) {
  const bool flow = views.content != data::FrameContent::kPictures;
  const absl::string_view what = flow ? "optical flow" : data::CpuOnly(views.planes->draw);
  if (what.empty()) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat("the transform on a GPU has no ", what, "; prepare such clips on the CPU"));
}

// The steps that change something, as in ClipTransform::Jitter.
void AddSteps(const data::TrainDraw& draw, PlanePictures* pictures) {
  int count = 0;
  const auto add = [&](ColourStep step, float factor) {
    pictures->steps[count] = step;
    pictures->factors[count++] = factor;
  };
  for (const Colour colour : draw.order) {
    if (!draw.jitter) break;
    if (colour == Colour::kBrightness && draw.brightness != 1) {
      add(ColourStep::kBrightness, draw.brightness);
    } else if (colour == Colour::kContrast && draw.contrast != 1) {
      add(ColourStep::kContrast, draw.contrast);
    } else if (colour == Colour::kSaturation && draw.saturation != 1) {
      add(ColourStep::kSaturation, draw.saturation);
    }
  }
  if (draw.grey) add(ColourStep::kGrey, 0);
}

// Entries [start, start + length) of `values`.
template <typename T>
std::vector<T> Part(const std::vector<T>& values, int start, int length) {
  return {values.begin() + start, values.begin() + start + length};
}

}  // namespace

absl::Status ViewPlan::Add(const data::ByteViews& video) {
  if (video.crops.empty() || video.frames < 1) return absl::OkStatus();
  // The first video's views give the batch its size.
  const int64_t frames = views_.empty() ? video.frames : frames_;
  const int size = views_.empty() ? video.crops[0].width : size_;
  for (const data::Box& crop : video.crops) {
    if (video.frames == frames && crop.width == size && crop.height == size) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "views of ", video.frames, "x", crop.height, "x", crop.width, " in a batch of ", frames,
        "x", size, "x", size, "; all views of a batch have one size"));
  }
  Video added = {&video, pixel_bytes_, 0, -1};
  if (video.planes.has_value()) {
    OP3D_RETURN_IF_ERROR(CheckPlanes(video));
    OP3D_RETURN_IF_ERROR(AddPlanes(*video.planes));
    added.planes = static_cast<int>(planes_.size()) - 1;
  }
  frames_ = frames;
  size_ = size;
  added.pictures = AddNumbers(video.pictures);
  const int64_t clips = static_cast<int64_t>(video.pictures.size()) / frames;
  for (int64_t clip = 0; clip < clips; ++clip) {
    for (size_t crop = 0; crop < video.crops.size(); ++crop) {
      views_.push_back({videos_.size(), clip, crop});
    }
  }
  videos_.push_back(added);
  pixel_bytes_ += Rounded(video.pixels.size());
  return absl::OkStatus();
}

absl::Status ViewPlan::AddPlanes(const data::PlaneParts& parts) {
  const std::optional<data::YuvToRgb> converter =
      data::YuvToRgb::Make(parts.width, parts.height, parts.matrix.data(), parts.full_range);
  if (!converter.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("pictures of ", parts.width, "x", parts.height,
                     " pixels cannot be converted on a GPU; they need at least 10 a side"));
  }
  Planes planes = {};
  AddSteps(parts.draw, &planes.pictures);
  const data::YuvToRgb::Coefficients k = converter->coefficients();
  planes.pictures.colours = {k.luma_scale, k.luma_offset, k.red_v, k.green_u, k.green_v, k.blue_u};
  planes.pictures.picture_bytes = parts.PictureBytes();
  planes.pictures.strides[0] = parts.luma.width;
  planes.pictures.strides[1] = planes.pictures.strides[2] = parts.chroma.width;
  planes.pixels = pixel_bytes_;
  planes.luma = parts.LumaBytes();
  planes.chroma = parts.ChromaBytes();
  const data::Box &luma = parts.luma, &chroma = parts.chroma;
  const data::BilinearFilter &across = converter->across(), &down = converter->down();
  std::vector<int32_t> columns = Part(across.position, luma.left, luma.width);
  for (int32_t& column : columns) column -= chroma.left;
  planes.position = AddNumbers(columns);
  std::vector<int32_t> rows = Part(down.position, luma.top, luma.height);
  for (size_t y = 0; y < rows.size(); ++y) {
    const bool mean = down.second[static_cast<size_t>(luma.top) + y] >= 2048;
    rows[y] = 2 * (rows[y] - chroma.top) + (mean ? 1 : 0);
  }
  planes.row_and_mean = AddNumbers(rows);
  const auto add_halves = [&](const std::vector<int16_t>& weights) {
    const std::vector<int16_t> part = Part(weights, luma.left, luma.width);
    halves_.insert(halves_.end(), part.begin(), part.end());
    return halves_.size() - part.size();
  };
  planes.first = add_halves(across.first);
  planes.second = add_halves(across.second);
  planes.columns = AddAxis(parts.resize.columns());
  planes.rows = AddAxis(parts.resize.rows());
  contrast_ = contrast_ || ContrastStep(planes.pictures) >= 0;
  planes_.push_back(planes);
  return absl::OkStatus();
}

size_t ViewPlan::AddNumbers(const std::vector<int32_t>& numbers) {
  const size_t at = numbers_.size();
  numbers_.insert(numbers_.end(), numbers.begin(), numbers.end());
  return at;
}

ViewPlan::Axis ViewPlan::AddAxis(const data::Resize::AxisTables& tables) {
  Axis axis;
  axis.taps = tables.taps;
  axis.first = AddNumbers(*tables.first);
  axis.weights = tables.taps == 0 ? axis.first : AddNumbers(*tables.weights);
  return axis;
}

ViewPlan::Places ViewPlan::places() const {
  Places places;
  places.planes = Rounded(views_.size() * sizeof(View));
  places.numbers = places.planes + Rounded(planes_.size() * sizeof(PlanePictures));
  places.halves = places.numbers + BytesOf(numbers_);
  places.pixels = places.halves + BytesOf(halves_);
  return places;
}

int64_t ViewPlan::Bytes() const { return places().pixels + pixel_bytes_; }

void ViewPlan::Write(uint8_t* here, const uint8_t* there) const {
  const Places at = places();
  const auto* const numbers = reinterpret_cast<const int32_t*>(there + at.numbers);
  const auto* const halves = reinterpret_cast<const int16_t*>(there + at.halves);
  const auto write = [&](int64_t place, const void* from, size_t bytes) {
    if (bytes > 0) std::memcpy(here + place, from, bytes);
  };
  for (size_t i = 0; i < views_.size(); ++i) {
    const Entry& entry = views_[i];
    const Video& video = videos_[entry.video];
    const data::ByteViews& views = *video.views;
    const data::Box& crop = views.crops[entry.crop];
    const View view = {
        video.planes < 0 ? nullptr
                         : reinterpret_cast<const PlanePictures*>(there + at.planes) + video.planes,
        there + at.pixels + video.pixels,
        numbers + video.pictures + entry.clip * frames_,
        views.width,
        views.height,
        crop.left,
        crop.top,
        views.mirror ? 1 : 0,
        views.content == data::FrameContent::kFlow ? 1 : 0};
    write(static_cast<int64_t>(i * sizeof(View)), &view, sizeof(view));
  }
  for (size_t i = 0; i < planes_.size(); ++i) {
    const Planes& planes = planes_[i];
    PlanePictures pictures = planes.pictures;
    pictures.planes[0] = there + at.pixels + planes.pixels;
    pictures.planes[1] = pictures.planes[0] + planes.luma;
    pictures.planes[2] = pictures.planes[1] + planes.chroma;
    pictures.chroma_columns = {numbers + planes.position, halves + planes.first,
                               halves + planes.second};
    pictures.chroma_rows = {numbers + planes.row_and_mean};
    pictures.columns = {planes.columns.taps, numbers + planes.columns.first,
                        numbers + planes.columns.weights};
    pictures.rows = {planes.rows.taps, numbers + planes.rows.first, numbers + planes.rows.weights};
    write(at.planes + static_cast<int64_t>(i * sizeof(pictures)), &pictures, sizeof(pictures));
  }
  write(at.numbers, numbers_.data(), numbers_.size() * sizeof(int32_t));
  write(at.halves, halves_.data(), halves_.size() * sizeof(int16_t));
  for (const Video& video : videos_) {
    write(at.pixels + video.pixels, video.views->pixels.data(), video.views->pixels.size());
  }
}

}  // namespace op3d::gpu
