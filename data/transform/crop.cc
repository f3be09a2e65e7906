#include "data/transform/crop.h"

#include <cmath>

namespace op3d::data {
namespace {

constexpr double kMinRatio = 3.0 / 4.0;
constexpr double kMaxRatio = 4.0 / 3.0;
constexpr int kTries = 10;

// Halves are rounded to the even number, as Python's round does.
int RoundToEven(double value) { return static_cast<int>(std::nearbyint(value)); }

}  // namespace

Box CropBox(CropPlace place, int width, int height, int size) {
  switch (place) {
    case CropPlace::kTopLeft:
      return {0, 0, size, size};
    case CropPlace::kBottomRight:
      return {width - size, height - size, size, size};
    case CropPlace::kCentre:
      break;
  }
  return {RoundToEven((width - size) / 2.0), RoundToEven((height - size) / 2.0), size, size};
}

Box SizedCropBox(int width, int height, double area, double ratio) {
  const double pixels = static_cast<double>(height) * width * area;
  return {0, 0, RoundToEven(std::sqrt(pixels * ratio)), RoundToEven(std::sqrt(pixels / ratio))};
}

Box FallbackCropBox(int width, int height) {
  Box box = {0, 0, width, height};
  const double ratio = static_cast<double>(width) / height;
  if (ratio < kMinRatio) {
    box.height = RoundToEven(width / kMinRatio);
  } else if (ratio > kMaxRatio) {
    box.width = RoundToEven(height * kMaxRatio);
  }
  box.left = (width - box.width) / 2;
  box.top = (height - box.height) / 2;
  return box;
}

Box RandomResizedCropBox(int width, int height, double min_area, double max_area,
                         RandomStream* stream) {
  for (int i = 0; i < kTries; ++i) {
    const double area = stream->Uniform(min_area, max_area);
    const double ratio = std::exp(stream->Uniform(std::log(kMinRatio), std::log(kMaxRatio)));
    Box box = SizedCropBox(width, height, area, ratio);
    if (box.width < 1 || box.width > width || box.height < 1 || box.height > height) continue;
    box.left = static_cast<int>(stream->UniformInt(width - box.width + 1));
    box.top = static_cast<int>(stream->UniformInt(height - box.height + 1));
    return box;
  }
  return FallbackCropBox(width, height);
}

}  // namespace op3d::data
