// Loading and writing an index of 250,000 videos, the size of Kinetics-400, compared with
// only reading the file's bytes.
#include <benchmark/benchmark.h>

#include <string>

#include "absl/strings/str_format.h"
#include "data/index/scan_record.h"
#include "data/index/video_index.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"

namespace op3d::data {
namespace {

constexpr char kRoot[] = "/data/kinetics400";
constexpr int kVideos = 250'000;

VideoIndex Large() {
  VideoIndex index(kRoot);
  for (int i = 0; i < kVideos; ++i) {
    VideoScan scan;
    scan.info.frames = 250 + i % 50;
    scan.info.width = 340;
    scan.info.height = 256;
    scan.info.codec = "h264";
    scan.index.time_unit = 1.0 / 12800;
    for (int64_t k = 0; k < scan.info.frames; ++k) scan.index.times.push_back(512 * k);
    scan.index.entries = {0, 100 + i % 100};
    const std::string path =
        absl::StrFormat("%s/train/some action %d/%011d_000010_000020.mp4", kRoot, i % 400, i);
    index.Insert(path, FrameContent::kPictures,
                 {{800'000 + i, 1'600'000'000'000'000'000 + i},
                  absl::OkStatus(),
                  scan.info.frames,
                  EncodeScan(scan)});
  }
  return index;
}

const std::string& File() {
  static const std::string file = [] {
    const std::string path = JoinPath(TestFolder("index_benchmark"), "k400.op3d_index");
    static_cast<void>(WriteFileAtomically(path, Large().Serialize()));
    return path;
  }();
  return file;
}

void BM_ReadBytes(benchmark::State& state) {
  const std::string& file = File();
  for (auto _ : state) benchmark::DoNotOptimize(ReadFile(file));
}

void BM_LoadIndex(benchmark::State& state) {
  const std::string& file = File();
  for (auto _ : state) {
    const auto index = VideoIndex::Read(file, kRoot);
    if (!index.ok() || index->size() != kVideos) state.SkipWithError("wrong index");
  }
}

void BM_SerializeIndex(benchmark::State& state) {
  const auto index = VideoIndex::Read(File(), kRoot);
  for (auto _ : state) benchmark::DoNotOptimize(index->Serialize());
}

BENCHMARK(BM_ReadBytes)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_LoadIndex)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_SerializeIndex)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace op3d::data

BENCHMARK_MAIN();
