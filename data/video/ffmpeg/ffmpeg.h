// The only file that includes libav*.  It holds what every use of FFmpeg needs:
// owners for its objects, absl::Status for its error codes, and silence for its log.
//
// The only process-wide state of FFmpeg that matters is its log callback; FfmpegLog replaces it
// permanently.  No type of FFmpeg is used outside data/video.
#ifndef OP3D_DATA_VIDEO_FFMPEG_FFMPEG_H_
#define OP3D_DATA_VIDEO_FFMPEG_FFMPEG_H_

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

// ------------------------------------------------------------------------------------- owners
struct FfmpegDeleter {
  void operator()(AVBSFContext* filter) const { av_bsf_free(&filter); }
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
  void operator()(AVCodecParserContext* parser) const { av_parser_close(parser); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
struct FfmpegInputDeleter {
  void operator()(AVFormatContext* input) const { avformat_close_input(&input); }
};
struct FfmpegOutputDeleter {
  void operator()(AVFormatContext* output) const { avformat_free_context(output); }
};
struct FfmpegStreamDeleter {
  void operator()(AVIOContext* stream) const;
};
using BitstreamFilterPtr = std::unique_ptr<AVBSFContext, FfmpegDeleter>;
using CodecPtr = std::unique_ptr<AVCodecContext, FfmpegDeleter>;
using FramePtr = std::unique_ptr<AVFrame, FfmpegDeleter>;
using PacketPtr = std::unique_ptr<AVPacket, FfmpegDeleter>;
using ParserPtr = std::unique_ptr<AVCodecParserContext, FfmpegDeleter>;
using ScalerPtr = std::unique_ptr<SwsContext, FfmpegDeleter>;
using InputPtr = std::unique_ptr<AVFormatContext, FfmpegInputDeleter>;
using OutputPtr = std::unique_ptr<AVFormatContext, FfmpegOutputDeleter>;
using StreamPtr = std::unique_ptr<AVIOContext, FfmpegStreamDeleter>;

// A file in memory to which a muxer can write and seek (FFmpeg's own, avio_open_dyn_buf, loses
// parts of AVI files).  Flush with avio_flush before reading `bytes`.
class MemoryFile {
 public:
  MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  AVIOContext* stream() { return stream_.get(); }
  std::string& bytes() { return bytes_; }

 private:
  static int Write(void* self, uint8_t* data, int size);
  static int64_t Seek(void* self, int64_t offset, int whence);

  std::string bytes_;
  size_t position_ = 0;
  StreamPtr stream_;
};

// ------------------------------------------------------------------------------------- errors
// OK for `code` >= 0; otherwise "`what`: <FFmpeg's words>" with NotFound, InvalidArgument,
// ResourceExhausted (no memory), Unimplemented (a feature or codec is missing), DataLoss
// (invalid data, unexpected end) or Internal.
absl::Status FfmpegStatus(int code, absl::string_view what);

// ---------------------------------------------------------------------------------------- log
// Collects the warnings and errors that FFmpeg logs on this thread during its lifetime.  From the
// first one's construction on, FFmpeg prints nothing.  If several exist, the innermost collects.
class FfmpegLog {
 public:
  FfmpegLog();
  ~FfmpegLog();
  FfmpegLog(const FfmpegLog&) = delete;
  FfmpegLog& operator=(const FfmpegLog&) = delete;

  int64_t count() const { return count_; }
  // The first line, "h264: error while decoding MB 3 4"; empty if there was none.
  const std::string& first() const { return first_; }

 private:
  static void Collect(void* object, int level, const char* format, va_list arguments);

  FfmpegLog* const outer_;
  int64_t count_ = 0;
  std::string first_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FFMPEG_FFMPEG_H_
