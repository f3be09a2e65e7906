#include "data/video/testing/test_clip.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

// The leak checker's own hook: x265 leaks its parameters when an encoder is opened.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libx265.so\n"; }

namespace op3d::data {
namespace {

constexpr int kWidth = 64;
constexpr int kHeight = 48;

absl::StatusOr<std::string> Encode(const VideoWriterOptions& options, int frames, int first) {
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<VideoWriter> writer, VideoWriter::Make(options));
  for (int i = 0; i < frames; ++i) {
    OP3D_RETURN_IF_ERROR(writer->Add(NumberedFrame(first + i)));
  }
  return writer->Finish();
}

void CheckOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "test clip: %s\n", status.ToString().c_str());
  std::abort();
}

void CheckFfmpeg(int code) { CheckOk(FfmpegStatus(code, "FFmpeg")); }

InputPtr OpenInput(const std::string& path) {
  AVFormatContext* input = nullptr;
  CheckFfmpeg(avformat_open_input(&input, path.c_str(), nullptr, nullptr));
  InputPtr owner(input);
  CheckFfmpeg(avformat_find_stream_info(input, nullptr));
  return owner;
}

}  // namespace

RgbImage NumberedFrame(int number) {
  RgbImage image;
  image.width = kWidth;
  image.height = kHeight;
  image.pixels.reserve(kWidth * kHeight * 3);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const int bit = x / 16 + 4 * (y / 24);
      const uint8_t value = (number >> bit & 1) != 0 ? 235 : 20;
      image.pixels.insert(image.pixels.end(), 3, value);
    }
  }
  return image;
}

int NumberOf(const RgbImage& image) {
  if (image.width != kWidth || image.height != kHeight) return -1;
  int number = 0;
  for (int bit = 0; bit < 8; ++bit) {
    const int x = bit % 4 * 16 + 8;
    const int y = bit / 4 * 24 + 12;
    if (image.pixels[(y * kWidth + x) * 3 + 1] > 127) number |= 1 << bit;
  }
  return number;
}

std::vector<int64_t> FirstNumbers(int64_t count) {
  std::vector<int64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), int64_t{0});
  return numbers;
}

std::vector<int> Shown(VideoReader* reader, const std::vector<int64_t>& indices) {
  std::vector<int> shown;
  std::vector<int64_t> given;
  const absl::Status status = reader->Read(indices, [&](int64_t frame, const RgbImage& image) {
    given.push_back(frame);
    shown.push_back(NumberOf(image));
    return absl::OkStatus();
  });
  if (!status.ok() || given != indices) shown.clear();
  return shown;
}

VideoWriterOptions TestClipOptions() {
  VideoWriterOptions options;
  options.width = kWidth;
  options.height = kHeight;
  return options;
}

std::string MakeTestClip(const VideoWriterOptions& options, int frames, int first) {
  absl::StatusOr<std::string> bytes = Encode(options, frames, first);
  CheckOk(bytes.status());
  return *std::move(bytes);
}

std::string WriteTestClip(const std::string& folder, absl::string_view name,
                          const VideoWriterOptions& options, int frames, int first) {
  const std::string path = JoinPath(folder, name);
  CheckOk(WriteFileAtomically(path, MakeTestClip(options, frames, first)));
  return path;
}

std::string JoinTransportStreams(absl::string_view first, absl::string_view second) {
  constexpr size_t kPacket = 188;
  std::string bytes = absl::StrCat(first, second);
  // ISO/IEC 13818-1, 2.4.3.2: four bits that count a program's packets with a payload.
  std::map<int, int> counters;
  for (size_t at = 0; at + kPacket <= bytes.size(); at += kPacket) {
    const int program = (bytes[at + 1] & 31) << 8 | static_cast<uint8_t>(bytes[at + 2]);
    const bool payload = (bytes[at + 3] & 16) != 0;
    const auto [counter, first_packet] = counters.emplace(program, bytes[at + 3] & 15);
    if (!first_packet && payload) counter->second = (counter->second + 1) & 15;
    bytes[at + 3] = static_cast<char>((bytes[at + 3] & ~15) | counter->second);
  }
  return bytes;
}

std::string WithDelay(const std::string& path, int delay) {
  FfmpegLog log;
  MemoryFile file;
  AVFormatContext* muxer = nullptr;
  CheckFfmpeg(avformat_alloc_output_context2(&muxer, nullptr, "nut", nullptr));
  const OutputPtr owner(muxer);
  muxer->pb = file.stream();
  const InputPtr input = OpenInput(path);
  AVStream* stream = avformat_new_stream(muxer, nullptr);
  CheckFfmpeg(avcodec_parameters_copy(stream->codecpar, input->streams[0]->codecpar));
  stream->codecpar->codec_tag = 0;
  stream->codecpar->video_delay = delay;
  stream->time_base = input->streams[0]->time_base;
  CheckFfmpeg(avformat_write_header(muxer, nullptr));
  const PacketPtr packet(av_packet_alloc());
  while (av_read_frame(input.get(), packet.get()) >= 0) {
    av_packet_rescale_ts(packet.get(), input->streams[0]->time_base, stream->time_base);
    CheckFfmpeg(av_write_frame(muxer, packet.get()));
    av_packet_unref(packet.get());
  }
  CheckFfmpeg(av_write_trailer(muxer));
  avio_flush(file.stream());
  return std::move(file.bytes());
}

std::string JoinTestClips(const std::vector<std::string>& paths, int default_stream) {
  FfmpegLog log;
  MemoryFile file;
  AVFormatContext* muxer = nullptr;
  CheckFfmpeg(avformat_alloc_output_context2(&muxer, nullptr, "matroska", nullptr));
  const OutputPtr owner(muxer);
  muxer->flags |= AVFMT_FLAG_BITEXACT;
  muxer->pb = file.stream();
  std::vector<InputPtr> inputs;
  for (size_t i = 0; i < paths.size(); ++i) {
    inputs.push_back(OpenInput(paths[i]));
    AVStream* stream = avformat_new_stream(muxer, nullptr);
    CheckFfmpeg(avcodec_parameters_copy(stream->codecpar, inputs[i]->streams[0]->codecpar));
    stream->codecpar->codec_tag = 0;
    stream->disposition = static_cast<int>(i) == default_stream ? AV_DISPOSITION_DEFAULT : 0;
  }
  AVDictionary* options = nullptr;
  av_dict_set(&options, "default_mode", "passthrough", 0);
  CheckFfmpeg(avformat_write_header(muxer, &options));
  av_dict_free(&options);
  const PacketPtr packet(av_packet_alloc());
  for (size_t i = 0; i < inputs.size(); ++i) {
    while (av_read_frame(inputs[i].get(), packet.get()) >= 0) {
      av_packet_rescale_ts(packet.get(), inputs[i]->streams[0]->time_base,
                           muxer->streams[i]->time_base);
      packet->stream_index = static_cast<int>(i);
      CheckFfmpeg(av_interleaved_write_frame(muxer, packet.get()));
    }
  }
  CheckFfmpeg(av_write_trailer(muxer));
  avio_flush(file.stream());
  return std::move(file.bytes());
}

}  // namespace op3d::data
