// Writes small videos, one of each kind that the reader supports, to the named files: seeds for
// fuzzing.
//
//   video_seeds OUT/h264.mp4 OUT/hevc.mkv ...
//
// A file's name says its kind (Kinds below).
#include <cmath>
#include <iostream>
#include <map>
#include <string>

#include "data/video/writer/video_writer.h"
#include "op3d/base/file.h"

namespace op3d::data {
namespace {

constexpr int kWidth = 32;
constexpr int kHeight = 24;
constexpr int kFrames = 9;

VideoWriterOptions Kind(const std::string& container, const std::string& encoder) {
  VideoWriterOptions options;
  options.width = kWidth;
  options.height = kHeight;
  options.container = container;
  options.encoder = encoder;
  options.crf = 35;
  options.key_frame_distance = 6;
  return options;
}

std::map<std::string, VideoWriterOptions> Kinds() {
  std::map<std::string, VideoWriterOptions> kinds = {
      {"h264.mp4", Kind("mp4", "libx264")},          {"h264_turned.mp4", Kind("mp4", "libx264")},
      {"h264_10bit.mp4", Kind("mp4", "libx264")},    {"h264.ts", Kind("mpegts", "libx264")},
      {"hevc.mkv", Kind("matroska", "libx265")},     {"vp9.webm", Kind("webm", "libvpx-vp9")},
      {"av1.mkv", Kind("matroska", "libaom-av1")},   {"xvid.avi", Kind("avi", "mpeg4")},
      {"divx_packed.avi", Kind("avi", "mpeg4")},     {"remux.mp4", Kind("mp4", "libx264")},
      {"remux.mkv", Kind("matroska", "mpeg2video")}, {"remux.nut", Kind("nut", "libx264")},
      {"joined.ts", Kind("mpegts", "libx264")},      {"joined_hevc.ts", Kind("mpegts", "libx265")},
  };
  kinds["h264_turned.mp4"].rotation = 90;
  kinds["h264_turned.mp4"].first_frame_time = 5;
  kinds["h264_10bit.mp4"].pixel_format = "yuv420p10le";
  kinds["xvid.avi"].fourcc = "XVID";
  kinds["xvid.avi"].b_frames = 0;
  kinds["divx_packed.avi"].fourcc = "DX50";
  kinds["divx_packed.avi"].b_frames = 1;
  kinds["divx_packed.avi"].packed_b_frames = true;
  for (const char* name : {"remux.mp4", "remux.mkv", "remux.nut"}) {
    kinds[name].b_frames = 2;
    kinds[name].decoding_times = true;
  }
  return kinds;
}

// Concatenated recordings whose times overlap.
bool IsJoined(const std::string& name) { return name.rfind("joined", 0) == 0; }

absl::StatusOr<std::string> Encode(const VideoWriterOptions& options) {
  auto writer = VideoWriter::Make(options);
  if (!writer.ok()) return writer.status();
  for (int k = 0; k < kFrames; ++k) {
    RgbImage image = {kWidth, kHeight, {}};
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const int value = 128 + static_cast<int>(100 * std::sin(0.3 * (x + 2 * k) + 0.2 * y));
        for (const int tint : {0, 9, -9}) image.pixels.push_back(value + tint);
      }
    }
    const absl::Status added = (*writer)->Add(image);
    if (!added.ok()) return added;
  }
  return (*writer)->Finish();
}

int Main(int argc, char** argv) {
  const auto kinds = Kinds();
  for (int i = 1; i < argc; ++i) {
    const std::string path = argv[i];
    const std::string name = path.substr(path.rfind('/') + 1);
    const auto kind = kinds.find(name);
    if (kind == kinds.end()) {
      std::cerr << path << ": no such kind of video\n";
      return 2;
    }
    absl::StatusOr<std::string> bytes = Encode(kind->second);
    if (bytes.ok() && IsJoined(name)) {
      VideoWriterOptions second = kind->second;
      second.first_frame_time = 4;
      const absl::StatusOr<std::string> more = Encode(second);
      bytes = more.ok() ? *bytes + *more : more;
    }
    const absl::Status status = bytes.ok() ? WriteFileAtomically(path, *bytes) : bytes.status();
    if (!status.ok()) {
      std::cerr << path << ": " << status.ToString() << "\n";
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace op3d::data

int main(int argc, char** argv) { return op3d::data::Main(argc, argv); }
