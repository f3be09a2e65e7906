#include "data/video/reader/video_reader.h"

#include "absl/strings/str_cat.h"

namespace op3d::data {

absl::Status CheckBox(const Box& box, int64_t width, int64_t height) {
  const bool inside = box.left >= 0 && box.top >= 0 && box.width > 0 && box.height > 0 &&
                      box.width <= width - box.left && box.height <= height - box.top;
  if (inside) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a box of ", box.width, "x", box.height, " at (", box.left, ", ", box.top,
                   ") does not lie in frames of ", width, "x", height));
}

absl::Status VideoReader::SetBox(const Box& box) {
  const absl::Status status = CheckBox(box, info().width, info().height);
  if (status.ok()) box_ = box;
  return status;
}

Box VideoReader::box() const {
  return box_.width > 0 ? box_ : Box{0, 0, info().width, info().height};
}

VideoReader::Counters& VideoReader::Counters::operator+=(const Counters& other) {
  packets += other.packets;
  decoded += other.decoded;
  converted += other.converted;
  given += other.given;
  resized += other.resized;
  software += other.software;
  seeks += other.seeks;
  rewinds += other.rewinds;
  return *this;
}

absl::Status CheckFrameIndices(absl::Span<const int64_t> indices, int64_t frames,
                               absl::string_view path) {
  int64_t before = -1;
  for (const int64_t frame : indices) {
    if (frame < 0 || frame >= frames) {
      return absl::OutOfRangeError(
          absl::StrCat(path, " has no frame ", frame, ": its frames are 0 to ", frames - 1));
    }
    if (frame <= before) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": frame numbers must increase, ", frame, " follows ", before));
    }
    before = frame;
  }
  return absl::OkStatus();
}

}  // namespace op3d::data
