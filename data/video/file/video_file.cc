#include "data/video/file/video_file.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "data/video/file/decoder.h"
#include "data/video/file/demuxer.h"
#include "data/video/file/frame_converter.h"
#include "data/video/file/frame_index_builder.h"
#include "data/video/file/nvdec.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// A seek discards the pictures in the decoder, so decoding a few frames is cheaper.
constexpr int64_t kFewestFramesSkipped = 4;

int Rotation(Orientation orientation) {
  if (orientation.transpose) return orientation.flip_x ? 90 : 270;
  return orientation.flip_y ? 180 : 0;
}

bool IsMirrored(Orientation orientation) {
  return orientation.transpose == (orientation.flip_x == orientation.flip_y);
}

void AddWarnings(const Demuxer& demuxer, const FrameIndex& index, const FfmpegLog& log,
                 bool exact_orientation, Orientation orientation,
                 std::vector<std::string>* warnings) {
  if (!index.doubt.empty()) {
    warnings->push_back(absl::StrCat("decoded to count the frames: ", index.doubt));
  }
  const int64_t claimed = demuxer.stream().nb_frames;
  const int64_t frames = static_cast<int64_t>(index.times.size());
  if (claimed > 0 && claimed != frames) {
    warnings->push_back(
        absl::StrCat("the header claims ", claimed, " frames, ", frames, " can be decoded"));
  }
  if (demuxer.video_streams() > 1) {
    warnings->push_back(absl::StrCat(demuxer.video_streams(), " video streams; stream ",
                                     demuxer.stream().index, " is read"));
  }
  if (!exact_orientation) {
    warnings->push_back("the rotation asked for is not a multiple of 90 degrees; the nearest is");
  }
  if (IsMirrored(orientation)) warnings->push_back("the picture is to be mirrored");
  if (log.count() > 0) {
    warnings->push_back(
        absl::StrCat("FFmpeg warned ", log.count(), " times, first: ", log.first()));
  }
}

VideoInfo MakeInfo(const Demuxer& demuxer, const FrameIndex& index, const FfmpegLog& log,
                   std::vector<std::string> warnings) {
  VideoInfo info;
  info.warnings = std::move(warnings);
  bool exact = true;
  const Orientation orientation = demuxer.orientation(&exact);
  info.frames = static_cast<int64_t>(index.times.size());
  info.width = demuxer.parameters().width;
  info.height = demuxer.parameters().height;
  if (orientation.transpose) std::swap(info.width, info.height);
  info.rotation = Rotation(orientation);
  info.codec = avcodec_get_name(demuxer.parameters().codec_id);
  info.pts_seconds = index.Seconds();
  AddWarnings(demuxer, index, log, exact, orientation, &info.warnings);
  return info;
}

// Opens a file of which everything is known except what only decoding shows.  FFmpeg's examination
// of the first packets takes as long as decoding a few frames; a header that fits the scan makes it
// unnecessary.
absl::StatusOr<Demuxer> OpenScanned(const VideoSource& source, const FrameIndex& index,
                                    int scanned_width, int scanned_height,
                                    const VideoLimits& limits) {
  if (index.doubt.empty()) {
    OP3D_ASSIGN_OR_RETURN(Demuxer demuxer, Demuxer::Open(source, limits, Demuxer::Probe::kHeader));
    bool exact = true;
    int64_t width = demuxer.parameters().width, height = demuxer.parameters().height;
    if (demuxer.orientation(&exact).transpose) std::swap(width, height);
    if (width == scanned_width && height == scanned_height) {
      if (index.unpacked) OP3D_RETURN_IF_ERROR(demuxer.UnpackBFrames());
      return demuxer;
    }
  }
  return Demuxer::Open(source, limits);
}

// Uses only the header's description of the streams if it is sufficient and consistent.
absl::StatusOr<Demuxer> OpenToScan(const VideoSource& source, const VideoLimits& limits) {
  {
    FfmpegLog log;
    absl::StatusOr<Demuxer> demuxer = Demuxer::Open(source, limits, Demuxer::Probe::kHeader);
    if (demuxer.ok() && log.count() == 0) return demuxer;
  }
  return Demuxer::Open(source, limits);
}

class FileVideoReader : public VideoReader {
 public:
  FileVideoReader(Demuxer demuxer, Decoder decoder, FrameConverter converter, VideoScan scan,
                  const VideoLimits& limits, const Decoding& decoding)
      : limits_(limits),
        decoding_(decoding),
        stored_width_(scan.info.width),
        stored_height_(scan.info.height),
        scan_(std::move(scan)),
        converter_(std::move(converter)),
        demuxer_(std::move(demuxer)),
        decoder_(std::move(decoder)) {
    scan_.info.width = decoder_.width();
    scan_.info.height = decoder_.height();
    bool exact = true;
    if (demuxer_.orientation(&exact).transpose) std::swap(scan_.info.width, scan_.info.height);
  }

  const VideoInfo& info() const override { return scan_.info; }
  const Counters& counters() const override { return counters_; }

  absl::Status Read(absl::Span<const int64_t> indices,
                    absl::FunctionRef<absl::Status(int64_t, const RgbImage&)> sink) override {
    OP3D_RETURN_IF_ERROR(CheckFrameIndices(indices, scan_.info.frames, demuxer_.path()));
    FfmpegLog log;
    for (const int64_t frame : indices) {
      OP3D_ASSIGN_OR_RETURN(const AVFrame* decoded, DecodeToHost(frame, log));
      OP3D_RETURN_IF_ERROR(Annotate(converter_.Convert(*decoded, box(), &image_), demuxer_.path()));
      ++counters_.converted;
      counters_.resized +=
          decoded->width != decoder_.width() || decoded->height != decoder_.height();
      OP3D_RETURN_IF_ERROR(sink(frame, image_));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> ReadPlanes(
      absl::Span<const int64_t> indices,
      absl::FunctionRef<absl::Status(int64_t, const YuvPicture&)> sink) override {
    OP3D_RETURN_IF_ERROR(CheckFrameIndices(indices, scan_.info.frames, demuxer_.path()));
    // Before decoding: a frame that Read() needs again would be decoded twice.
    if (!converter_.MayGivePlanes(demuxer_.parameters().format)) return false;
    FfmpegLog log;
    std::optional<YuvPicture> first;
    for (const int64_t frame : indices) {
      OP3D_ASSIGN_OR_RETURN(const AVFrame* decoded, DecodeToHost(frame, log));
      const std::optional<YuvPicture> picture = converter_.Planes(*decoded);
      if (!picture.has_value()) return false;
      if (!first.has_value()) first = picture;
      if (picture->matrix != first->matrix || picture->full_range != first->full_range) {
        return false;
      }
      OP3D_RETURN_IF_ERROR(sink(frame, *picture));
    }
    counters_.given += static_cast<int64_t>(indices.size());
    return true;
  }

 private:
  absl::StatusOr<const AVFrame*> DecodeToHost(int64_t frame, const FfmpegLog& log) {
    OP3D_ASSIGN_OR_RETURN(const AVFrame* decoded, Decode(frame, log));
    counters_.software += decoding_.nvdec != nullptr && !IsOnGpu(*decoded);
    const absl::StatusOr<const AVFrame*> host = decoder_.OnHost(*decoded);
    if (!host.ok()) return Annotate(host.status(), demuxer_.path());
    return *host;
  }

  // Returns the frame: from the decoder's current position if possible, from an entry before the
  // frame if that is shorter, from the beginning if the file's index was wrong.
  absl::StatusOr<const AVFrame*> Decode(int64_t frame, const FfmpegLog& log) {
    // Read() after a ReadPlanes() that could not give its first frame.
    if (held_ != nullptr && given_ == frame) return held_;
    OP3D_RETURN_IF_ERROR(GoBefore(frame));
    const int64_t warnings = log.count();
    const AVFrame* decoded = DecodeUpTo(frame);
    // In a damaged stream, error concealment may use a frame that was skipped.
    const bool doubtful = decoded == nullptr || log.count() > warnings;
    if (doubtful && (jumped_ || skipped_)) {
      may_seek_ = may_seek_ && !jumped_;
      may_skip_ = false;
      OP3D_RETURN_IF_ERROR(Rewind());
      decoded = DecodeUpTo(frame);
    }
    if (decoded != nullptr) return decoded;
    next_ = scan_.info.frames;  // wherever the decoder is now, the next call starts again
    return absl::DataLossError(
        absl::StrCat(demuxer_.path(), ": frame ", frame, " of ", scan_.info.frames,
                     " does not decode; the file is damaged",
                     log.count() > 0 ? absl::StrCat(" (", log.first(), ")") : ""));
  }

  absl::Status GoBefore(int64_t frame) {
    const int64_t entry = may_seek_ ? scan_.index.EntryBefore(frame) : 0;
    const bool backward = frame < next_;
    if (entry > 0 && (backward || entry >= next_ + kFewestFramesSkipped)) {
      if (SeekTo(entry)) return absl::OkStatus();
      may_seek_ = false;
      return Rewind();
    }
    return backward ? Rewind() : absl::OkStatus();
  }

  // True if the container seeks to an entry after which `entry` will come.
  bool SeekTo(int64_t entry) {
    ++counters_.seeks;
    jumped_ = true;
    held_ = nullptr;
    decoder_.Flush();
    if (!demuxer_.Seek(scan_.index.times[entry])) return false;
    const AVPacket* packet = demuxer_.Peek();
    if (packet == nullptr) return false;
    const int64_t first = scan_.index.Find(packet->pts);
    if (first < 0 || first > entry || scan_.index.EntryBefore(first) != first) return false;
    next_ = first;
    given_ = -1;
    return true;
  }

  // Containers differ in seeking to the beginning, so the file is opened again.
  absl::Status Rewind() {
    ++counters_.rewinds;
    held_ = nullptr;
    OP3D_ASSIGN_OR_RETURN(demuxer_, OpenScanned(demuxer_.source(), scan_.index, stored_width_,
                                                stored_height_, limits_));
    if (scan_.index.doubt.empty()) {
      decoder_.Flush();
    } else {
      // A decoder keeps what it has learnt about a stream's delay after a flush, but the frames
      // were counted by a decoder without this knowledge.
      OP3D_ASSIGN_OR_RETURN(decoder_,
                            Decoder::Make(demuxer_, scan_.index.reorder_depth, limits_, decoding_));
    }
    given_ = -1;
    jumped_ = false;
    skipped_ = false;
    next_ = 0;
    return absl::OkStatus();
  }

  // nullptr if `frame` did not come when it should have.
  const AVFrame* DecodeUpTo(int64_t frame) {
    const int64_t packets = decoder_.packets();
    const int64_t frames = decoder_.frames();
    const AVFrame* decoded = nullptr;
    held_ = nullptr;
    int64_t number = -1;
    const bool skip = may_skip_ && scan_.index.doubt.empty();
    decoder_.SkipBefore(skip ? scan_.index.times[frame] : AV_NOPTS_VALUE);
    skipped_ |= skip && frame > next_;
    while (number < frame && (decoded = decoder_.Next(&demuxer_)) != nullptr) {
      number = scan_.index.doubt.empty() ? scan_.index.Find(PresentationTime(*decoded)) : next_;
      // A decoder that returns frames in another order than their times cannot be trusted.
      if (number <= given_) {
        number = -1;
        break;
      }
      given_ = number;
      next_ = number + 1;
    }
    counters_.packets += decoder_.packets() - packets;
    counters_.decoded += decoder_.frames() - frames;
    held_ = number == frame ? decoded : nullptr;
    return held_;
  }

  const VideoLimits limits_;
  const Decoding decoding_;
  // As presented; info() has the size of the decoded pictures.
  const int stored_width_;
  const int stored_height_;
  VideoScan scan_;
  FrameConverter converter_;
  Demuxer demuxer_;
  Decoder decoder_;
  RgbImage image_;
  Counters counters_;
  // The frame that the decoder returns next, as far as known.
  int64_t next_ = 0;
  // The last frame that it returned since it started; -1 = none.
  int64_t given_ = -1;
  // That frame, as long as the decoder has it; null if it was not the wanted one.
  const AVFrame* held_ = nullptr;
  // Whether the decoder started somewhere else than at the beginning, and whether it may do so
  // again.
  bool jumped_ = false;
  bool may_seek_ = true;
  // Whether frames before the decoder's position were skipped, and whether more may be.
  bool skipped_ = false;
  bool may_skip_ = true;
};

}  // namespace

absl::StatusOr<VideoScan> ScanVideoFile(const VideoSource& source, const VideoLimits& limits) {
  FfmpegLog log;
  OP3D_ASSIGN_OR_RETURN(Demuxer demuxer, OpenToScan(source, limits));
  VideoScan scan;
  std::vector<std::string> warnings;
  OP3D_ASSIGN_OR_RETURN(scan.index, MakeFrameIndex(&demuxer, limits, &warnings));
  scan.info = MakeInfo(demuxer, scan.index, log, std::move(warnings));
  return scan;
}

absl::StatusOr<std::unique_ptr<VideoReader>> OpenVideoFile(const VideoSource& source,
                                                           VideoScan scan,
                                                           const VideoLimits& limits,
                                                           const Decoding& decoding) {
  FfmpegLog log;
  OP3D_ASSIGN_OR_RETURN(Demuxer demuxer,
                        OpenScanned(source, scan.index, scan.info.width, scan.info.height, limits));
  OP3D_ASSIGN_OR_RETURN(Decoder decoder,
                        Decoder::Make(demuxer, scan.index.reorder_depth, limits, decoding));
  bool exact = true;
  FrameConverter converter(decoder.width(), decoder.height(), demuxer.orientation(&exact));
  return absl::make_unique<FileVideoReader>(std::move(demuxer), std::move(decoder),
                                            std::move(converter), std::move(scan), limits,
                                            decoding);
}

}  // namespace op3d::data
