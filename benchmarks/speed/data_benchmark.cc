// The cost of clips, from video files to the network's input.
//
//   ./bazelw run //benchmarks/speed:data_benchmark -- --videos=/data/a.mp4,/data/b.avi
//
//   TrainingSample   16 frames from a random position -> [3, 16, 224, 224]
//   SampleBytes      the same as resized pictures in bytes, which a GPU normalises
//   SamplePlanes     the same as parts of decoded pictures, of which a GPU makes the rest
//   Views            10 clips x 3 crops of a video as bytes, then 30 x [3, 16, 256, 256] as the
//                    scorer makes them: floats, some views at a time, in memory that is kept
//   ViewBytes        the same without the floats: what the loader hands over
//   ViewFloats       the same views as floats, all in one piece of memory
//   Scan, DecodeAll  the pass that numbers the frames, compared with decoding them
//   Loader/n         training clips by n workers, compared with Loader/1; how often a thread waited for
//                    a lock that another one held, and for how long, per clip
//   Epoch            memory in use after a tenth of an epoch and at its end
//
// All except the last two run once per file.  Without videos it makes one: 340x256, 250 frames, key
// frames up to 250 apart, B-frames.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "data/index/index_update.h"
#include "data/loader/clip_views.h"
#include "data/loader/loader.h"
#include "data/video/media.h"
#include "data/video/testing/wave_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/random_stream.h"

ABSL_FLAG(std::string, videos, "", "the videos to read, with commas between; empty = a made one");
ABSL_FLAG(std::string, samples, "",
          "training samples, with commas between: first frame, crop's left, top, width, height in "
          "the frame, 1 = mirrored, as 12:40:16:190:190:0; empty = drawn");
ABSL_FLAG(bool, fast, false, "as loader.decode FAST, for a short side of 64");
ABSL_FLAG(int, loader_size, 224, "side of Loader's clips, in pixels; a small one shows locks");
ABSL_FLAG(int64_t, epoch_samples, 200, "clips in Epoch's epoch; 10000 shows whether memory grows");

namespace op3d::benchmarks {
namespace {

constexpr int kFrames = 16;
constexpr int kTrainSize = 224;
constexpr int kTestSize = 256;
constexpr int kClips = 10;

// The videos with their entries in an index.
const std::vector<data::Video>& Videos() {
  static const std::vector<data::Video> videos = [] {
    std::vector<std::string> paths;
    for (const absl::string_view path :
         absl::StrSplit(absl::GetFlag(FLAGS_videos), ',', absl::SkipEmpty())) {
      paths.push_back(UserPath(std::string(path)));
    }
    if (paths.empty()) {
      paths.push_back(data::WriteWaveClip(TestFolder("data_benchmark"), "made.mp4", 250, 1));
    }
    const auto indexed = data::IndexVideos(paths, data::IndexOptions(), /*report=*/nullptr);
    std::vector<data::Video> result;
    for (size_t i = 0; indexed.ok() && i < paths.size(); ++i) {
      if (!(*indexed)[i].status.ok()) {
        std::cerr << (*indexed)[i].status.ToString() << "\n";
        std::exit(1);
      }
      data::Video video = {paths[i].substr(paths[i].rfind('/') + 1), paths[i], 0,
                           (*indexed)[i].frames};
      video.scan = (*indexed)[i].scan;
      result.push_back(std::move(video));
    }
    return result;
  }();
  return videos;
}

data::Decoding HowToDecode() { return {absl::GetFlag(FLAGS_fast), 64}; }

struct Sample {
  int64_t first = 0;
  // Empty: drawn when the frames' size is known.
  data::Box crop;
  bool mirror = false;
};

// The samples of the flag; without it, `count` samples from the whole video.
std::vector<Sample> Samples(const data::Video& video, int count) {
  std::vector<Sample> samples;
  for (const absl::string_view text :
       absl::StrSplit(absl::GetFlag(FLAGS_samples), ',', absl::SkipEmpty())) {
    std::vector<int64_t> numbers;
    for (const absl::string_view part : absl::StrSplit(text, ':')) {
      numbers.push_back(0);
      if (!absl::SimpleAtoi(part, &numbers.back())) numbers.clear();
    }
    if (numbers.size() != 6 || numbers[0] < 0 || numbers[0] + kFrames > video.frames) {
      std::cerr << "--samples: " << text
                << " is not FIRST:LEFT:TOP:WIDTH:HEIGHT:MIRRORED of a clip "
                << "of " << video.frames << " frames\n";
      std::exit(2);
    }
    const auto at = [&](int i) { return static_cast<int>(numbers[i]); };
    samples.push_back({numbers[0], {at(1), at(2), at(3), at(4)}, numbers[5] != 0});
  }
  RandomStream stream(1, "start", {});
  while (absl::GetFlag(FLAGS_samples).empty() && samples.size() < count) {
    const int64_t last = std::max<int64_t>(0, video.frames - kFrames);
    samples.push_back({stream.UniformInt(last + 1), {}, stream.Bernoulli(0.5)});
  }
  return samples;
}

TransformSettings Settings() {
  TransformSettings settings;
  settings.set_train_crop(kTrainSize);
  // The area of a crop of 224 out of a short side of 256 to 320.
  settings.set_min_area(0.35);
  settings.set_max_area(0.6);
  settings.set_horizontal_flip(true);
  settings.set_search_short_side(kTestSize);
  settings.set_search_crop(kTrainSize);
  settings.set_test_short_side(kTestSize);
  settings.set_test_crop(kTestSize);
  return settings;
}

absl::StatusOr<data::ClipTransform> TrainingTransform(const Sample& sample, int width, int height) {
  RandomStream stream(1, "crop", {sample.first});
  data::TrainDraw draw = data::DrawTrainTransform(Settings(), width, height, &stream);
  if (sample.crop.width > 0) draw.crop = sample.crop;
  draw.mirror = sample.mirror;
  return data::ClipTransform::ForTraining(draw, Settings());
}

void StopOn(const absl::Status& status, benchmark::State& state) {
  if (!status.ok()) state.SkipWithError(status.ToString().c_str());
}

enum class SampleForm { kFloats, kBytes, kPlanes };

void Sampling(benchmark::State& state, const data::Video& video, SampleForm form) {
  const std::vector<Sample> samples = Samples(video, 64);
  data::FrameStore store(/*budget_bytes=*/0, {}, HowToDecode());
  std::vector<float> out(size_t{3} * kFrames * kTrainSize * kTrainSize);
  data::ByteViews bytes;
  data::ViewSeconds seconds;
  size_t next = 0;
  // An iteration is all samples, because each starts at another position and has another cost.
  for (auto _ : state) {
    for (const Sample& sample : samples) {
      std::vector<int64_t> clip(kFrames);
      for (int t = 0; t < kFrames; ++t) clip[t] = std::min(sample.first + t, video.frames - 1);
      const auto transform = [&](int width, int height) {
        return TrainingTransform(sample, width, height);
      };
      const bool planes = form == SampleForm::kPlanes;
      StopOn(
          form == SampleForm::kFloats
              ? data::MakeClipViews(video, {clip}, transform, &store, absl::MakeSpan(out), &seconds)
              : data::MakeByteViews(video, {clip}, transform, planes, &store, &bytes, &seconds),
          state);
      if (planes && !bytes.planes.has_value()) state.SkipWithError("not given as decoded");
      benchmark::DoNotOptimize(out.data());
      benchmark::DoNotOptimize(bytes.pixels.data());
      ++next;
    }
  }
  const double done = static_cast<double>(next);
  state.counters["samples"] = static_cast<double>(samples.size());
  state.counters["read_ms"] = 1000 * seconds.read / done;
  state.counters["transform_ms"] = 1000 * seconds.transform / done;
}

void TrainingSample(benchmark::State& state, const data::Video& video) {
  Sampling(state, video, SampleForm::kFloats);
}
// What a GPU is sent: resized pictures, or pictures as decoded.
void SampleBytes(benchmark::State& state, const data::Video& video) {
  Sampling(state, video, SampleForm::kBytes);
}
void SamplePlanes(benchmark::State& state, const data::Video& video) {
  Sampling(state, video, SampleForm::kPlanes);
}

enum class ViewForm { kBytesThenFloats, kBytes, kFloats };

void Views(benchmark::State& state, const data::Video& video, ViewForm form) {
  // The scorer's group of views of this size.
  constexpr int64_t kGroup = 10;
  data::EvaluationLoaderOptions options;
  options.shape = {1, kFrames, 1};
  options.transform = Settings();
  options.clips = kClips;
  options.bytes = form != ViewForm::kFloats;
  data::FrameStore store(/*budget_bytes=*/0, {}, HowToDecode());
  data::Batch batch;
  std::vector<float> group(kGroup * 3 * kFrames * kTestSize * kTestSize);
  const auto score = [&] {
    auto loader = data::ClipLoader::ForTest({video}, &store, options);
    StopOn((*loader)->Next(&batch).status(), state);
    benchmark::DoNotOptimize(batch.clips.data());
    const bool floats = form == ViewForm::kBytesThenFloats;
    for (int64_t view = 0; floats && view < batch.views; view += kGroup) {
      data::NormaliseViews(batch.byte_views[0], view, kGroup, group.data());
      benchmark::DoNotOptimize(group.data());
    }
  };
  // A test allocates the memory of its views once, not once per video.
  score();
  for (auto _ : state) score();
}

void ScorerViews(benchmark::State& state, const data::Video& video) {
  Views(state, video, ViewForm::kBytesThenFloats);
}
void ViewBytes(benchmark::State& state, const data::Video& video) {
  Views(state, video, ViewForm::kBytes);
}
void ViewFloats(benchmark::State& state, const data::Video& video) {
  Views(state, video, ViewForm::kFloats);
}

void Scan(benchmark::State& state, const data::Video& video) {
  for (auto _ : state) benchmark::DoNotOptimize(data::ScanMedia(video.path));
}

void DecodeAll(benchmark::State& state, const data::Video& video) {
  std::vector<int64_t> all(video.frames);
  std::iota(all.begin(), all.end(), 0);
  data::FrameStore store(/*budget_bytes=*/0, {}, HowToDecode());
  for (auto _ : state) {
    StopOn(store.Read(video, all,
                      [](int64_t, const data::RgbImage& image) {
                        benchmark::DoNotOptimize(image.pixels.data());
                        return absl::OkStatus();
                      }),
           state);
  }
}

// Training clips: every video often enough to get `clips` clips.
absl::StatusOr<std::unique_ptr<data::ClipLoader>> MakeLoader(int64_t clips, int threads,
                                                             int64_t epoch,
                                                             data::FrameStore* store) {
  std::vector<data::Video> videos;
  for (int64_t i = 0; i < clips; ++i) videos.push_back(Videos()[i % Videos().size()]);
  data::TrainLoaderOptions options;
  options.shape = {1, kFrames, 1};
  options.transform = Settings();
  options.transform.set_train_crop(absl::GetFlag(FLAGS_loader_size));
  options.batch_size = 8;
  options.threads = threads;
  options.epoch = epoch;
  return data::ClipLoader::ForTraining(std::move(videos), store, options);
}

// What absl tells about waits for locks that were held; waits for a condition, such as a full queue,
// do not count.
std::atomic<int64_t> lock_waits{0}, lock_cycles{0};

void CountLockWait(int64_t cycles) {
  ++lock_waits;
  lock_cycles += cycles;
}

void Loader(benchmark::State& state) {
  constexpr int64_t kPass = 64;
  absl::RegisterMutexProfiler(&CountLockWait);
  lock_waits = lock_cycles = 0;
  data::FrameStore store(/*budget_bytes=*/0, {}, HowToDecode());
  int64_t clips = 0;
  for (auto _ : state) {
    auto loader = MakeLoader(kPass, static_cast<int>(state.range(0)), 0, &store);
    data::Batch batch;
    for (;;) {
      const absl::StatusOr<bool> more = (*loader)->Next(&batch);
      StopOn(more.status(), state);
      if (!more.ok() || !*more) break;
      clips += batch.size;
    }
  }
  state.SetItemsProcessed(clips);
  const double made = static_cast<double>(clips);
  state.counters["lock_waits"] = static_cast<double>(lock_waits) / made;
  state.counters["lock_cycles"] = static_cast<double>(lock_cycles) / made;
}

double ResidentMib() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

void Epoch(benchmark::State& state) {
  const int64_t samples = absl::GetFlag(FLAGS_epoch_samples);
  double after_tenth = 0, at_end = 0;
  for (auto _ : state) {
    data::FrameStore store(/*budget_bytes=*/0, {}, HowToDecode());
    auto loader = MakeLoader(samples, /*threads=*/2, 0, &store);
    data::Batch batch;
    for (int64_t clips = 0;; clips += batch.size) {
      if (after_tenth == 0 && clips >= samples / 10) after_tenth = ResidentMib();
      const absl::StatusOr<bool> more = (*loader)->Next(&batch);
      StopOn(more.status(), state);
      if (!more.ok() || !*more) break;
    }
    at_end = ResidentMib();
  }
  state.counters["MiB_after_tenth"] = after_tenth;
  state.counters["MiB_at_end"] = at_end;
  state.counters["growth"] = at_end / after_tenth - 1;
}

void RegisterAll() {
  using Function = void (*)(benchmark::State&, const data::Video&);
  const std::pair<const char*, Function> functions[] = {{"TrainingSample", TrainingSample},
                                                        {"SampleBytes", SampleBytes},
                                                        {"SamplePlanes", SamplePlanes},
                                                        {"Views", ScorerViews},
                                                        {"ViewBytes", ViewBytes},
                                                        {"ViewFloats", ViewFloats},
                                                        {"Scan", Scan},
                                                        {"DecodeAll", DecodeAll}};
  for (const data::Video& video : Videos()) {
    for (const auto& [name, function] : functions) {
      benchmark::RegisterBenchmark(
          absl::StrCat(name, "/", video.name).c_str(),
          [&video, function = function](benchmark::State& state) { function(state, video); })
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RegisterBenchmark("Loader", Loader)
      ->Arg(1)
      ->Arg(2)
      ->Arg(16)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("Epoch", Epoch)
      ->Iterations(1)
      ->UseRealTime()
      ->Unit(benchmark::kSecond);
}

}  // namespace
}  // namespace op3d::benchmarks

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  op3d::benchmarks::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
