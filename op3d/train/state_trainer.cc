#include "op3d/train/state_trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/base/casts.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "data/loader/loader.h"
#include "op3d/base/file.h"
#include "op3d/base/interrupt.h"
#include "op3d/base/progress.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "op3d/network/tensor_file.h"
#include "op3d/network/torch_status.h"
#include "op3d/train/network_settings.h"
#include "op3d/train/optimizer.h"

namespace op3d {
namespace {

constexpr char kWeights[] = "weights.";
constexpr char kOptimizer[] = "optimizer.";

// The loss of a micro-batch: both heads' cross entropies, each a mean over the clips.
at::Tensor Loss(const std::vector<at::Tensor>& heads, const at::Tensor& labels) {
  at::Tensor loss = at::cross_entropy_loss(heads[0], labels);
  for (size_t i = 1; i < heads.size(); ++i) loss = loss + at::cross_entropy_loss(heads[i], labels);
  return loss;
}

}  // namespace

StateTrainer::StateTrainer(const TrainingJob& job, const TrainState& state,
                           const std::string& folder)
    : job_(job), state_(state), folder_(folder) {}

StateTrainer::~StateTrainer() = default;

absl::StatusOr<std::unique_ptr<StateTrainer>> StateTrainer::Start(const TrainingJob& job,
                                                                  const TrainState& state,
                                                                  const std::string& folder) {
  at::set_num_threads(1);  // sums in one order, whatever the machine; jobs run side by side instead
  std::unique_ptr<StateTrainer> trainer(new StateTrainer(job, state, folder));
  OP3D_ASSIGN_OR_RETURN(trainer->steps_per_epoch_,
                        StepsPerEpoch(state, static_cast<int64_t>(job.videos->size())));
  OP3D_ASSIGN_OR_RETURN(trainer->schedule_, Schedule::Make(state.schedule, state.learning_rate,
                                                           {state.epochs, trainer->steps_per_epoch_,
                                                            state.accumulation}));
  OP3D_ASSIGN_OR_RETURN(trainer->network_,
                        Network::Make(ToNetworkOptions(job.network, job.classes), job.seed));
  Network& network = *trainer->network_;
  if (!job.initial_weights.empty())
    OP3D_RETURN_IF_ERROR(network.StartFrom(job.initial_weights).status());
  OP3D_RETURN_IF_ERROR(network.ToDevice(job.device));
  network.SetFrozenBatchNorm(state.frozen_batch_norm);
  OP3D_ASSIGN_OR_RETURN(trainer->optimizer_,
                        Optimizer::Make(network.Parameters(), job.sgd, job.training));
  OP3D_RETURN_IF_ERROR(MakeFolders(folder));
  OP3D_RETURN_IF_ERROR(trainer->Resume());
  return trainer;
}

absl::StatusOr<EpochStats> StateTrainer::TrainEpoch() {
  EpochStats stats;
  OP3D_RETURN_IF_ERROR(CatchTorch([&] { return TrainSteps(&stats); }));
  losses_.push_back(stats.loss);
  ++epochs_;
  return stats;
}

absl::Status StateTrainer::TrainSteps(EpochStats* stats) {
  at::set_num_threads(1);
  const int64_t steps = steps_per_epoch_;
  TrainLoaderOptions options;
  options.shape = state_.clip;
  options.transform = job_.transform;
  options.on_short_video = job_.loader.on_short_video();
  options.on_bad_video = job_.loader.on_bad_video();
  options.batch_size = state_.batch_size;
  options.seed = job_.seed;
  options.purpose = job_.purpose;
  options.epoch = epochs_;
  options.threads = job_.loader_threads;
  OP3D_ASSIGN_OR_RETURN(const auto loader,
                        ClipLoader::ForTraining(*job_.videos, job_.frames, options));
  network_->SetTraining(true);
  Stopwatch watch;
  Batch batch;
  for (int64_t step = 0; step < steps; ++step) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    for (int micro = 0; micro < state_.accumulation; ++micro) {
      watch.Lap(&stats->seconds.step);
      OP3D_ASSIGN_OR_RETURN(const bool more, loader->Next(&batch));
      watch.Lap(&stats->seconds.wait);
      if (!more) return absl::InternalError("the loader ended before its epoch");
      if (batch.size == 0) continue;  // every video of it was skipped
      OP3D_RETURN_IF_ERROR(TrainMicroBatch(&batch, step * state_.accumulation + micro, stats));
      watch = Stopwatch();
    }
    OP3D_RETURN_IF_ERROR(optimizer_->Step(schedule_->Rate(epochs_ * steps + step)).status());
  }
  watch.Lap(&stats->seconds.step);
  const ClipLoader::Counters counters = loader->counters();
  stats->seconds.transform = counters.transform_seconds;
  stats->skipped = counters.skipped;
  stats->examples = counters.examples;
  if (stats->skipped > 0) {
    Progress::Print(absl::StrCat(job_.purpose, ": epoch ", epochs_ + 1, " left out ",
                                 stats->skipped, " videos that do not decode, first ",
                                 stats->examples[0]));
  }
  if (stats->clips == 0) {
    return absl::DataLossError(absl::StrCat(job_.purpose,
                                            ": no video of the epoch could be read; the first: ",
                                            stats->examples.empty() ? "" : stats->examples[0]));
  }
  stats->loss /= static_cast<double>(stats->clips);
  return absl::OkStatus();
}

absl::Status StateTrainer::TrainMicroBatch(Batch* batch, int64_t index, EpochStats* stats) {
  Stopwatch watch;
  const at::Tensor clips =
      at::from_blob(batch->clips.data(),
                    {batch->size, 3, batch->frames, batch->height, batch->width}, at::kFloat)
          .to(network_->device());
  const at::Tensor labels =
      at::from_blob(batch->labels.data(), {batch->size}, at::kLong).to(network_->device());
  network_->SeedDropout(RandomStream(job_.seed, job_.purpose + ".dropout", {epochs_, index})());
  OP3D_ASSIGN_OR_RETURN(const std::vector<at::Tensor> heads, network_->Forward(clips));
  const at::Tensor loss = Loss(heads, labels);
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    return absl::InternalError(absl::StrCat(
        job_.purpose, ": the loss is ", value, " in epoch ", epochs_ + 1, ", micro-batch ",
        index + 1, ": training diverged; use a lower learning rate (it is ", state_.learning_rate,
        ")"));
  }
  stats->loss += value * batch->size;
  stats->clips += batch->size;
  watch.Lap(&stats->seconds.forward);
  (loss * (job_.sgd.loss_weight() / state_.accumulation)).backward();
  watch.Lap(&stats->seconds.backward);
  return absl::OkStatus();
}

absl::Status StateTrainer::Save(const std::map<std::string, std::string>& notes) {
  notes_ = notes;
  NamedTensors tensors;
  for (const auto& [name, tensor] : network_->StateDict()) {
    tensors.emplace_back(absl::StrCat(kWeights, name), tensor);
  }
  for (const auto& [name, tensor] : optimizer_->State()) {
    tensors.emplace_back(absl::StrCat(kOptimizer, name), tensor);
  }
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : notes) metadata["note." + key] = value;
  metadata["epochs"] = absl::StrCat(epochs_);
  metadata["state"] = Fingerprint();
  metadata["losses"] = absl::StrJoin(losses_, " ", [](std::string* out, double loss) {
    absl::StrAppend(out, absl::Hex(absl::bit_cast<uint64_t>(loss)));  // every bit
  });
  return WriteTensors(JoinPath(folder_, "resume.safetensors"), tensors, metadata);
}

absl::Status StateTrainer::Resume() {
  const std::string path = JoinPath(folder_, "resume.safetensors");
  if (!FileExists(path)) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(TensorFile file, ReadTensors(path));
  const std::string& state = file.metadata["state"];
  if (state != Fingerprint()) {
    return absl::FailedPreconditionError(absl::StrCat(path, " belongs to another state: ", state,
                                                      ", not ", Fingerprint(),
                                                      "; choose another folder"));
  }
  NamedTensors weights, optimizer;
  for (const auto& [name, tensor] : file.tensors) {
    if (absl::StartsWith(name, kWeights)) {
      weights.emplace_back(name.substr(sizeof(kWeights) - 1), tensor);
    } else if (absl::StartsWith(name, kOptimizer)) {
      optimizer.emplace_back(name.substr(sizeof(kOptimizer) - 1), tensor);
    }
  }
  OP3D_RETURN_IF_ERROR(Annotate(network_->LoadStateDict(weights), path));
  OP3D_RETURN_IF_ERROR(Annotate(optimizer_->SetState(optimizer), path));
  if (!absl::SimpleAtoi(file.metadata["epochs"], &epochs_)) {
    return absl::DataLossError(absl::StrCat(path, " does not say how many epochs it holds"));
  }
  for (const absl::string_view word :
       absl::StrSplit(file.metadata["losses"], ' ', absl::SkipEmpty())) {
    uint64_t bits = 0;
    if (!absl::SimpleHexAtoi(word, &bits)) {
      return absl::DataLossError(absl::StrCat(path, " holds a damaged loss '", word, "'"));
    }
    losses_.push_back(absl::bit_cast<double>(bits));
  }
  for (const auto& [key, value] : file.metadata) {
    if (absl::StartsWith(key, "note.")) notes_[key.substr(5)] = value;
  }
  return absl::OkStatus();
}

std::string StateTrainer::Fingerprint() const {
  const std::string text = absl::StrCat(job_.purpose, " seed ", job_.seed, " ", job_.network.name(),
                                        " ", job_.classes, " classes ", job_.videos->size(),
                                        " videos ", absl::Hex(VideoListCrc32(*job_.videos)), " ");
  return absl::StrCat(text, DescribeTrainState(state_));
}

}  // namespace op3d
