#include "data/video/test_clip.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

constexpr int kWidth = 64;
constexpr int kHeight = 48;

absl::StatusOr<std::string> Encode(const VideoWriterOptions& options, int frames, int first) {
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<VideoWriter> writer, VideoWriter::Make(options));
  for (int i = 0; i < frames; ++i) {
    OP3D_RETURN_IF_ERROR(writer->Add(NumberedFrame(first + i)));
  }
  return writer->Finish();
}

void CheckOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "test clip: %s\n", status.ToString().c_str());
  std::abort();
}

}  // namespace

RgbImage NumberedFrame(int number) {
  RgbImage image;
  image.width = kWidth;
  image.height = kHeight;
  image.pixels.reserve(kWidth * kHeight * 3);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const int bit = x / 16 + 4 * (y / 24);
      const uint8_t value = (number >> bit & 1) != 0 ? 235 : 20;
      image.pixels.insert(image.pixels.end(), 3, value);
    }
  }
  return image;
}

int NumberOf(const RgbImage& image) {
  if (image.width != kWidth || image.height != kHeight) return -1;
  int number = 0;
  for (int bit = 0; bit < 8; ++bit) {
    const int x = bit % 4 * 16 + 8;
    const int y = bit / 4 * 24 + 12;
    if (image.pixels[(y * kWidth + x) * 3 + 1] > 127) number |= 1 << bit;
  }
  return number;
}

VideoWriterOptions TestClipOptions() {
  VideoWriterOptions options;
  options.width = kWidth;
  options.height = kHeight;
  return options;
}

std::string MakeTestClip(const VideoWriterOptions& options, int frames, int first) {
  absl::StatusOr<std::string> bytes = Encode(options, frames, first);
  CheckOk(bytes.status());
  return *std::move(bytes);
}

std::string WriteTestClip(const std::string& folder, absl::string_view name,
                          const VideoWriterOptions& options, int frames, int first) {
  const std::string path = JoinPath(folder, name);
  CheckOk(WriteFileAtomically(path, MakeTestClip(options, frames, first)));
  return path;
}

}  // namespace op3d
