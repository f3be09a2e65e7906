// The version of FFmpeg: pixels differ a little between versions, so records name it.
#ifndef OP3D_DATA_VIDEO_FFMPEG_FFMPEG_VERSION_H_
#define OP3D_DATA_VIDEO_FFMPEG_FFMPEG_VERSION_H_

#include <string>

namespace op3d::data {

// "libavcodec 59.37.100", the library found at run time.
std::string FfmpegVersion();

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FFMPEG_FFMPEG_VERSION_H_
