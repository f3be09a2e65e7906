#include "data/video/file/picture_order.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace op3d::data {
namespace {

bool TellsItsSizeByParser(AVCodecID codec) {
  return codec == AV_CODEC_ID_AV1 || codec == AV_CODEC_ID_VP8;
}

}  // namespace

PictureOrder::PictureOrder(const AVCodecParameters& parameters)
    : kind_([&] {
        switch (parameters.codec_id) {
          case AV_CODEC_ID_H264:
          case AV_CODEC_ID_HEVC:
            return Kind::kByCount;
          case AV_CODEC_ID_MPEG1VIDEO:
          case AV_CODEC_ID_MPEG2VIDEO:
          case AV_CODEC_ID_MPEG4:
            return Kind::kBFrames;
          default:
            return Kind::kAsStored;
        }
      }()),
      context_(avcodec_alloc_context3(nullptr)) {
  avcodec_parameters_to_context(context_.get(), &parameters);
  if (kind_ != Kind::kAsStored || TellsItsSizeByParser(parameters.codec_id)) StartParser();
}

void PictureOrder::StartParser() {
  parser_.reset(av_parser_init(context_->codec_id));
  // One packet, one picture.
  if (parser_ != nullptr) parser_->flags |= PARSER_FLAG_COMPLETE_FRAMES;
}

void PictureOrder::Parse(const AVPacket& packet) {
  // The parser's messages were already logged by the demuxer's own parser.
  FfmpegLog log;
  size_t size = 0;
  const uint8_t* extradata = av_packet_get_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
  if (extradata != nullptr && size > 0 && size < (1 << 20)) {
    // From here on there are other parameter sets (an MP4 file with several sample descriptions).
    av_freep(&context_->extradata);
    context_->extradata_size = static_cast<int>(size);
    context_->extradata = static_cast<uint8_t*>(av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE));
    std::copy(extradata, extradata + size, context_->extradata);
    StartParser();
  }
  // The MPEG-4 parser only reports the size if none is known.
  if (context_->codec_id == AV_CODEC_ID_MPEG4) context_->width = context_->height = 0;
  uint8_t* out = nullptr;
  int out_size = 0;
  av_parser_parse2(parser_.get(), context_.get(), &out, &out_size, packet.data, packet.size,
                   AV_NOPTS_VALUE, AV_NOPTS_VALUE, -1);
}

PlacedPicture PictureOrder::Next(const AVPacket& packet, bool starts_sequence) {
  PlacedPicture picture;
  const bool key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
  if (starts_sequence) ++sequence_;
  if (parser_ != nullptr && (key || kind_ != Kind::kAsStored)) {
    Parse(packet);
    const bool mpeg4 = context_->codec_id == AV_CODEC_ID_MPEG4;
    picture.width = mpeg4 ? context_->width : parser_->width;
    picture.height = mpeg4 ? context_->height : parser_->height;
  } else if (key && context_->codec_id == AV_CODEC_ID_VP9) {
    std::tie(picture.width, picture.height) =
        Vp9KeyFrameSize(absl::MakeConstSpan(packet.data, static_cast<size_t>(packet.size)));
  }
  if (kind_ == Kind::kAsStored || parser_ == nullptr) {
    picture.place = {0, pictures_++};
  } else if (kind_ == Kind::kByCount) {
    picture.place = {sequence_, parser_->output_picture_number};
  } else if (parser_->pict_type == AV_PICTURE_TYPE_B) {
    picture.place = {pictures_, b_frames_++};
  } else {
    // Shown after the B-frames that follow.
    picture.place = {++pictures_, std::numeric_limits<int64_t>::max()};
    b_frames_ = 0;
  }
  return picture;
}

std::pair<int, int> Vp9KeyFrameSize(absl::Span<const uint8_t> packet) {
  size_t position = 0;
  // Bits from the most significant on; zeros after the end.
  const auto read = [&](int count) {
    int value = 0;
    for (; count > 0; --count, ++position) {
      const size_t byte = position / 8;
      value = value << 1 | (byte < packet.size() ? packet[byte] >> (7 - position % 8) & 1 : 0);
    }
    return value;
  };
  // VP9 Bitstream Specification, 6.2 and 6.2.2.
  constexpr int kMarker = 2, kSync = 0x498342, kRgb = 7;
  if (read(2) != kMarker) return {0, 0};
  int profile = read(1);
  profile |= read(1) << 1;
  if (profile == 3) read(1);
  const bool shows_existing = read(1) != 0;
  const bool is_key = !shows_existing && read(1) == 0;
  if (!is_key) return {0, 0};
  read(2);  // show_frame, error_resilient_mode
  if (read(24) != kSync) return {0, 0};
  if (profile >= 2) read(1);  // ten or twelve bits
  const bool subsampling = profile % 2 == 1;
  if (read(3) == kRgb) {
    if (subsampling) read(1);
  } else {
    read(1);  // range
    if (subsampling) read(3);
  }
  const int width = read(16) + 1;
  const int height = read(16) + 1;
  if (position > packet.size() * 8) return {0, 0};
  return {width, height};
}

}  // namespace op3d::data
