// The cost of training from video files: clips per second and where the time goes, one process and
// two, resuming from a checkpoint, and how long writing one blocks.
//
//   ./bazelw run //benchmarks/speed:training_benchmark -- --benchmark_filter=Files
//   ./bazelw run //benchmarks/speed:training_benchmark -- --videos=a.mp4,b.mp4
//
// Counters: `clips` per second; `wait`, `forward`, `backward`, `step` are shares of the training
// thread's time; `of_gemm` is the rate of arithmetic divided by that of a matrix product with the
// same number of threads in the same run (a training step counts as three forward passes).
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "data/index/scan_record.h"
#include "data/video/media.h"
#include "data/video/testing/wave_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/io/subprocess.h"
#include "op3d/base/status_macros.h"
#include "op3d/distributed/process_group.h"
#include "op3d/distributed/rank_environment.h"
#include "op3d/distributed/testing/rank_processes.h"
#include "op3d/network/definition/multiply_adds.h"
#include "op3d/network/network.h"
#include "op3d/train/state_trainer.h"

ABSL_FLAG(std::vector<std::string>, videos, {}, "the videos to train on; empty = made ones");
ABSL_FLAG(int, steps, 6, "steps of the optimiser an epoch");
ABSL_FLAG(std::string, rank_case, "", "set by the program itself: what its second process trains");
ABSL_FLAG(int, rank_epochs, 0, "set by the program itself");

namespace op3d::benchmarks {
namespace {

constexpr int64_t kSide = 112;
constexpr int kFrames = 16;

const std::vector<std::string>& VideoFiles() {
  static const std::vector<std::string> files = [] {
    std::vector<std::string> made;
    for (const std::string& file : absl::GetFlag(FLAGS_videos)) made.push_back(UserPath(file));
    if (!made.empty()) return made;
    const std::string folder = TestFolder("training_benchmark_videos");
    for (int i = 0; i < 4; ++i) {
      made.push_back(data::WriteWaveClip(folder, absl::StrCat(i, ".mp4"), 100, i));
    }
    return made;
  }();
  return files;
}

// `count` entries, the files in turn.  Decoded frames are not kept, so a repeated file costs as
// much as another.
absl::StatusOr<std::vector<data::Video>> Videos(int64_t count) {
  const std::vector<std::string>& files = VideoFiles();
  std::vector<data::Video> videos;
  for (const std::string& file : files) {
    if (static_cast<int64_t>(videos.size()) == count) break;
    OP3D_ASSIGN_OR_RETURN(const data::VideoScan scan, data::ScanMedia(file));
    videos.push_back(
        {absl::StrCat(videos.size()), file, 0, scan.info.frames, data::EncodeScan(scan)});
  }
  while (static_cast<int64_t>(videos.size()) < count) {
    videos.push_back(videos[videos.size() % files.size()]);
    videos.back().name = absl::StrCat(videos.size() - 1);
    videos.back().label = static_cast<int64_t>(videos.size()) % 10;
  }
  return videos;
}

// Multiply-adds per second of a matrix product with `threads` threads, the best of some.
double GemmRate(int threads) {
  static std::map<int, double> rates;
  double& rate = rates[threads];
  if (rate > 0) return rate;
  at::set_num_threads(threads);
  const int64_t side = 2048;
  const at::Tensor a = at::randn({side, side}), b = at::randn({side, side});
  for (int i = 0; i < 6; ++i) {
    const absl::Time start = absl::Now();
    benchmark::DoNotOptimize(a.mm(b));
    const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
    rate = std::max(rate, static_cast<double>(side * side * side) / seconds);
  }
  return rate;
}

struct Case {
  std::string network;
  int batch_size = 2;
  int accumulation = 1;
  int compute_threads = 1;
  int loader_threads = 1;
};

// What a case trains: everything except the process group.
struct Work {
  std::vector<data::Video> videos;
  data::FrameStore frames{0};
  TrainingJob job;
  StateTask state;
};

absl::StatusOr<std::unique_ptr<Work>> MakeWork(const Case& what) {
  auto work = std::make_unique<Work>();
  work->state.clip = {1, kFrames, 1};
  work->state.learning_rate = 1e-3;
  work->state.batch_size = what.batch_size;
  work->state.accumulation = what.accumulation;
  OP3D_ASSIGN_OR_RETURN(work->videos,
                        Videos(absl::GetFlag(FLAGS_steps) * work->state.clips_a_step()));
  TrainingJob& job = work->job;
  job.network.set_name(what.network);
  job.network.set_dropout(0.5);
  job.sgd.set_momentum(0.9);
  job.sgd.set_nesterov(true);
  job.sgd.set_weight_decay(1e-4);
  job.sgd.set_clip_norm(40);
  job.sgd.set_loss_weight(1);
  TransformSettings& transform = job.transform;
  transform.set_train_crop(kSide);
  transform.set_min_area(0.2);
  transform.set_max_area(1);
  transform.set_jitter_probability(0.8);
  transform.set_brightness(0.4);
  transform.set_contrast(0.4);
  transform.set_saturation(0.4);
  transform.set_hue(0.1);
  transform.set_grey_probability(0.2);
  transform.set_blur_probability(0.5);
  transform.set_horizontal_flip(true);
  for (const auto set_size :
       {&TransformSettings::set_search_short_side, &TransformSettings::set_search_crop,
        &TransformSettings::set_test_short_side, &TransformSettings::set_test_crop}) {
    (transform.*set_size)(kSide);
  }
  job.classes = 10;
  job.videos = &work->videos;
  job.frames = &work->frames;
  job.seed = 1;
  job.purpose = "benchmark";
  job.compute_threads = what.compute_threads;
  job.loader_threads = what.loader_threads;
  return work;
}

// A folder of this process alone, because ranks must not clear each other's.
std::string RunFolder() { return TestFolder(absl::StrCat("training_benchmark_", ::getpid())); }

absl::Status TrainEpochs(benchmark::State& state, StateTrainer* trainer, const Case& what,
                         int threads) {
  OP3D_RETURN_IF_ERROR(trainer->TrainEpoch().status());  // buffers, oneDNN's kernels
  ActivitySeconds seconds;
  int64_t clips = 0;
  const absl::Time start = absl::Now();
  for (auto _ : state) {
    OP3D_ASSIGN_OR_RETURN(const EpochStats stats, trainer->TrainEpoch());
    seconds += stats.seconds;
    clips += stats.clips;
  }
  const double elapsed = absl::ToDoubleSeconds(absl::Now() - start);
  const double all = seconds.wait + seconds.forward + seconds.backward + seconds.step;
  state.counters["clips"] = clips / elapsed;
  state.counters["wait"] = seconds.wait / all;
  state.counters["forward"] = seconds.forward / all;
  state.counters["backward"] = seconds.backward / all;
  state.counters["step"] = seconds.step / all;
  OP3D_ASSIGN_OR_RETURN(const NetworkDefinition network, Define({what.network, 10, 0}));
  const double multiply_adds =
      3.0 * clips * CountMultiplyAdds(network, {kFrames, kSide, kSide}) / elapsed;
  state.counters["of_gemm"] = multiply_adds / GemmRate(threads);
  return absl::OkStatus();
}

// One process: `what.compute_threads` for the network, `what.loader_threads` for the videos.
void Files(benchmark::State& state, const Case& what) {
  const absl::Status status = [&]() -> absl::Status {
    OP3D_ASSIGN_OR_RETURN(const auto work, MakeWork(what));
    OP3D_ASSIGN_OR_RETURN(const auto trainer,
                          StateTrainer::Start(work->job, work->state, RunFolder()));
    return TrainEpochs(state, trainer.get(), what, what.compute_threads);
  }();
  if (!status.ok()) state.SkipWithError(status.ToString().c_str());
}

// ---------------------------------------------------------------- two processes

absl::Status TrainAsRank(const Case& what, const RankEnvironment& ranks,
                         const std::function<absl::Status(StateTrainer*)>& train) {
  OP3D_ASSIGN_OR_RETURN(const auto work, MakeWork(what));
  OP3D_ASSIGN_OR_RETURN(const auto group, ProcessGroup::Join(ranks, "cpu", what.network));
  work->job.group = group.get();
  const absl::Status status = [&]() -> absl::Status {
    OP3D_ASSIGN_OR_RETURN(const auto trainer,
                          StateTrainer::Start(work->job, work->state, RunFolder()));
    return train(trainer.get());
  }();
  group->Leave(status);
  return status;
}

Case PairCase(const std::string& network) { return {network, 2, 2, 1, 0}; }

// Runs this program again as rank 1.
absl::StatusOr<std::unique_ptr<Subprocess>> StartSecondRank(const std::string& network, int port,
                                                            int64_t epochs) {
  SubprocessOptions options;
  options.command = {"/proc/self/exe", "--rank_case=" + network,
                     absl::StrCat("--rank_epochs=", epochs),
                     absl::StrCat("--steps=", absl::GetFlag(FLAGS_steps)),
                     "--videos=" + absl::StrJoin(VideoFiles(), ",")};
  options.variables = {{"RANK", "1"},
                       {"WORLD_SIZE", "2"},
                       {"MASTER_ADDR", "127.0.0.1"},
                       {"MASTER_PORT", absl::StrCat(port)}};
  return Subprocess::Start(options);
}

// Two processes with one thread each over Gloo, each with half of a step's micro-batches.
void TwoProcesses(benchmark::State& state, const std::string& network) {
  VideoFiles();
  RankEnvironment ranks;
  ranks.size = 2;
  ranks.host = "127.0.0.1";
  ranks.port = FreePort();
  const auto child =
      StartSecondRank(network, ranks.port, static_cast<int64_t>(state.max_iterations) + 1);
  const absl::Status status = TrainAsRank(PairCase(network), ranks, [&](StateTrainer* trainer) {
    return TrainEpochs(state, trainer, PairCase(network), 2);
  });
  if (!status.ok()) state.SkipWithError(status.ToString().c_str());
  if (child.ok()) (*child)->Wait();
}

int RunSecondRank() {
  const absl::StatusOr<RankEnvironment> ranks = ReadRankEnvironment(ProcessEnvironment());
  const absl::Status status =
      ranks.ok() ? TrainAsRank(PairCase(absl::GetFlag(FLAGS_rank_case)), *ranks,
                               [](StateTrainer* trainer) -> absl::Status {
                                 while (trainer->epochs() < absl::GetFlag(FLAGS_rank_epochs)) {
                                   OP3D_RETURN_IF_ERROR(trainer->TrainEpoch().status());
                                 }
                                 return absl::OkStatus();
                               })
                 : ranks.status();
  if (!status.ok()) std::fprintf(stderr, "rank 1: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

// ---------------------------------------------------------------- checkpoints

// Starting on a folder with a checkpoint; `fresh` is the time to start without one, in seconds.
void Resume(benchmark::State& state, const std::string& network) {
  const absl::Status status = [&]() -> absl::Status {
    OP3D_ASSIGN_OR_RETURN(const auto work, MakeWork({network}));
    const std::string folder = RunFolder();
    {
      const absl::Time start = absl::Now();
      OP3D_ASSIGN_OR_RETURN(const auto trainer,
                            StateTrainer::Start(work->job, work->state, folder));
      state.counters["fresh"] = absl::ToDoubleSeconds(absl::Now() - start);
      state.counters["MiB"] = static_cast<double>(trainer->CheckpointBytes()) / (1 << 20);
      OP3D_RETURN_IF_ERROR(trainer->Save({}));
      OP3D_RETURN_IF_ERROR(trainer->Flush());
    }
    for (auto _ : state) {
      OP3D_RETURN_IF_ERROR(StateTrainer::Start(work->job, work->state, folder).status());
    }
    return absl::OkStatus();
  }();
  if (!status.ok()) state.SkipWithError(status.ToString().c_str());
}

// An epoch and its checkpoint: `blocked` is the share of the time in which training waits for it.
void Checkpoint(benchmark::State& state, const std::string& network) {
  const absl::Status status = [&]() -> absl::Status {
    OP3D_ASSIGN_OR_RETURN(const auto work, MakeWork({network}));
    OP3D_ASSIGN_OR_RETURN(const auto trainer,
                          StateTrainer::Start(work->job, work->state, RunFolder()));
    double saving = 0, all = 0;
    for (auto _ : state) {
      Stopwatch watch;
      OP3D_RETURN_IF_ERROR(trainer->TrainEpoch().status());
      watch.Lap(&all);
      OP3D_RETURN_IF_ERROR(trainer->Save({}));
      watch.Lap(&saving);
    }
    state.counters["blocked"] = saving / (saving + all);
    state.counters["save_seconds"] = saving / static_cast<double>(state.iterations());
    return trainer->Flush();
  }();
  if (!status.ok()) state.SkipWithError(status.ToString().c_str());
}

void Register() {
  const auto set = [](benchmark::internal::Benchmark* registered, int iterations) {
    registered->Iterations(iterations)->UseRealTime()->Unit(benchmark::kMillisecond);
  };
  const std::vector<std::pair<std::string, std::string>> networks = {{"R18", "dg_p3d_resnet18"},
                                                                     {"R50", "dg_p3d_resnet50"}};
  for (const auto& [name, network] : networks) {
    const auto add = [&, label = name](const std::string& what, int iterations, auto function,
                                       auto argument) {
      set(benchmark::RegisterBenchmark(absl::StrCat(what, "/", label).c_str(), function, argument),
          iterations);
    };
    add("Files", 3, Files, Case{network, 2, 1, 1, 1});
    add("OneProcessTwoThreads", 3, Files, Case{network, 2, 2, 2, 1});
    add("TwoProcesses", 3, TwoProcesses, network);
    add("Resume", 3, Resume, network);
    add("Checkpoint", 3, Checkpoint, network);
  }
  // For the test that the program runs at all.
  set(benchmark::RegisterBenchmark("Files/Miniature", Files, Case{"dg_p3d_miniature", 2, 1, 1, 1}),
      1);
  set(benchmark::RegisterBenchmark("TwoProcesses/Miniature", TwoProcesses, "dg_p3d_miniature"), 1);
  set(benchmark::RegisterBenchmark("Resume/Miniature", Resume, "dg_p3d_miniature"), 1);
  set(benchmark::RegisterBenchmark("Checkpoint/Miniature", Checkpoint, "dg_p3d_miniature"), 1);
}

int Run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  if (!absl::GetFlag(FLAGS_rank_case).empty()) return RunSecondRank();
  Register();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace op3d::benchmarks

int main(int argc, char** argv) { return op3d::benchmarks::Run(argc, argv); }
