#include "op3d/gpu/clip_plan.h"

#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/transform/resize.h"
#include "data/video/image/yuv_to_rgb.h"
#include "op3d/base/status_macros.h"

namespace op3d::gpu {
namespace {

using Colour = data::TrainDraw::Colour;

absl::Status CheckColours(const data::TrainDraw& draw) {
  const char* what = nullptr;
  if (draw.jitter && draw.hue.has_value()) what = "hue";
  if (draw.blur_sigma.has_value()) what = "blur";
  if (!draw.augment.empty()) what = "RandAugment";
  if (what == nullptr) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat("the clip transform on a GPU has no ", what, "; prepare such clips on the CPU"));
}

// The steps that change something, as in ClipTransform::Jitter.
void AddSteps(const data::TrainDraw& draw, ClipPlan* plan) {
  int count = 0;
  const auto add = [&](ColourStep step, float factor) {
    plan->steps[count] = step;
    plan->factors[count++] = factor;
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

}  // namespace

absl::Status ClipBatchPlan::AddTraining(const PlanarPicture& picture, const data::TrainDraw& draw,
                                        const TransformSettings& settings) {
  OP3D_RETURN_IF_ERROR(CheckColours(draw));
  if (settings.train_crop() != size_) {
    return absl::InvalidArgumentError(absl::StrCat("a crop of ", settings.train_crop(),
                                                   " pixels in a batch of ", size_,
                                                   "; all clips of a batch have one size"));
  }
  // The same checks and messages.
  OP3D_RETURN_IF_ERROR(data::ClipTransform::ForTraining(draw, settings).status());
  ClipPlan plan = {};
  plan.mirror = draw.mirror ? 1 : 0;
  AddSteps(draw, &plan);
  return Add(picture, draw.crop, size_, size_, {0, 0, size_, size_}, plan);
}

absl::Status ClipBatchPlan::AddEvaluation(const PlanarPicture& picture, int short_side,
                                          data::CropPlace place) {
  const data::PictureSize whole = data::ShortSideSize(picture.width, picture.height, short_side);
  return Add(picture, {0, 0, picture.width, picture.height}, whole.width, whole.height,
             data::CropBox(place, whole.width, whole.height, size_), ClipPlan{});
}

absl::Status ClipBatchPlan::Add(const PlanarPicture& picture, const data::Box& source, int width,
                                int height, const data::Box& window, const ClipPlan& plan) {
  const std::optional<data::YuvToRgb> converter = data::YuvToRgb::Make(
      picture.width, picture.height, picture.matrix.data(), picture.full_range);
  if (!converter.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("frames of ", picture.width, "x", picture.height,
                     " pixels cannot be converted on a GPU; they need at least 10 a side"));
  }
  OP3D_ASSIGN_OR_RETURN(const data::Resize resize,
                        data::Resize::Make(source, width, height, window));
  Clip clip = {plan, picture, plane_bytes_, 0, 0, 0, 0, {}, {}};
  const data::YuvToRgb::Coefficients k = converter->coefficients();
  clip.plan.colours = {k.luma_scale, k.luma_offset, k.red_v, k.green_u, k.green_v, k.blue_u};
  clip.plan.frame_bytes = picture.FrameBytes();
  const data::BilinearFilter &across = converter->across(), &down = converter->down();
  clip.position = AddNumbers(across.position);
  clip.first = halves_.size();
  halves_.insert(halves_.end(), across.first.begin(), across.first.end());
  clip.second = halves_.size();
  halves_.insert(halves_.end(), across.second.begin(), across.second.end());
  std::vector<int32_t> rows;
  for (size_t y = 0; y < down.position.size(); ++y) {
    rows.push_back(2 * down.position[y] + (down.second[y] >= 2048 ? 1 : 0));
  }
  clip.row_and_mean = AddNumbers(rows);
  const data::Resize::AxisTables x = resize.columns(), y = resize.rows();
  clip.columns = AddAxis(*x.first, *x.weights, x.taps, resize.needed().left);
  clip.rows = AddAxis(*y.first, *y.weights, y.taps, resize.needed().top);
  contrast_ = contrast_ || ContrastStep(clip.plan) >= 0;
  plane_bytes_ += picture.FrameBytes() * frames_;
  clips_.push_back(clip);
  return absl::OkStatus();
}

size_t ClipBatchPlan::AddNumbers(const std::vector<int32_t>& numbers) {
  const size_t at = numbers_.size();
  numbers_.insert(numbers_.end(), numbers.begin(), numbers.end());
  return at;
}

ClipBatchPlan::Axis ClipBatchPlan::AddAxis(const std::vector<int>& first,
                                           const std::vector<int32_t>& weights, int taps,
                                           int start) {
  std::vector<int32_t> moved(first.begin(), first.end());
  for (int32_t& input : moved) input += start;
  Axis axis = {taps, AddNumbers(moved), 0};
  axis.weights = taps == 0 ? axis.first : AddNumbers(weights);
  return axis;
}

int64_t ClipBatchPlan::TableBytes() const {
  return static_cast<int64_t>(clips_.size() * sizeof(ClipPlan) + numbers_.size() * sizeof(int32_t) +
                              halves_.size() * sizeof(int16_t));
}

std::vector<uint8_t> ClipBatchPlan::Bytes(const void* tables, const uint8_t* planes) const {
  const uint8_t* const base = static_cast<const uint8_t*>(tables);
  const int32_t* const numbers =
      reinterpret_cast<const int32_t*>(base + clips_.size() * sizeof(ClipPlan));
  const int16_t* const halves = reinterpret_cast<const int16_t*>(numbers + numbers_.size());
  std::vector<uint8_t> bytes;
  bytes.reserve(static_cast<size_t>(TableBytes()));
  const auto append = [&bytes](const void* data, size_t size) {
    const uint8_t* const from = static_cast<const uint8_t*>(data);
    bytes.insert(bytes.end(), from, from + size);
  };
  for (const Clip& clip : clips_) {
    const PlanarPicture& picture = clip.picture;
    ClipPlan plan = clip.plan;
    plan.planes[0] = planes + clip.planes;
    plan.planes[1] = plan.planes[0] + int64_t{picture.width} * picture.height;
    plan.planes[2] = plan.planes[1] + picture.ChromaBytes();
    plan.strides[0] = picture.width;
    plan.strides[1] = plan.strides[2] = (picture.width + 1) / 2;
    plan.chroma_columns = {numbers + clip.position, halves + clip.first, halves + clip.second};
    plan.chroma_rows = {numbers + clip.row_and_mean};
    plan.columns = {clip.columns.taps, numbers + clip.columns.first,
                    numbers + clip.columns.weights};
    plan.rows = {clip.rows.taps, numbers + clip.rows.first, numbers + clip.rows.weights};
    append(&plan, sizeof(plan));
  }
  append(numbers_.data(), numbers_.size() * sizeof(int32_t));
  append(halves_.data(), halves_.size() * sizeof(int16_t));
  return bytes;
}

}  // namespace op3d::gpu
