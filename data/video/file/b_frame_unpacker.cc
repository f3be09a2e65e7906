#include "data/video/file/b_frame_unpacker.h"

#include <algorithm>
#include <vector>

#include "absl/types/span.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

absl::Span<const uint8_t> Bytes(const uint8_t* data, int size) {
  return absl::MakeConstSpan(data, static_cast<size_t>(size));
}

Mpeg4Pictures ReadHeaders(const AVStream& stream) {
  Mpeg4Pictures pictures;
  pictures.ReadHeaders(Bytes(stream.codecpar->extradata, stream.codecpar->extradata_size));
  return pictures;
}

}  // namespace

bool BFrameUnpacker::IsNeeded(const AVStream& stream, const AVPacket& first) {
  if (stream.codecpar->codec_id != AV_CODEC_ID_MPEG4) return false;
  Mpeg4Pictures pictures = ReadHeaders(stream);
  pictures.ReadHeaders(Bytes(first.data, first.size));
  return pictures.packed() && pictures.has_layer();
}

absl::StatusOr<BFrameUnpacker> BFrameUnpacker::Make(AVStream* stream) {
  BFrameUnpacker unpacker;
  unpacker.pictures_ = ReadHeaders(*stream);
  AVBSFContext* filter = nullptr;
  const AVBitStreamFilter* kind = av_bsf_get_by_name("mpeg4_unpack_bframes");
  if (kind == nullptr) {
    return absl::UnimplementedError("this FFmpeg has no filter mpeg4_unpack_bframes");
  }
  OP3D_RETURN_IF_ERROR(FfmpegStatus(av_bsf_alloc(kind, &filter), "mpeg4_unpack_bframes"));
  unpacker.filter_.reset(filter);
  filter->time_base_in = stream->time_base;
  OP3D_RETURN_IF_ERROR(FfmpegStatus(avcodec_parameters_copy(filter->par_in, stream->codecpar),
                                    "mpeg4_unpack_bframes"));
  OP3D_RETURN_IF_ERROR(FfmpegStatus(av_bsf_init(filter), "mpeg4_unpack_bframes"));
  OP3D_RETURN_IF_ERROR(FfmpegStatus(avcodec_parameters_copy(stream->codecpar, filter->par_out),
                                    "mpeg4_unpack_bframes"));
  return unpacker;
}

bool BFrameUnpacker::Unpack(AVPacket* packet) {
  if (broken_) return false;
  const std::vector<Mpeg4Picture> pictures = pictures_.Find(Bytes(packet->data, packet->size));
  bool valid = packet->dts != AV_NOPTS_VALUE && (packet->flags & AV_PKT_FLAG_CORRUPT) == 0;
  for (const Mpeg4Picture& picture : pictures) valid &= picture.valid;
  const auto is_b = [](const Mpeg4Picture& picture) {
    return picture.coded && picture.type == Mpeg4Picture::Type::kB;
  };
  // The duration of a packet.
  const int64_t place = std::max<int64_t>(1, packet->duration);
  int64_t places = 0;
  bool key = false;
  const bool empty = pictures.empty() || (pictures.size() == 1 && !pictures[0].coded);
  if (empty) {
    // The position of the B-frame that came with the previous picture, or of nothing.
    valid &= packet->size <= kLargestUncodedPicture && !(waiting_ && pictures.empty());
    if (valid && !waiting_) return false;
    waiting_ = false;
  } else {
    // A picture that others refer to, alone or with a B-frame.
    const bool packed = pictures.size() == 2 && is_b(pictures[1]);
    valid &= !waiting_ && pictures[0].coded && !is_b(pictures[0]) &&
             (pictures.size() == 1 || packed) && !pictures_.low_delay();
    waiting_ = packed;
    places = packed ? 2 : 1;
    key = pictures[0].type == Mpeg4Picture::Type::kI;
  }
  broken_ = !valid || av_bsf_send_packet(filter_.get(), packet) < 0 ||
            av_bsf_receive_packet(filter_.get(), packet) < 0;
  if (broken_) return false;
  packet->pts = packet->dts + places * place;
  packet->flags = key ? packet->flags | AV_PKT_FLAG_KEY : packet->flags & ~AV_PKT_FLAG_KEY;
  return true;
}

void BFrameUnpacker::Flush() {
  av_bsf_flush(filter_.get());
  waiting_ = false;
}

}  // namespace op3d::data
