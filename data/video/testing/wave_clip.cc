#include "data/video/testing/wave_clip.h"

#include <cmath>
#include <cstdlib>

#include "data/video/writer/video_writer.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {
namespace {

RgbImage Picture(int width, int height, int frame, RandomStream* noise) {
  RgbImage image = {width, height, {}};
  image.pixels.reserve(static_cast<size_t>(width) * height * 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double wave = std::sin((x + 2 * frame) * 0.11) * std::cos((y - frame) * 0.07);
      const int base = 128 + static_cast<int>(80 * wave) + static_cast<int>(noise->UniformInt(9));
      for (const int tint : {0, 13, -11}) image.pixels.push_back(static_cast<uint8_t>(base + tint));
    }
  }
  return image;
}

}  // namespace

std::string WriteWaveClip(const std::string& folder, absl::string_view name, int frames,
                          uint64_t seed) {
  VideoWriterOptions options;
  options.width = 340;
  options.height = 256;
  options.preset = "medium";
  options.crf = 23;
  options.key_frame_distance = 250;
  auto writer = VideoWriter::Make(options);
  RandomStream noise(seed, "noise", {});
  for (int k = 0; k < frames; ++k) {
    if (!(*writer)->Add(Picture(options.width, options.height, k, &noise)).ok()) std::abort();
  }
  const std::string path = JoinPath(folder, name);
  if (!WriteFileAtomically(path, *(*writer)->Finish()).ok()) std::abort();
  return path;
}

}  // namespace op3d::data
