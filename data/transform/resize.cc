#include "data/transform/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/transform/pixel_rows.h"

namespace op3d::data {
namespace {

constexpr int kBits = 22;
constexpr int kLargestSide = 32768;

std::string Text(const Box& box) {
  return absl::StrCat(box.width, "x", box.height, " at (", box.left, ", ", box.top, ")");
}

// The inputs of one output and their weights, before rounding to whole numbers.
struct Taps {
  int first;
  std::vector<double> weights;
};

Taps MakeTaps(int source_size, int size, int output) {
  const double scale = static_cast<double>(source_size) / size;
  const double reach = std::max(scale, 1.0);
  const double per_reach = 1.0 / reach;
  const double centre = (output + 0.5) * scale;
  Taps taps;
  taps.first = std::max(static_cast<int>(centre - reach + 0.5), 0);
  const int last = std::min(static_cast<int>(centre + reach + 0.5), source_size);
  double total = 0;
  for (int i = taps.first; i < last; ++i) {
    taps.weights.push_back(std::max(0.0, 1.0 - std::abs((i - centre + 0.5) * per_reach)));
    total += taps.weights.back();
  }
  for (double& weight : taps.weights) weight /= total;
  return taps;
}

}  // namespace

PictureSize ShortSideSize(int width, int height, int short_side) {
  const int64_t size = short_side;
  if (width <= height) return {short_side, static_cast<int>(size * height / std::max(width, 1))};
  return {static_cast<int>(size * width / std::max(height, 1)), short_side};
}

Resize::Axis Resize::MakeAxis(int source_size, int size, int window_start, int window_size) {
  Axis axis;
  axis.copy = source_size == size;
  std::vector<Taps> all;
  all.reserve(window_size);
  for (int i = 0; i < window_size; ++i) {
    all.push_back(MakeTaps(source_size, size, window_start + i));
    axis.taps = std::max(axis.taps, static_cast<int>(all.back().weights.size()));
  }
  // Equal numbers of taps make simple loops; the extra ones have weight 0 and stay inside.
  axis.first.resize(window_size);
  axis.weights.assign(static_cast<size_t>(window_size) * axis.taps, 0);
  for (int i = 0; i < window_size; ++i) {
    axis.first[i] = axis.copy ? window_start + i : std::min(all[i].first, source_size - axis.taps);
    const int moved = all[i].first - axis.first[i];
    for (size_t k = 0; k < all[i].weights.size() && !axis.copy; ++k) {
      axis.weights[static_cast<size_t>(i) * axis.taps + moved + k] =
          static_cast<int32_t>(all[i].weights[k] * (1 << kBits) + 0.5);
    }
  }
  axis.start = axis.first.front();
  axis.length = axis.first.back() + (axis.copy ? 1 : axis.taps) - axis.start;
  for (int& first : axis.first) first -= axis.start;
  return axis;
}

absl::StatusOr<Resize> Resize::Make(const Box& source, int width, int height, const Box& window) {
  if (source.left < 0 || source.top < 0 || source.width < 1 || source.height < 1) {
    return absl::InvalidArgumentError(absl::StrCat("cannot resize the box ", Text(source)));
  }
  if (width < 1 || height < 1 || width > kLargestSide || height > kLargestSide ||
      source.width > kLargestSide || source.height > kLargestSide) {
    return absl::InvalidArgumentError(absl::StrCat("cannot resize ", Text(source), " to ", width,
                                                   "x", height, ": sides must be 1 to ",
                                                   kLargestSide, " pixels"));
  }
  if (window.left < 0 || window.top < 0 || window.width < 1 || window.height < 1 ||
      window.width > width - window.left || window.height > height - window.top) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the window ", Text(window), " is not inside a picture of ", width, "x", height));
  }
  Resize resize;
  resize.window_ = window;
  resize.x_ = MakeAxis(source.width, width, window.left, window.width);
  resize.y_ = MakeAxis(source.height, height, window.top, window.height);
  if (!resize.x_.copy) {
    resize.taps_ =
        MakeRowTaps(resize.x_.taps, std::move(resize.x_.first), std::move(resize.x_.weights));
  }
  resize.needed_ = {source.left + resize.x_.start, source.top + resize.y_.start, resize.x_.length,
                    resize.y_.length};
  return resize;
}

Resize::AxisTables Resize::columns() const {
  if (x_.copy) return {0, &x_.first, &x_.weights};
  return {taps_.taps, &taps_.first, &taps_.weights};
}

Resize::AxisTables Resize::rows() const { return {y_.copy ? 0 : y_.taps, &y_.first, &y_.weights}; }

void Resize::AlongX(const uint8_t* row, int readable, uint8_t* out) const {
  if (x_.copy) {
    std::memcpy(out, row, static_cast<size_t>(window_.width) * 3);
    return;
  }
  BestPixelRows().along_x(row, readable, taps_, out);
}

void Resize::AlongY(int y, uint8_t* out) const {
  const int row = window_.width * 3;
  const uint8_t* in = rows_.data() + static_cast<size_t>(y_.first[y]) * row;
  if (y_.copy) {
    std::memcpy(out, in, row);
    return;
  }
  const int32_t* weights = y_.weights.data() + static_cast<size_t>(y) * y_.taps;
  BestPixelRows().along_y(in, weights, y_.taps, row, out);
}

void Resize::Apply(const uint8_t* pixels, const Box& part, uint8_t* out) {
  rows_.resize(static_cast<size_t>(window_.width) * 3 * y_.length);
  const size_t row = static_cast<size_t>(window_.width) * 3;
  const int left = needed_.left - part.left;
  for (int y = 0; y < needed_.height; ++y) {
    const size_t start = static_cast<size_t>(needed_.top - part.top + y) * part.width + left;
    // The following memory, also of the next rows, may be read.
    const size_t readable = static_cast<size_t>(part.width) * part.height - start;
    AlongX(pixels + start * 3, static_cast<int>(std::min<size_t>(readable, kLargestSide)),
           rows_.data() + row * y);
  }
  for (int y = 0; y < window_.height; ++y) AlongY(y, out + row * y);
}

}  // namespace op3d::data
