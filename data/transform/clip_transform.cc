#include "data/transform/clip_transform.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "data/transform/colour.h"
#include "data/transform/normalise.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr double kMinSigma = 0.1;
constexpr double kMaxSigma = 2.0;

absl::Status CheckCrop(absl::string_view crop_field, int crop, absl::string_view side_field,
                       int side) {
  OP3D_RETURN_IF_ERROR(RequireIn(side_field, side, 1, 8192));
  OP3D_RETURN_IF_ERROR(RequireIn(crop_field, crop, 1, 8192));
  if (crop <= side) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(crop_field, " of ", crop, " does not fit into ", side_field, " of ", side));
}

// The smallest box that contains all of `boxes`.
Box BoundingBox(const std::vector<Box>& boxes) {
  int left = boxes[0].left, top = boxes[0].top, right = 0, bottom = 0;
  for (const Box& box : boxes) {
    left = std::min(left, box.left);
    top = std::min(top, box.top);
    right = std::max(right, box.left + box.width);
    bottom = std::max(bottom, box.top + box.height);
  }
  return {left, top, right - left, bottom - top};
}

}  // namespace

absl::Status CheckTransformSettings(const TransformSettings& settings) {
  OP3D_RETURN_IF_ERROR(RequireIn("transform.train_crop", settings.train_crop(), 1, 8192));
  if (!(settings.min_area() > 0) || !(settings.min_area() <= settings.max_area()) ||
      !(settings.max_area() <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("transform.min_area is ", settings.min_area(),
                                                   " and max_area ", settings.max_area(),
                                                   "; they must be 0 < min_area <= max_area <= 1"));
  }
  OP3D_RETURN_IF_ERROR(
      RequireIn("transform.jitter_probability", settings.jitter_probability(), 0, 1));
  OP3D_RETURN_IF_ERROR(RequireIn("transform.brightness", settings.brightness(), 0, 1));
  OP3D_RETURN_IF_ERROR(RequireIn("transform.contrast", settings.contrast(), 0, 1));
  OP3D_RETURN_IF_ERROR(RequireIn("transform.saturation", settings.saturation(), 0, 1));
  OP3D_RETURN_IF_ERROR(RequireIn("transform.hue", settings.hue(), 0, 0.5));
  OP3D_RETURN_IF_ERROR(RequireIn("transform.grey_probability", settings.grey_probability(), 0, 1));
  OP3D_RETURN_IF_ERROR(RequireIn("transform.blur_probability", settings.blur_probability(), 0, 1));
  OP3D_RETURN_IF_ERROR(
      RequireIn("transform.rand_augment_draws", settings.rand_augment_draws(), 0, 16));
  OP3D_RETURN_IF_ERROR(
      RequireIn("transform.rand_augment_magnitude", settings.rand_augment_magnitude(), 0, 30));
  OP3D_RETURN_IF_ERROR(CheckCrop("transform.search_crop", settings.search_crop(),
                                 "transform.search_short_side", settings.search_short_side()));
  return CheckCrop("transform.test_crop", settings.test_crop(), "transform.test_short_side",
                   settings.test_short_side());
}

absl::string_view CpuOnly(const TrainDraw& draw) {
  if (!draw.augment.empty()) return "RandAugment";
  if (draw.blur_sigma.has_value()) return "blur";
  return draw.jitter && draw.hue.has_value() ? "hue" : "";
}

TrainDraw DrawTrainTransform(const TransformSettings& settings, int width, int height,
                             RandomStream* stream) {
  TrainDraw draw;
  draw.width = width;
  draw.height = height;
  draw.jitter = stream->Bernoulli(settings.jitter_probability());
  const std::vector<int64_t> order = stream->Permutation(draw.order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    draw.order[i] = static_cast<TrainDraw::Colour>(order[i]);
  }
  auto around = [stream](double middle, double reach) {
    return stream->Uniform(middle - reach, middle + reach);
  };
  draw.brightness = static_cast<float>(around(1, settings.brightness()));
  draw.contrast = static_cast<float>(around(1, settings.contrast()));
  draw.saturation = static_cast<float>(around(1, settings.saturation()));
  const double hue = around(0, settings.hue());
  if (settings.hue() > 0) draw.hue = hue;
  draw.grey = stream->Bernoulli(settings.grey_probability());
  const bool blurred = stream->Bernoulli(settings.blur_probability());
  const double sigma = stream->Uniform(kMinSigma, kMaxSigma);
  if (blurred) draw.blur_sigma = static_cast<float>(sigma);
  const bool mirrored = stream->Bernoulli(0.5);
  draw.mirror = mirrored && settings.horizontal_flip();
  // Last, because its number of draws varies.
  draw.crop = RandomResizedCropBox(width, height, settings.min_area(), settings.max_area(), stream);
  if (settings.rand_augment_draws() > 0) {
    draw.augment = DrawRandAugment(settings.rand_augment_draws(), settings.rand_augment_magnitude(),
                                   settings.train_crop(), settings.train_crop(), stream);
    draw.jitter = draw.grey = false;
    draw.blur_sigma.reset();
  }
  return draw;
}

absl::StatusOr<ClipTransform> ClipTransform::ForTraining(const TrainDraw& draw,
                                                         const TransformSettings& settings) {
  OP3D_RETURN_IF_ERROR(CheckTransformSettings(settings));
  const Box& crop = draw.crop;
  if (crop.width > draw.width - crop.left || crop.height > draw.height - crop.top) {
    return absl::InvalidArgumentError(
        absl::StrCat("the crop ", crop.width, "x", crop.height, " at (", crop.left, ", ", crop.top,
                     ") is not inside a frame of ", draw.width, "x", draw.height));
  }
  const int size = settings.train_crop();
  const Box all = {0, 0, size, size};
  OP3D_ASSIGN_OR_RETURN(Resize resize, Resize::Make(crop, size, size, all));
  ClipTransform transform(std::move(resize), draw.width, draw.height, size);
  transform.crops_ = {all};
  transform.draw_ = draw;
  if (draw.blur_sigma.has_value()) transform.blur_.emplace(*draw.blur_sigma);
  transform.pixels_.resize(static_cast<size_t>(size) * size * 3);
  return transform;
}

absl::StatusOr<ClipTransform> ClipTransform::ForSearch(const TransformSettings& settings, int width,
                                                       int height) {
  OP3D_RETURN_IF_ERROR(CheckTransformSettings(settings));
  return ForEvaluation({CropPlace::kCentre}, settings.search_short_side(), settings.search_crop(),
                       width, height);
}

absl::StatusOr<ClipTransform> ClipTransform::ForTest(const TransformSettings& settings, int width,
                                                     int height) {
  OP3D_RETURN_IF_ERROR(CheckTransformSettings(settings));
  return ForEvaluation({CropPlace::kCentre, CropPlace::kTopLeft, CropPlace::kBottomRight},
                       settings.test_short_side(), settings.test_crop(), width, height);
}

absl::StatusOr<ClipTransform> ClipTransform::ForEvaluation(absl::Span<const CropPlace> places,
                                                           int short_side, int size, int width,
                                                           int height) {
  if (width < 1 || height < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("a frame of ", width, "x", height, " pixels cannot be resized"));
  }
  const PictureSize whole = ShortSideSize(width, height, short_side);
  std::vector<Box> crops;
  for (const CropPlace place : places) {
    crops.push_back(CropBox(place, whole.width, whole.height, size));
  }
  // Crops overlap: pixels that several of them keep are computed once.
  const Box window = BoundingBox(crops);
  OP3D_ASSIGN_OR_RETURN(Resize resize,
                        Resize::Make({0, 0, width, height}, whole.width, whole.height, window));
  ClipTransform transform(std::move(resize), width, height, size);
  for (Box& crop : crops) {
    crop.left -= window.left;
    crop.top -= window.top;
  }
  transform.crops_ = std::move(crops);
  transform.pixels_.resize(static_cast<size_t>(window.width) * window.height * 3);
  return transform;
}

absl::Status ClipTransform::Load(const RgbImage& frame) {
  if (frame.width != width_ || frame.height != height_) {
    return absl::InvalidArgumentError(absl::StrCat("a frame of ", frame.width, "x", frame.height,
                                                   " in a clip of ", width_, "x", height_,
                                                   "; all frames must have one size"));
  }
  return LoadPart(frame, {0, 0, width_, height_});
}

absl::Status ClipTransform::ResizePart(const RgbImage& image, const Box& part, uint8_t* pixels) {
  const size_t bytes = static_cast<size_t>(part.width) * part.height * 3;
  const Box& needed = resize_.needed();
  if (image.width != part.width || image.height != part.height || image.pixels.size() != bytes ||
      needed.left < part.left || needed.top < part.top ||
      needed.left + needed.width > part.left + part.width ||
      needed.top + needed.height > part.top + part.height) {
    return absl::InvalidArgumentError(
        absl::StrCat("an image of ", image.width, "x", image.height, " (", image.pixels.size(),
                     " bytes) cannot be the part ", part.width, "x", part.height, " at (",
                     part.left, ", ", part.top, ") of a frame of which ", needed.width, "x",
                     needed.height, " at (", needed.left, ", ", needed.top, ") is needed"));
  }
  resize_.Apply(image.pixels.data(), part, pixels);
  return absl::OkStatus();
}

absl::Status ClipTransform::LoadPart(const RgbImage& image, const Box& part) {
  OP3D_RETURN_IF_ERROR(ResizePart(image, part, pixels_.data()));
  for (const AugmentStep& step : draw_.augment) ApplyAugment(step, size_, size_, &pixels_);
  if (draw_.jitter) Jitter();
  if (draw_.grey) MakeGrey(absl::MakeSpan(pixels_));
  if (blur_.has_value()) {
    blur_->Apply(resize_.window().width, resize_.window().height, pixels_.data());
  }
  return absl::OkStatus();
}

bool ClipTransform::Colours() const {
  return !draw_.augment.empty() || draw_.jitter || draw_.grey || blur_.has_value();
}

absl::Status ClipTransform::WritePart(const RgbImage& image, const Box& part, uint8_t* pixels) {
  if (!Colours()) return ResizePart(image, part, pixels);
  OP3D_RETURN_IF_ERROR(LoadPart(image, part));
  std::copy(pixels_.begin(), pixels_.end(), pixels);
  return absl::OkStatus();
}

void ClipTransform::Jitter() {
  const absl::Span<uint8_t> pixels = absl::MakeSpan(pixels_);
  for (const TrainDraw::Colour colour : draw_.order) {
    switch (colour) {
      case TrainDraw::Colour::kBrightness:
        if (draw_.brightness != 1) AdjustBrightness(draw_.brightness, pixels);
        break;
      case TrainDraw::Colour::kContrast:
        if (draw_.contrast != 1) AdjustContrast(draw_.contrast, pixels);
        break;
      case TrainDraw::Colour::kSaturation:
        if (draw_.saturation != 1) AdjustSaturation(draw_.saturation, pixels);
        break;
      case TrainDraw::Colour::kHue:
        if (draw_.hue.has_value()) AdjustHue(*draw_.hue, pixels);
        break;
    }
  }
}

void ClipTransform::SetContent(FrameContent content) {
  content_ = content;
  if (content != FrameContent::kFlow) return;
  draw_.jitter = draw_.grey = false;
  draw_.augment.clear();
  blur_.reset();
}

void ClipTransform::Store(int crop, float* out, int64_t plane_stride) const {
  if (content_ == FrameContent::kFlow) {
    NormaliseFlow(pixels_.data(), resize_.window().width, crops_[crop], draw_.mirror, out,
                  plane_stride);
    return;
  }
  Normalise(pixels_.data(), resize_.window().width, crops_[crop], draw_.mirror, out, plane_stride);
}

}  // namespace op3d::data
