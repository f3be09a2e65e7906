// The cost of reading a video: the scan, opening a scanned video, a clip of 16 frames from a random
// position, all frames; compared with decoding all of it.  BM_Libavcodec is the yardstick: FFmpeg's
// libraries alone decode all frames and convert none, as in
// `ffmpeg -threads 1 -i CLIP -f null -`.
//
//   bazel run -c opt //data/video:video_benchmark -- --clip=/data/clip.mp4
//
// Without a clip it makes one: 340x256, 250 frames, key frames up to 250 apart, B-frames.
#include <benchmark/benchmark.h>

#include <numeric>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "data/video/ffmpeg/ffmpeg_version.h"
#include "data/video/media.h"
#include "data/video/testing/wave_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"

ABSL_FLAG(std::string, clip, "", "the video to read; empty = a made one");

namespace op3d::data {
namespace {

const std::string& Clip() {
  static const std::string path =
      absl::GetFlag(FLAGS_clip).empty()
          ? WriteWaveClip(TestFolder("video_benchmark"), "clip.mp4", 250, 1)
          : UserPath(absl::GetFlag(FLAGS_clip));
  return path;
}

const VideoScan& Scan() {
  static const VideoScan scan = *ScanMedia(Clip());
  return scan;
}

std::vector<int64_t> Numbers(int64_t first, int64_t count) {
  std::vector<int64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

void Read(VideoReader* reader, const std::vector<int64_t>& frames, benchmark::State& state) {
  const absl::Status status = reader->Read(frames, [](int64_t, const RgbImage& image) {
    benchmark::DoNotOptimize(image.pixels.data());
    return absl::OkStatus();
  });
  if (!status.ok()) state.SkipWithError(status.ToString().c_str());
}

// The number of frames of the best video stream, decoded by one thread.
absl::StatusOr<int64_t> DecodeWithLibavcodec(const std::string& path) {
  AVFormatContext* opened = nullptr;
  OP3D_RETURN_IF_ERROR(
      FfmpegStatus(avformat_open_input(&opened, path.c_str(), nullptr, nullptr), path));
  const InputPtr input(opened);
  OP3D_RETURN_IF_ERROR(FfmpegStatus(avformat_find_stream_info(opened, nullptr), path));
  const AVCodec* decoder = nullptr;
  const int stream = av_find_best_stream(opened, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  OP3D_RETURN_IF_ERROR(FfmpegStatus(stream, path));
  const CodecPtr codec(avcodec_alloc_context3(decoder));
  OP3D_RETURN_IF_ERROR(FfmpegStatus(
      avcodec_parameters_to_context(codec.get(), opened->streams[stream]->codecpar), path));
  codec->thread_count = 1;
  OP3D_RETURN_IF_ERROR(FfmpegStatus(avcodec_open2(codec.get(), decoder, nullptr), path));
  const PacketPtr packet(av_packet_alloc());
  const FramePtr frame(av_frame_alloc());
  int64_t frames = 0;
  for (bool more = true; more;) {
    more = av_read_frame(opened, packet.get()) >= 0;
    if (more && packet->stream_index != stream) {
      av_packet_unref(packet.get());
      continue;
    }
    // Without a packet the decoder returns what it still holds.
    avcodec_send_packet(codec.get(), more ? packet.get() : nullptr);
    if (more) av_packet_unref(packet.get());
    while (avcodec_receive_frame(codec.get(), frame.get()) >= 0) ++frames;
  }
  return frames;
}

void BM_Libavcodec(benchmark::State& state) {
  const FfmpegLog log;
  const int64_t expected = Scan().info.frames;
  for (auto _ : state) {
    const absl::StatusOr<int64_t> frames = DecodeWithLibavcodec(Clip());
    if (!frames.ok()) {
      state.SkipWithError(frames.status().ToString().c_str());
    } else if (*frames != expected) {
      state.SkipWithError("libavcodec alone decodes another number of frames than the scan says");
    }
  }
}

void BM_Scan(benchmark::State& state) {
  const std::string& path = Clip();
  for (auto _ : state) benchmark::DoNotOptimize(ScanMedia(path));
}

void BM_Open(benchmark::State& state) {
  const VideoScan& scan = Scan();
  for (auto _ : state) benchmark::DoNotOptimize(OpenMedia(Clip(), scan));
}

void BM_Clip16(benchmark::State& state) {
  const VideoScan& scan = Scan();
  RandomStream stream(1, "start", {});
  double packets = 0;
  for (auto _ : state) {
    const auto reader = OpenMedia(Clip(), scan);
    const int64_t length = std::min<int64_t>(16, scan.info.frames);
    const int64_t first = stream.UniformInt(scan.info.frames - length + 1);
    Read(reader->get(), Numbers(first, length), state);
    packets += static_cast<double>((*reader)->counters().packets);
  }
  state.counters["packets"] = benchmark::Counter(packets, benchmark::Counter::kAvgIterations);
}

void BM_DecodeAll(benchmark::State& state) {
  const VideoScan& scan = Scan();
  for (auto _ : state) {
    const auto reader = OpenMedia(Clip(), scan);
    Read(reader->get(), Numbers(0, scan.info.frames), state);
  }
}

BENCHMARK(BM_Libavcodec)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Scan)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Open)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Clip16)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_DecodeAll)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace op3d::data

int main(int argc, char** argv) {
  benchmark::AddCustomContext("ffmpeg", op3d::data::FfmpegVersion());
  benchmark::Initialize(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
