#include "op3d/train/run/run_cost.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "data/command/cost/data_cost.h"
#include "op3d/base/file.h"
#include "op3d/base/program/run_folder.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"
#include "op3d/train/cost/memory_estimate.h"
#include "op3d/train/cost/memory_fit.h"
#include "op3d/train/cost/step_probe.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/settings/state_task.h"
#include "op3d/train/step/clip_mixing.h"

namespace op3d {
namespace {

constexpr int kDefaultKept = 2;
// The largest amount that the loader prepares (TrainLoaderOptions.prefetch_mib).
constexpr int64_t kPrefetchBytes = int64_t{1} << 30;

// MemAvailable; 0 if unknown.
int64_t AvailableMemory() {
  std::FILE* const file = std::fopen("/proc/meminfo", "re");
  if (file == nullptr) return 0;
  char line[128];
  long long kibibytes = 0;
  while (std::fgets(line, sizeof(line), file) != nullptr) {
    if (std::sscanf(line, "MemAvailable: %lld kB", &kibibytes) == 1) break;
  }
  std::fclose(file);
  return kibibytes * 1024;
}

struct Largest {
  MemoryEstimate memory;
  std::string clips;
  int64_t ahead = 0;
};

// Side of a state's training clips.
int CropOf(const RunOptions& options, const StateSettings& state) {
  return state.crop() > 0 ? state.crop() : options.settings.transform().train_crop();
}

MemoryProbe MemoryProbeOf(const RunOptions& options, const TrainingData& data,
                          const RunStep& step) {
  MemoryProbe probe;
  probe.network = options.settings.network();
  probe.training = options.settings.training();
  probe.classes = data.classes;
  probe.frames = ToStateTask(step).clip.length();
  probe.side = CropOf(options, step.state());
  probe.batch_size = step.state().batch_size();
  return probe;
}

StepCosts StepCostsOf(const RunOptions& options, const TrainingData& data) {
  StepProbe probe;
  probe.network = options.settings.network();
  probe.sgd = options.settings.sgd();
  probe.training = options.settings.training();
  probe.classes = data.classes;
  probe.device = options.device;
  return StepCosts(probe);
}

// Bytes of the clips that are prepared in advance.
int64_t AheadBytes(const RunOptions& options, const MemoryProbe& probe) {
  const int64_t batch = int64_t{4} * 3 * probe.frames * probe.side * probe.side * probe.batch_size;
  return std::max(batch, std::min(kPrefetchBytes, batch * (options.loader_threads + 2)));
}

int64_t FrameCacheBytes(const RunOptions& options) {
  return int64_t{options.settings.loader().frame_cache_mib()} << 20;
}

absl::StatusOr<Largest> LargestState(const RunOptions& options, const TrainingData& data) {
  const TrainingRunSettings& settings = options.settings;
  Largest largest;
  std::set<std::tuple<int, int, int>> seen;
  for (const RunStep& step : settings.steps()) {
    const MemoryProbe probe = MemoryProbeOf(options, data, step);
    if (!seen.emplace(probe.frames, probe.side, probe.batch_size).second) continue;
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    OP3D_ASSIGN_OR_RETURN(const MemoryEstimate memory, EstimateMemory(probe));
    if (memory.Total() <= largest.memory.Total()) continue;
    largest.memory = memory;
    largest.clips = absl::StrFormat("%d clips of %dx%dx%d", probe.batch_size, probe.frames,
                                    probe.side, probe.side);
    largest.ahead = AheadBytes(options, probe);
  }
  return largest;
}

}  // namespace

absl::StatusOr<std::string> DescribeResources(const RunOptions& options, const TrainingData& data) {
  OP3D_ASSIGN_OR_RETURN(const Largest largest, LargestState(options, data));
  const MemoryEstimate& memory = largest.memory;
  const int64_t cache = FrameCacheBytes(options);
  const int64_t total = memory.Total() + largest.ahead + cache;
  std::string text =
      absl::StrCat("memory: about ", BytesText(total), " expected (", largest.clips, " in ",
                   PrecisionOf(options.settings.training()), ": ", BytesText(memory.activations),
                   "; weights, gradients and optimiser ",
                   BytesText(memory.Total() - memory.activations), "; clips made ahead at most ",
                   BytesText(largest.ahead), "; decoded frames at most ", BytesText(cache), ")");
  const int64_t available = AvailableMemory();
  if (options.device == "cpu" && available > 0) {
    absl::StrAppend(&text, ", ", BytesText(available), " free");
    if (total > available) {
      absl::StrAppend(&text,
                      ".\nwarning: that is more than is free: lower batch_size (and raise "
                      "accumulation by as much) or loader.frame_cache_mib, or set "
                      "training.activation_checkpointing_frames=1");
    }
  }
  const int kept = options.settings.training().checkpoints().kept();
  const int states = options.settings.steps_size();
  const bool best = !data.measured.empty();
  // Plus the newest end of an epoch, and one more checkpoint and one more file of weights while they are
  // being written.
  const int64_t disk = memory.Checkpoint() * ((kept > 0 ? kept : kDefaultKept) + 2) +
                       memory.weights * (states + 2 + (best ? 1 : 0));
  absl::StrAppend(&text, "\ndisk: at most ", BytesText(disk),
                  " (a checkpoint: ", BytesText(memory.Checkpoint()), ")");
  if (const absl::StatusOr<int64_t> free = FreeBytes(options.output_dir); free.ok()) {
    absl::StrAppend(&text, ", ", BytesText(*free), " free");
    if (disk > *free) {
      absl::StrAppend(&text,
                      ".\nwarning: that is more than is free: make room, or choose another "
                      "--output_dir");
    }
  }
  return text;
}

absl::StatusOr<std::vector<std::string>> FitStates(int64_t have, TrainingRunSettings* settings) {
  std::vector<std::string> notes;
  std::map<std::tuple<int, int, int>, MemoryEstimate> known;
  RunOptions options;
  options.settings = *settings;
  TrainingData data;
  data.classes = settings->dataset().classes();
  for (RunStep& step : *settings->mutable_steps()) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    const MemoryProbe probe = MemoryProbeOf(options, data, step);
    const auto [at, fresh] =
        known.try_emplace({probe.frames, probe.side, probe.batch_size}, MemoryEstimate());
    if (fresh) {
      OP3D_ASSIGN_OR_RETURN(at->second, EstimateMemory(probe));
    }
    const MemoryEstimate& memory = at->second;
    if (memory.Total() <= have) continue;
    const StateTask state = ToStateTask(step);
    const Batches batches = {step.state().batch_size(), static_cast<int>(state.accumulation)};
    const BatchFit fit = FitBatch(memory, batches, have);
    const absl::Status too_large =
        TooLarge(step.state().name(), batches, memory.Total(), have, fit);
    if (!settings->training().fit_memory() || fit.need > have) return too_large;
    step.mutable_state()->set_batch_size(fit.batches.batch_size);
    step.mutable_state()->set_accumulation(fit.batches.accumulation);
    notes.push_back(absl::StrCat(
        "state '", step.state().name(), "': batch_size ", fit.batches.batch_size,
        " with accumulation ", fit.batches.accumulation, " instead of ", batches.batch_size,
        " with ", batches.accumulation, ", to fit into ", BytesText(have)));
  }
  return notes;
}

absl::StatusOr<std::string> DescribeRun(const RunOptions& options) {
  if (options.first()) {
    OP3D_RETURN_IF_ERROR(
        ExplainRefusal(options, RunFolder::Check(options.output_dir, options.settings)));
  }
  OP3D_ASSIGN_OR_RETURN(const TrainingData data, LoadRunData(options));
  const TrainingRunSettings& settings = options.settings;
  OP3D_RETURN_IF_ERROR(
      CheckInitialWeights(settings.network(), data.classes, settings.initial_weights()));
  std::string text = absl::StrCat(settings.name(), ": ", settings.network().name(), ", ",
                                  data.classes, " classes\n");
  for (const std::string& line : data.report) absl::StrAppend(&text, line, "\n");
  const int ranks = options.group == nullptr ? 1 : options.group->size();
  StepCosts costs = StepCostsOf(options, data);
  double total = 0;
  absl::StrAppend(&text,
                  "state       clip            epochs  steps/epoch  clips/step  lr        time\n");
  for (const RunStep& step : settings.steps()) {
    const StateTask state = ToStateTask(step);
    OP3D_ASSIGN_OR_RETURN(const int64_t steps,
                          StepsPerEpoch(state, static_cast<int64_t>(data.train.size())));
    OP3D_ASSIGN_OR_RETURN(
        const StepCost cost,
        costs.Of({state.clip.length(), CropOf(options, step.state()), /*train=*/true}));
    const double clips = static_cast<double>(steps * state.clips_a_step());
    const double measured =
        static_cast<double>(data.measured.size()) / std::max(1, settings.measure().every_epochs());
    const double seconds =
        step.epochs() * (clips * cost.train_seconds + measured * cost.score_seconds) / ranks;
    total += seconds;
    absl::StrAppendFormat(&text, "%-11s %-15s %6d  %11d  %10d  %-8g  %s\n", step.state().name(),
                          absl::StrFormat("%dx%d stride %d", state.clip.segments,
                                          state.clip.frames_per_segment, state.clip.stride),
                          step.epochs(), steps, state.clips_a_step(), state.learning_rate,
                          FormatSeconds(seconds));
  }
  absl::StrAppend(&text, "about ", FormatSeconds(total), " in total, without decoding, on ", ranks,
                  ranks == 1 ? " process\n" : " processes\n");
  if (!settings.steps().empty()) {
    const StateSettings& first = settings.steps(0).state();
    const data::ClipShape shape = ToStateTask(settings.steps(0)).clip;
    OP3D_ASSIGN_OR_RETURN(const StepCost step,
                          costs.Of({shape.length(), CropOf(options, first), /*train=*/true}));
    const absl::StatusOr<data::DataCost> cost =
        data::MeasureDataCost(data.train, shape, settings.loader(),
                              TransformOf(ToStateTask(settings.steps(0)), settings.transform()));
    if (absl::IsCancelled(cost.status())) return cost.status();
    const int loaders = std::max(1, options.loader_threads);
    absl::StrAppend(&text, data::DescribeDataCost(
                               cost, {step.train_seconds, options.device == "cpu" ? 0 : loaders,
                                      options.dataset_root, settings.dataset().name(), loaders,
                                      ClipsOfAnH200(step), Mixes(settings.training().mixing())}));
  }
  OP3D_ASSIGN_OR_RETURN(const std::string resources, DescribeResources(options, data));
  absl::StrAppend(&text, resources, "\noutput: ", options.output_dir,
                  " (nothing was written but the index of the videos)\n");
  return text;
}

absl::StatusOr<EdgeCost> EstimateEdge(const RunOptions& options, const TrainingData& data,
                                      const StateSettings& state, int epochs, int kept_epochs) {
  RunStep step;
  *step.mutable_state() = state;
  const StateTask train = ToStateTask(step);
  const int ranks = options.group == nullptr ? 1 : options.group->size();
  OP3D_ASSIGN_OR_RETURN(const int64_t steps,
                        StepsPerEpoch(train, static_cast<int64_t>(data.train.size())));
  OP3D_ASSIGN_OR_RETURN(
      const StepCost measured,
      StepCostsOf(options, data).Of({train.clip.length(), CropOf(options, state), /*train=*/true}));
  const MemoryProbe probe = MemoryProbeOf(options, data, step);
  OP3D_ASSIGN_OR_RETURN(const MemoryEstimate memory, EstimateMemory(probe));
  EdgeCost cost;
  cost.set_clips(static_cast<double>(steps * train.clips_a_step()));
  cost.set_train_seconds(cost.clips() * measured.train_seconds / ranks);
  cost.set_measure_seconds(static_cast<double>(data.measured.size()) * measured.score_seconds /
                           ranks);
  cost.set_memory_bytes(
      static_cast<double>(memory.Total() + AheadBytes(options, probe) + FrameCacheBytes(options)));
  cost.set_kept_bytes(static_cast<double>(memory.weights));
  // Two checkpoints, the newest end of an epoch, one being written, and one after every `kept_epochs`
  // epochs (EdgeTrainer).
  const int kept = kept_epochs > 0 ? std::min(kept_epochs, epochs) : epochs;
  const int checkpoints = kDefaultKept + 2 + (kept_epochs > 0 ? epochs / kept_epochs : 0);
  cost.set_training_bytes(
      static_cast<double>(memory.weights * (kept + 1) + memory.Checkpoint() * checkpoints));
  return cost;
}

}  // namespace op3d
