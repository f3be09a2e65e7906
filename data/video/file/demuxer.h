// The packets of a file's video stream, in the order in which they are stored.
//
//   OP3D_ASSIGN_OR_RETURN(Demuxer demuxer, Demuxer::Open(path, limits));
//   while (const AVPacket* packet = demuxer.Next()) Use(*packet);
//
// The stream is the first one that the file marks as default, or else the first one; cover pictures
// do not count.  (FFmpeg's own choice prefers a higher bit rate, which it guesses; OpenCV and PyAV
// also take the first.)
#ifndef OP3D_DATA_VIDEO_FILE_DEMUXER_H_
#define OP3D_DATA_VIDEO_FILE_DEMUXER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "data/video/file/b_frame_unpacker.h"
#include "data/video/file/video_source.h"
#include "data/video/reader/video_info.h"

namespace op3d::data {

// The largest number of pictures that may wait in a decoder for one presented before them.  The
// H.264 decoder aborts the process above it (an assertion), whether a file's header or a caller
// asks for more.
inline constexpr int kLargestReorderDepth = 16;

// How stored pixels become presented ones: first transposed, then mirrored.
struct Orientation {
  bool transpose = false;
  bool flip_x = false;
  bool flip_y = false;
};

class Demuxer {
 public:
  // How the streams are examined.  kPackets: completely, by decoding some of their first packets.
  // kHeader: only the header, if that is enough to decode (MP4 and Matroska with a codec that they
  // describe); frame rates are then unknown and the frame size is taken from the header.
  enum class Probe { kPackets, kHeader };

  // NotFound, InvalidArgument (not a regular file, empty, not a video), ResourceExhausted (more
  // pixels than `limits` allow); messages start with the source's name.
  static absl::StatusOr<Demuxer> Open(const VideoSource& source, const VideoLimits& limits,
                                      Probe probe = Probe::kPackets);

  const VideoSource& source() const { return source_; }
  // The source's name.
  const std::string& path() const { return source_.name; }
  // Whether packets were decoded to examine the streams.
  bool probed() const { return probed_; }
  const AVStream& stream() const { return *input_->streams[stream_]; }
  const AVCodecParameters& parameters() const { return *stream().codecpar; }
  // Video streams in the file, covers not counted.
  int video_streams() const { return video_streams_; }
  // From the stream's display matrix.  `exact` is false if the matrix asks for anything other
  // than quarter turns and mirrors.
  Orientation orientation(bool* exact) const;

  // Call before the first packet is read: whether B-frames are packed, and from then on packets of
  // single pictures (b_frame_unpacker.h).
  bool HasPackedBFrames();
  absl::Status UnpackBFrames();

  // The next non-empty packet, valid until the next call; nullptr at the end.
  const AVPacket* Next();
  // The result of the next call of Next(), without consuming it.
  const AVPacket* Peek();
  // True if the file ended with an error instead of its end, or its B-frames were not packed as
  // they should have been.
  bool damaged() const { return damaged_ || (unpacker_.has_value() && unpacker_->broken()); }

  // Next() continues at a key frame at or before `pts` (in the stream's time base).  False if the
  // container cannot seek; then the position is unknown.  The caller must check which key frame it
  // is, because containers' indices may be wrong.
  bool Seek(int64_t pts);

 private:
  explicit Demuxer(VideoSource source) : source_(std::move(source)) {}
  absl::Status ProbePackets(const VideoLimits& limits);
  void LimitDelays();
  absl::Status ChooseStream();
  absl::Status CheckSize(const VideoLimits& limits) const;
  void ReadPacket();

  VideoSource source_;
  InputPtr input_;
  PacketPtr packet_;
  std::optional<BFrameUnpacker> unpacker_;
  bool peeked_ = false;
  bool ended_ = false;
  bool damaged_ = false;
  int stream_ = -1;
  int video_streams_ = 0;
  bool probed_ = false;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_DEMUXER_H_
