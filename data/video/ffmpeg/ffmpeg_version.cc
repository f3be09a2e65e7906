#include "data/video/ffmpeg/ffmpeg_version.h"

#include "absl/strings/str_cat.h"
#include "data/video/ffmpeg/ffmpeg.h"

namespace op3d::data {

std::string FfmpegVersion() {
  const unsigned version = avcodec_version();
  return absl::StrCat("libavcodec ", AV_VERSION_MAJOR(version), ".", AV_VERSION_MINOR(version), ".",
                      AV_VERSION_MICRO(version));
}

}  // namespace op3d::data
