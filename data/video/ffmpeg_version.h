// Which FFmpeg decodes: pixels differ a little between its versions, so records name it.
#ifndef DATA_VIDEO_FFMPEG_VERSION_H_
#define DATA_VIDEO_FFMPEG_VERSION_H_

#include <string>

namespace op3d {

// "libavcodec 59.37.100", the library found at run time.
std::string FfmpegVersion();

}  // namespace op3d

#endif  // DATA_VIDEO_FFMPEG_VERSION_H_
