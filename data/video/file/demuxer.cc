#include "data/video/file/demuxer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// Only containers of videos.  Excluded are demuxers that read files other than the one named
// (playlists, image sequences) and those that accept anything as a video (text).
constexpr char kContainers[] =
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,ogg,nut,ivf,obu,av1,h264,hevc,"
    "m4v,mjpeg,gif,mxf,rm,dv,wtv,3gp,yuv4mpegpipe,swf,vob";

absl::Status CheckFile(const VideoSource& source) {
  const std::string& path = source.name;
  struct stat info;
  if (::stat(source.file.c_str(), &info) != 0) return ErrnoStatus(errno, "cannot open", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, S_ISDIR(info.st_mode) ? " is a folder" : " is not a regular file", ", not a video"));
  }
  if (info.st_size == 0 || source.bytes == 0) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is empty, not a video"));
  }
  // Errors of the machine (no permission, too many files) must not look like the video's own,
  // because an index stores those.
  const int file = ::open(source.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return ErrnoStatus(errno, "cannot open", path);
  ::close(file);
  return absl::OkStatus();
}

// With "file:" a name like "http:x.mp4" or "%03d.jpg" stays a plain file.
std::string UrlOf(const VideoSource& source) {
  const std::string file = absl::StrCat("file:", source.file);
  if (source.bytes < 0) return file;
  return absl::StrCat("subfile,,start,", source.start, ",end,", source.start + source.bytes,
                      ",,:", file);
}

absl::Status NotAVideo(const std::string& path, int code) {
  const absl::Status status = FfmpegStatus(code, "FFmpeg says");
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is not a video that can be read (", std::string(status.message()), ")"));
}

// Whether it is a container whose packets all have their own times, with codecs whose configuration
// it stores.
bool HeaderSaysAll(const AVFormatContext& input) {
  const absl::string_view name = input.iformat->name;
  if ((input.ctx_flags & AVFMTCTX_NOHEADER) != 0 ||
      (!absl::StrContains(name, "mp4") && !absl::StrContains(name, "webm"))) {
    return false;
  }
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    const AVCodecParameters& stream = *input.streams[i]->codecpar;
    if (stream.codec_type != AVMEDIA_TYPE_VIDEO) continue;
    const bool bare = stream.codec_id == AV_CODEC_ID_VP8 || stream.codec_id == AV_CODEC_ID_VP9;
    const bool with_set_up =
        stream.codec_id == AV_CODEC_ID_H264 || stream.codec_id == AV_CODEC_ID_HEVC;
    if (stream.width <= 0 || stream.height <= 0 ||
        (!bare && (!with_set_up || stream.extradata_size <= 0))) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<Demuxer> Demuxer::Open(const VideoSource& source, const VideoLimits& limits,
                                      Probe probe) {
  OP3D_RETURN_IF_ERROR(CheckFile(source));
  Demuxer demuxer(source);
  demuxer.packet_.reset(av_packet_alloc());
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", source.bytes < 0 ? "file" : "file,subfile", 0);
  av_dict_set(&options, "format_whitelist", kContainers, 0);
  AVFormatContext* input = nullptr;
  const int opened = avformat_open_input(&input, UrlOf(source).c_str(), nullptr, &options);
  av_dict_free(&options);
  if (opened < 0) return NotAVideo(source.name, opened);
  demuxer.input_.reset(input);
  // Before FFmpeg decodes the first packets to examine them.
  demuxer.LimitDelays();
  if (probe == Probe::kPackets || !HeaderSaysAll(*input)) {
    OP3D_RETURN_IF_ERROR(demuxer.ProbePackets(limits));
    demuxer.probed_ = true;
  }
  OP3D_RETURN_IF_ERROR(demuxer.ChooseStream());
  OP3D_RETURN_IF_ERROR(demuxer.CheckSize(limits));
  return demuxer;
}

void Demuxer::LimitDelays() {
  for (unsigned i = 0; i < input_->nb_streams; ++i) {
    int& delay = input_->streams[i]->codecpar->video_delay;
    delay = std::clamp(delay, 0, kLargestReorderDepth);  // NUT files may ask for 999
  }
}

absl::Status Demuxer::ProbePackets(const VideoLimits& limits) {
  // Some pictures are already decoded here, before a size is known that could be checked: without
  // the limit a file of a kilobyte needs a gigabyte.
  std::vector<AVDictionary*> decoders(input_->nb_streams, nullptr);
  for (AVDictionary*& decoder : decoders) {
    av_dict_set_int(&decoder, "max_pixels", CodedPixelsLimit(limits), 0);
  }
  const int found = avformat_find_stream_info(input_.get(), decoders.data());
  for (AVDictionary*& decoder : decoders) av_dict_free(&decoder);
  return found < 0 ? NotAVideo(path(), found) : absl::OkStatus();
}

absl::Status Demuxer::ChooseStream() {
  for (unsigned i = 0; i < input_->nb_streams; ++i) {
    AVStream* stream = input_->streams[i];
    if (stream->codecpar->codec_type != AVMEDIA_TYPE_VIDEO ||
        (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) {
      continue;
    }
    ++video_streams_;
    const bool is_default = (stream->disposition & AV_DISPOSITION_DEFAULT) != 0;
    const bool better = stream_ >= 0 && is_default &&
                        (input_->streams[stream_]->disposition & AV_DISPOSITION_DEFAULT) == 0;
    if (stream_ < 0 || better) stream_ = static_cast<int>(i);
  }
  if (stream_ < 0) return absl::InvalidArgumentError(absl::StrCat(path(), " has no video stream"));
  for (unsigned i = 0; i < input_->nb_streams; ++i) {
    if (static_cast<int>(i) != stream_) input_->streams[i]->discard = AVDISCARD_ALL;
  }
  return absl::OkStatus();
}

absl::Status Demuxer::CheckSize(const VideoLimits& limits) const {
  const int64_t width = parameters().width;
  const int64_t height = parameters().height;
  if (width <= 0 || height <= 0) {
    return absl::InvalidArgumentError(absl::StrCat(path(), " does not say its frames' size"));
  }
  if (height > limits.max_pixels / width) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path(), " has frames of ", width, "x", height, ": more than the limit of ",
                     limits.max_pixels, " pixels; loader.max_pixels of the settings can raise it"));
  }
  return absl::OkStatus();
}

Orientation Demuxer::orientation(bool* exact) const {
  *exact = true;
  size_t size = 0;
  const uint8_t* data = av_stream_get_side_data(&stream(), AV_PKT_DATA_DISPLAYMATRIX, &size);
  if (data == nullptr || size < 9 * sizeof(int32_t)) return {};
  // ISO/IEC 14496-12, 6.2.2: x' = a x + c y, y' = b x + d y, with y pointing down.
  const int32_t* matrix = reinterpret_cast<const int32_t*>(data);
  const int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  if (a == 0 && b == 0 && c == 0 && d == 0) return {};
  const bool transpose = std::abs(b) + std::abs(c) > std::abs(a) + std::abs(d);
  *exact = transpose ? a == 0 && d == 0 : b == 0 && c == 0;
  return transpose ? Orientation{true, c < 0, b < 0} : Orientation{false, a < 0, d < 0};
}

bool Demuxer::HasPackedBFrames() {
  const AVPacket* first = Peek();
  return first != nullptr && BFrameUnpacker::IsNeeded(stream(), *first);
}

absl::Status Demuxer::UnpackBFrames() {
  OP3D_ASSIGN_OR_RETURN(unpacker_, BFrameUnpacker::Make(input_->streams[stream_]));
  peeked_ = peeked_ && !ended_ && unpacker_->Unpack(packet_.get());
  return absl::OkStatus();
}

void Demuxer::ReadPacket() {
  while (!ended_) {
    av_packet_unref(packet_.get());
    const int code = av_read_frame(input_.get(), packet_.get());
    if (code == AVERROR(EAGAIN)) continue;
    ended_ = code < 0;
    damaged_ |= code < 0 && code != AVERROR_EOF;
    // For the decoder an empty packet would mean the end of the stream.  In an AVI file it means
    // "the last picture again", and no decoder returns a frame for it.
    if (ended_ || packet_->stream_index != stream_ || packet_->size == 0) continue;
    if (!unpacker_.has_value() || unpacker_->Unpack(packet_.get())) return;
  }
}

const AVPacket* Demuxer::Peek() {
  if (!peeked_) ReadPacket();
  peeked_ = true;
  return ended_ ? nullptr : packet_.get();
}

const AVPacket* Demuxer::Next() {
  const AVPacket* packet = Peek();
  peeked_ = false;
  return packet;
}

bool Demuxer::Seek(int64_t pts) {
  peeked_ = false;
  ended_ = false;
  if (unpacker_.has_value()) unpacker_->Flush();
  return avformat_seek_file(input_.get(), stream_, INT64_MIN, pts, pts, 0) >= 0;
}

}  // namespace op3d::data
