// For any bytes the result must be frames or a status.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/video/file/video_file.h"

namespace op3d::data {
namespace {

// Small limits, so that the fuzzer can try many inputs.
VideoLimits Limits() {
  VideoLimits limits;
  limits.max_pixels = 1 << 16;
  limits.max_frames = 200;
  limits.max_seconds = 3600;
  return limits;
}

void ReadSome(const std::string& path) {
  const absl::StatusOr<VideoScan> scan = ScanVideoFile(path, Limits());
  if (!scan.ok()) return;
  auto reader = OpenVideoFile(path, *scan, Limits());
  if (!reader.ok()) return;
  const VideoInfo& info = (*reader)->info();
  const auto sink = [&](int64_t, const RgbImage& image) {
    const size_t bytes = size_t{3} * image.width * image.height;
    if (image.pixels.size() != bytes) std::abort();
    return absl::OkStatus();
  };
  // Forward, back, and a part of the last frame; both a status and a frame are fine.
  (*reader)->Read({0, info.frames / 2}, sink).IgnoreError();
  (*reader)->Read({info.frames / 3}, sink).IgnoreError();
  if ((*reader)->SetBox({0, 0, (info.width + 1) / 2, (info.height + 1) / 2}).ok()) {
    (*reader)->Read({info.frames - 1}, sink).IgnoreError();
  }
}

}  // namespace
}  // namespace op3d::data

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A file that exists only in memory.
  const int file = memfd_create("video_fuzz", MFD_CLOEXEC);
  if (file < 0) std::abort();
  for (size_t done = 0; done < size;) {
    const ssize_t written = write(file, data + done, size - done);
    if (written <= 0) std::abort();
    done += static_cast<size_t>(written);
  }
  op3d::data::ReadSome(absl::StrCat("/proc/self/fd/", file));
  close(file);
  return 0;
}
