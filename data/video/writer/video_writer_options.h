// The options of a VideoWriter.
#ifndef OP3D_DATA_VIDEO_WRITER_VIDEO_WRITER_OPTIONS_H_
#define OP3D_DATA_VIDEO_WRITER_VIDEO_WRITER_OPTIONS_H_

#include <cstdint>
#include <string>

namespace op3d::data {

struct VideoWriterOptions {
  // In pixels; both even (colours are stored for blocks of 2x2 pixels) and at least 16.
  int width = 0;
  int height = 0;
  // Frames a second.
  int frame_rate = 25;
  // FFmpeg's name of the container: "mp4", "matroska", "webm", "avi", "mpegts", "nut".
  std::string container = "mp4";
  // FFmpeg's name of the encoder: "libx264", "libx265", "libvpx-vp9", "libaom-av1", "mpeg4",
  // "mpeg2video".
  std::string encoder = "libx264";
  // The codec's name in an AVI file, four characters ("XVID", "DX50"); empty = the container's own.
  std::string fourcc = "";
  // How pixels are stored, by FFmpeg's name: "yuv420p10le" has ten bits.
  std::string pixel_format = "yuv420p";
  // Brightness 0 to 255 instead of 16 to 235.
  bool full_range = false;
  // Quality, 0 (best) to 51.  The preset is the trade-off of speed and size, by libx264's and
  // libx265's names; "realtime" for libvpx.
  int crf = 20;
  std::string preset = "veryfast";
  // Distance of key frames, in frames, also at changes of scene; 0 = the encoder's own.
  int key_frame_distance = 0;
  // B-frames in a row; -1 = the encoder's own.
  int b_frames = -1;
  // mpeg4 in avi with b_frames = 1: as DivX stores them (packed_b_frames.h).
  bool packed_b_frames = false;
  // matroska, webm: as a live recording, whose header has neither duration nor frame count.
  bool live = false;
  // Presentation times equal decoding times, which is wrong only for B-frames: the result of
  // copying a stream without times into another container.
  bool decoding_times = false;
  // Time of the first frame, in frames.
  int64_t first_frame_time = 0;
  // Degrees clockwise by which a player should rotate the pictures: 0, 90, 180, 270.
  int rotation = 0;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_WRITER_VIDEO_WRITER_OPTIONS_H_
