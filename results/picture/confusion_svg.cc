#include "results/picture/confusion_svg.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace op3d::results {
namespace {

constexpr size_t kMostNamed = 40, kMostCounted = 25;
constexpr double kNameSize = 12, kLongestName = 180;

// The name, cut so that it is at most kLongestName wide.
std::string ShortName(const std::string& name) {
  if (EstimateTextWidth(name, kNameSize) <= kLongestName) return name;
  size_t length = name.size();
  const auto width = [&] { return EstimateTextWidth(name.substr(0, length), kNameSize); };
  while (length > 0 && (width() > kLongestName - 10 || (name[length] & 0xC0) == 0x80)) --length;
  return absl::StrCat(name.substr(0, length), "\xE2\x80\xA6");
}

}  // namespace

Svg DrawConfusion(absl::Span<const int64_t> counts, const std::vector<std::string>& classes) {
  const size_t count = classes.size();
  const bool named = count <= kMostNamed, counted = count <= kMostCounted;
  const double cell = counted ? 34 : named ? 20 : std::max(2.0, 760.0 / static_cast<double>(count));
  double names = 0;
  for (const std::string& name : classes) {
    if (named) names = std::max(names, EstimateTextWidth(ShortName(name), kNameSize));
  }
  const double left = 26 + names + 8, top = 30 + names * 0.75 + 8;
  const double side = cell * static_cast<double>(count);
  // Slanted names of the last columns reach beyond the matrix.
  Svg picture(left + side + names * 0.7 + 10, top + side + 6, "Confusion matrix");
  picture.Text({left, 14}, "predicted class", TextStyle(12).Fill(kGrey));
  picture.Text({14, top + side / 2}, "own class", TextStyle(12).Fill(kGrey).Middle().Rotate(-90));
  picture.Rectangle({left, top}, side, side, ShapeStyle().Fill("#f5f7f9").Stroke(kPale));
  for (size_t row = 0; row < count; ++row) {
    const double y = top + cell * static_cast<double>(row);
    double videos = 0;
    for (size_t column = 0; column < count; ++column) {
      videos += static_cast<double>(counts[row * count + column]);
    }
    if (named) {
      picture.Text({left - 8, y + cell / 2 + 4}, ShortName(classes[row]),
                   TextStyle(kNameSize).End());
      picture.Text({left + cell * (static_cast<double>(row) + 0.6), top - 6},
                   ShortName(classes[row]), TextStyle(kNameSize).Rotate(-45));
    }
    for (size_t column = 0; column < count; ++column) {
      const int64_t here = counts[row * count + column];
      if (here == 0) continue;
      const double share = static_cast<double>(here) / videos;
      const double x = left + cell * static_cast<double>(column);
      // One video of many must be visible.
      const double opacity = 0.18 + 0.82 * share, gap = counted ? 1 : 0;
      picture.Rectangle({x + gap, y + gap}, cell - 2 * gap, cell - 2 * gap,
                        ShapeStyle().Fill(row == column ? kBlue : kOrange).Opacity(opacity),
                        counted ? 3 : 0);
      if (!counted) continue;
      TextStyle style = TextStyle(12).Middle();
      if (row == column && opacity > 0.6) style.Fill("#ffffff");
      picture.Text({x + cell / 2, y + cell / 2 + 4}, absl::StrCat(here), style);
    }
  }
  return picture;
}

}  // namespace op3d::results
