#include "op3d/train/state_trainer.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>

#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "data/transform/pixel_rows.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"
#include "op3d/base/training_failure.h"
#include "op3d/distributed/gradient_buckets.h"
#include "op3d/torch/precision.h"
#include "op3d/torch/tensor_file.h"
#include "op3d/torch/torch_status.h"
#include "op3d/train/checkpoint/model_card.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/step/clip_mixing.h"
#include "op3d/train/step/micro_batch_step.h"
#include "op3d/train/step/micro_batches.h"
#include "op3d/train/step/trainable_network.h"
#include "op3d/train/step/training_loss.h"
#include "op3d/train/weight_merge.h"

namespace op3d {
namespace {

constexpr int kDefaultKept = 2;
constexpr double kDefaultMinutes = 10;
constexpr size_t kExamples = 10;

CheckpointOptions ToCheckpointOptions(const TrainingJob& job) {
  const int kept = job.training.checkpoints().kept();
  return {kept > 0 ? kept : kDefaultKept, job.anchor_epochs};
}

absl::StatusOr<int64_t> SumOver(ProcessGroup* group, int64_t count) {
  std::vector<double> sum = {static_cast<double>(count)};
  OP3D_RETURN_IF_ERROR(group->AllReduce(&sum));
  return static_cast<int64_t>(sum[0]);
}

}  // namespace

std::map<std::string, std::string> WeightsMetadata(const TrainingJob& job,
                                                   const data::ClipShape& clip, double loss,
                                                   std::map<std::string, std::string> metadata) {
  ModelCard card = job.card;
  *card.mutable_network() = job.network;
  card.set_classes(static_cast<int32_t>(job.classes));
  card.set_segments(clip.segments);
  card.set_frames_per_segment(clip.frames_per_segment);
  card.set_stride(clip.stride);
  card.set_short_side(job.transform.test_short_side());
  card.set_crop(job.transform.test_crop());
  card.set_on_short_video(job.loader.on_short_video());
  card.set_precision(PrecisionOf(job.training));
  card.set_arithmetic(job.training.arithmetic());
  card.set_loss(loss);
  card.mutable_mean()->Assign(data::kPixelMean.begin(), data::kPixelMean.end());
  card.mutable_deviation()->Assign(data::kPixelDeviation.begin(), data::kPixelDeviation.end());
  AddModelCard(card, &metadata);
  return metadata;
}

StateTrainer::StateTrainer(const TrainingJob& job, const StateTask& state,
                           const std::string& folder)
    : job_(job), state_(state), folder_(folder), checkpoints_(folder, ToCheckpointOptions(job)) {}

StateTrainer::~StateTrainer() = default;

absl::StatusOr<std::unique_ptr<StateTrainer>> StateTrainer::Start(const TrainingJob& job,
                                                                  const StateTask& state,
                                                                  const std::string& folder) {
  std::unique_ptr<StateTrainer> trainer(new StateTrainer(job, state, folder));
  OP3D_RETURN_IF_ERROR(trainer->Prepare());
  if (trainer->first()) OP3D_RETURN_IF_ERROR(MakeFolders(folder));
  OP3D_RETURN_IF_ERROR(trainer->Resume());
  return trainer;
}

absl::Status StateTrainer::Prepare() {
  // One thread: sums in one order on every machine; run several jobs at once instead.
  at::set_num_threads(job_.compute_threads);
  OP3D_ASSIGN_OR_RETURN(steps_per_epoch_,
                        StepsPerEpoch(state_, static_cast<int64_t>(job_.videos->size())));
  OP3D_ASSIGN_OR_RETURN(schedule_,
                        Schedule::Make(state_.schedule, state_.learning_rate,
                                       {state_.epochs, steps_per_epoch_, state_.accumulation}));
  const int processes = job_.group == nullptr ? 1 : job_.group->size();
  if (state_.accumulation % processes != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(processes, " processes cannot share the ", state_.accumulation,
                     " micro-batches of a step evenly; start a number of processes that divides "
                     "the accumulation "
                     "of ",
                     state_.accumulation, ", or set batch_size and accumulation so that it does"));
  }
  own_accumulation_ = state_.accumulation / processes;
  OP3D_RETURN_IF_ERROR(CheckMixing(job_.training));
  OP3D_RETURN_IF_ERROR(
      RequireAtLeast("training.batch_norm_clips", job_.training.batch_norm_clips(), 0));
  OP3D_ASSIGN_OR_RETURN(loss_limit_,
                        DivergenceLimit(job_.training.divergence_factor(), job_.classes));
  return absl::OkStatus();
}

absl::Status StateTrainer::MakeState(bool with_initial_values) {
  precise_.reset();
  buckets_.reset();  // before the parameters that it watches
  trained_.reset();
  progress_ = TrainingProgress();
  own_done_ = 0;
  TrainableNetworkOptions options;
  options.network = ToNetworkOptions(job_.network, job_.classes);
  options.seed = job_.seed;
  options.with_initial_values = with_initial_values;
  options.initial_weights = job_.initial_weights;
  options.device = job_.device;
  options.frozen_batch_norm = state_.frozen_batch_norm;
  options.sgd = job_.sgd;
  options.training = job_.training;
  options.clip_frames = state_.clip.length();
  options.fused_step = job_.fused_step;
  OP3D_ASSIGN_OR_RETURN(trained_, TrainableNetwork::Make(options));
  StartLossScale();
  if (job_.group != nullptr) {
    buckets_ = std::make_unique<GradientBuckets>(trained_->network().Parameters(), job_.group);
  }
  saved_ = absl::Now();
  return absl::OkStatus();
}

void StateTrainer::StartLossScale() {
  const bool scales = trained_->network().precision() == Precision::kFloat16;
  if (scales && !progress_.loss_scale.has_value()) progress_.loss_scale.emplace();
}

Network& StateTrainer::network() {
  return precise_ != nullptr ? *precise_ : trained_->result();
}

absl::Status StateTrainer::MakePrecise() {
  const int clips = job_.training.batch_norm_clips();
  if (clips == 0 || state_.frozen_batch_norm) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(precise_,
                        Network::MakeUnfilled(ToNetworkOptions(job_.network, job_.classes)));
  OP3D_RETURN_IF_ERROR(precise_->LoadStateDict(trained_->result().StateDict()));
  OP3D_RETURN_IF_ERROR(precise_->ToDevice(job_.device));
  return RecomputeBatchNorm(job_, state_, progress_.epochs, clips, precise_.get());
}

absl::StatusOr<EpochStats> StateTrainer::TrainEpoch() {
  EpochStats stats;
  OP3D_RETURN_IF_ERROR(CatchTorch([&] { return TrainSteps(&stats); }));
  return stats;
}

absl::StatusOr<std::unique_ptr<data::ClipLoader>> StateTrainer::MakeLoader() const {
  data::TrainLoaderOptions options;
  options.shape = state_.clip;
  options.transform = TransformOf(state_, job_.transform);
  options.on_short_video = job_.loader.on_short_video();
  options.on_bad_video = job_.loader.on_bad_video();
  options.batch_size = state_.batch_size;
  options.seed = job_.seed;
  options.purpose = job_.purpose;
  options.epoch = progress_.epochs;
  options.threads = job_.loader_threads;
  // A GPU makes the clips itself, from fewer bytes.
  options.bytes = (job_.device != "cpu" || job_.steps_as_on_gpu) && !Mixes(job_.training.mixing());
  options.planes = options.bytes;
  options.first_batch = progress_.micro_batches;
  if (job_.group != nullptr) {
    options.shard = job_.group->rank();
    options.shards = job_.group->size();
    options.first_batch = progress_.micro_batches / options.shards;
    options.handle_signals = false;
  }
  return data::ClipLoader::ForTraining(*job_.videos, job_.frames, options);
}

struct StateTrainer::EpochParts {
  MicroBatches batches;
  // Null: on the CPU.
  std::unique_ptr<MicroBatchStep> step;
};

MicroBatchLossOptions StateTrainer::LossOptions() const {
  MicroBatchLossOptions options;
  options.classes = job_.classes;
  options.seed = job_.seed;
  options.purpose = job_.purpose;
  return options;
}

MicroBatchPlace StateTrainer::PlaceOf(int64_t done) const {
  return {progress_.epochs, done + (job_.group == nullptr ? 0 : job_.group->rank())};
}

absl::Status StateTrainer::TrainSteps(EpochStats* stats) {
  at::set_num_threads(job_.compute_threads);
  precise_.reset();
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<data::ClipLoader> loader, MakeLoader());
  Network& network = trained_->network();
  network.SetTraining(true);
  before_step_ = ActivitySeconds();
  skipped_before_ = progress_.skipped;
  examples_before_ = progress_.examples;
  MicroBatchLossOptions options = LossOptions();
  const bool as_on_gpu = network.device().is_cuda() || job_.steps_as_on_gpu;
  // Results in portable arithmetic must not depend on whether a recording works.  With several processes
  // the backward pass starts NCCL's sums, which other threads watch.
  const bool recorded =
      as_on_gpu && job_.group == nullptr && !recording_failed_ &&
      ((job_.training.arithmetic() == TrainingSettings::NATIVE && job_.alone_on_gpu) ||
       job_.steps_as_on_gpu);
  options.equal_labels = recorded;
  EpochParts parts = {
      MicroBatches(job_.training, options, network.device(), as_on_gpu, loader.get()), nullptr};
  if (as_on_gpu) {
    parts.step = std::make_unique<MicroBatchStep>(
        options, job_.sgd.loss_weight() / own_accumulation_, recorded, &network);
  }
  OP3D_RETURN_IF_ERROR(TrainMicroBatches(&parts, stats));
  // Its memory is free again for measuring.
  parts.step.reset();
  return EndEpoch(loader->counters(), stats);
}

absl::Status StateTrainer::TrainMicroBatches(EpochParts* parts, EpochStats* stats) {
  const int processes = job_.group == nullptr ? 1 : job_.group->size();
  MicroBatches& batches = parts->batches;
  Stopwatch watch;
  while (progress_.micro_batches < steps_per_epoch_ * state_.accumulation) {
    if (job_.group == nullptr) {
      if (const absl::Status stop = CheckInterrupt(); !stop.ok()) {
        return StopInEpoch(stop, batches.counters());
      }
    }
    watch.Lap(&stats->seconds.step);
    const absl::StatusOr<int> size = batches.Next(PlaceOf(progress_.micro_batches));
    watch.Lap(&stats->seconds.wait);
    if (absl::IsCancelled(size.status())) return StopInEpoch(size.status(), batches.counters());
    OP3D_RETURN_IF_ERROR(size.status());
    if (buckets_ != nullptr && own_done_ + 1 == own_accumulation_) buckets_->Arm();
    // Size 0: all of its videos were skipped.
    if (*size > 0) {
      OP3D_RETURN_IF_ERROR(parts->step == nullptr ? TrainMicroBatch(*size, parts, stats)
                                                  : TrainOnGpu(*size, parts, stats));
    }
    progress_.micro_batches += processes;
    watch = Stopwatch();
    if (++own_done_ < own_accumulation_) continue;
    own_done_ = 0;
    OP3D_RETURN_IF_ERROR(Step(&watch, stats));
    if (stop_) {
      return StopInEpoch(absl::CancelledError("stopped with the other ranks"), batches.counters());
    }
    if (save_) OP3D_RETURN_IF_ERROR(SaveInEpoch(batches.counters()));
  }
  watch.Lap(&stats->seconds.step);
  return absl::OkStatus();
}

std::optional<double> StateTrainer::loss_scale() const {
  if (!progress_.loss_scale.has_value()) return std::nullopt;
  return progress_.loss_scale->factor;
}

absl::Status StateTrainer::TrainMicroBatch(int size, EpochParts* parts, EpochStats* stats) {
  Stopwatch watch;
  const MicroBatch batch = parts->batches.Take();
  OP3D_ASSIGN_OR_RETURN(
      const at::Tensor loss,
      MicroBatchLoss(LossOptions(), PlaceOf(progress_.micro_batches), batch, &trained_->network()));
  OP3D_RETURN_IF_ERROR(CountLoss(loss.item<double>(), size));
  watch.Lap(&stats->seconds.forward);
  at::Tensor scaled = loss * (job_.sgd.loss_weight() / own_accumulation_);
  if (const std::optional<double> scale = loss_scale()) scaled = scaled * *scale;
  scaled.backward();
  watch.Lap(&stats->seconds.backward);
  return absl::OkStatus();
}

// Waits for the device once, when the next micro-batch is on its way.
absl::Status StateTrainer::TrainOnGpu(int size, EpochParts* parts, EpochStats* stats) {
  Stopwatch watch;
  const int64_t index = progress_.micro_batches;
  const MicroBatch batch = parts->batches.Take();
  if (const std::optional<double> scale = loss_scale()) parts->step->SetLossScale(*scale);
  OP3D_ASSIGN_OR_RETURN(const at::Tensor loss, parts->step->Run(PlaceOf(index), batch));
  watch.Lap(&stats->seconds.forward);
  if (const std::string& failure = parts->step->failure(); !recording_failed_ && !failure.empty()) {
    recording_failed_ = true;
    Progress::Print(absl::StrCat(
        job_.purpose,
        ": a step cannot be recorded as a CUDA graph; its kernels are started one by one: ",
        failure.substr(0, failure.find('\n'))));
  }
  double waited = 0;
  const int64_t next = index + (job_.group == nullptr ? 1 : job_.group->size());
  if (next < steps_per_epoch_ * state_.accumulation) {
    parts->batches.Ahead(PlaceOf(next), &waited);
  }
  const double value = loss.item<double>();
  watch.Lap(&stats->seconds.backward);
  stats->seconds.backward -= waited;
  stats->seconds.wait += waited;
  return CountLoss(value, size);
}

absl::Status StateTrainer::CountLoss(double loss, int size) {
  // With several processes all must see it: it reaches the sum that Step() compares.
  if (!std::isfinite(loss) && job_.group == nullptr) {
    return Diverged(absl::InternalError(absl::StrCat("the loss is ", loss)),
                    steps_into_epoch() + 1);
  }
  progress_.step_loss_sum += loss * size;
  progress_.step_clips += size;
  if (job_.group == nullptr) {
    progress_.loss_sum += loss * size;
    progress_.clips += size;
  }
  return absl::OkStatus();
}

absl::Status StateTrainer::Step(Stopwatch* watch, EpochStats* stats) {
  const double minutes = job_.training.checkpoints().minutes();
  const bool due =
      first() && absl::Now() - saved_ > absl::Minutes(minutes > 0 ? minutes : kDefaultMinutes);
  double loss_sum = progress_.step_loss_sum;
  int64_t clips = progress_.step_clips;
  save_ = due;
  if (job_.group != nullptr) {
    OP3D_RETURN_IF_ERROR(buckets_->Finish());
    // Decisions on which all must agree are sent together with the meters.
    std::vector<double> numbers = {loss_sum, static_cast<double>(clips),
                                   CheckInterrupt().ok() ? 0.0 : 1.0, due ? 1.0 : 0.0};
    OP3D_RETURN_IF_ERROR(job_.group->AllReduce(&numbers));
    loss_sum = numbers[0];
    clips = static_cast<int64_t>(numbers[1]);
    stop_ = numbers[2] > 0;
    save_ = numbers[3] > 0;
    progress_.loss_sum += loss_sum;
    progress_.clips += clips;
  }
  StepStats step;
  step.epoch = progress_.epochs + 1;
  step.steps = steps_per_epoch_;
  step.step = steps_into_epoch();
  step.clips = clips;
  step.learning_rate = schedule_->Rate(progress_.epochs * steps_per_epoch_ + step.step - 1);
  if (clips > 0) {
    step.loss = loss_sum / static_cast<double>(clips);
    const absl::Status finite = progress_.AddStepLoss(step.loss, loss_limit_);
    if (!finite.ok()) return Diverged(finite, step.step);
  }
  const absl::StatusOr<double> norm = trained_->Step(step.learning_rate, loss_scale());
  // An error of the library or of a GPU says nothing about the training.
  if (TrainingFailureOf(norm.status()).has_value()) return Diverged(norm.status(), step.step);
  OP3D_RETURN_IF_ERROR(norm.status());
  if (const std::optional<double> scale = loss_scale()) {
    step.loss_scale = *scale;
    // All ranks skip the same steps: the gradients are already their mean, in which one rank's
    // infinity stays one, and all ranks have the same bits of it.
    step.skipped = !std::isfinite(*norm);
    if (step.skipped) ++progress_.skipped_steps;
    const absl::Status scaled = progress_.loss_scale->Update(!step.skipped);
    if (!scaled.ok()) return Diverged(scaled, step.step);
  }
  progress_.step_loss_sum = 0;
  progress_.step_clips = 0;
  watch->Lap(&stats->seconds.step);
  if (job_.on_step) {
    step.gradient_norm = step.skipped ? 0 : *norm;
    step.seconds = stats->seconds;
    step.seconds -= before_step_;
    before_step_ = stats->seconds;
    job_.on_step(step);
  }
  return absl::OkStatus();
}

absl::Status StateTrainer::Diverged(const absl::Status& reason, int64_t step) const {
  const std::string what =
      absl::StrCat(reason.message(), " in epoch ", progress_.epochs + 1, ", step ", step,
                   ": training diverged; use a lower learning rate (it is ",
                   schedule_->Rate(steps_per_epoch_ * progress_.epochs + step - 1), ")");
  return MarkTrainingFailure(
      absl::InternalError(absl::StrCat(job_.purpose, ": ", what, ". ",
                                       progress_.epochs > 0
                                           ? absl::StrCat("The last good weights, of epoch ",
                                                          progress_.epochs, ", are in ", folder_)
                                           : "No epoch had been completed")),
      what);
}

absl::Status StateTrainer::EndEpoch(const data::ClipLoader::Counters& counters, EpochStats* stats) {
  CountSkipped(counters);
  stats->seconds.transform = counters.transform_seconds;
  if (job_.group != nullptr) {
    OP3D_ASSIGN_OR_RETURN(progress_.skipped, SumOver(job_.group, progress_.skipped));
    OP3D_RETURN_IF_ERROR(SyncBuffers());
  }
  stats->skipped = progress_.skipped;
  stats->examples = progress_.examples;
  if (!stats->examples.empty()) {
    const bool substitutes = job_.loader.on_bad_video() == LoaderSettings::SUBSTITUTE;
    Progress::Print(absl::StrCat(job_.purpose, ": epoch ", progress_.epochs + 1, ": ",
                                 stats->skipped, " videos do not decode and were ",
                                 substitutes ? "replaced" : "left out", ", first ",
                                 stats->examples[0]));
  }
  if (progress_.clips == 0) {
    return absl::DataLossError(absl::StrCat(job_.purpose,
                                            ": no video of the epoch could be read; the first: ",
                                            stats->examples.empty() ? "" : stats->examples[0]));
  }
  if (progress_.skipped_steps > 0 && first()) {
    Progress::Print(absl::StrCat(job_.purpose, ": epoch ", progress_.epochs + 1, ": ",
                                 progress_.skipped_steps, " of ", steps_per_epoch_,
                                 " steps skipped (fp16 overflow); the loss scale is now ",
                                 progress_.loss_scale->factor));
  }
  stats->clips = progress_.clips;
  progress_.EndEpoch();
  stats->loss = progress_.losses.back();
  return MakePrecise();
}

void StateTrainer::CountSkipped(const data::ClipLoader::Counters& counters) {
  progress_.skipped = skipped_before_ + counters.skipped;
  progress_.examples = examples_before_;
  for (const std::string& example : counters.examples) {
    if (progress_.examples.size() < kExamples) progress_.examples.push_back(example);
  }
}

absl::Status StateTrainer::SyncBuffers() { return job_.group->Broadcast(trained_->Buffers()); }

absl::Status StateTrainer::StopInEpoch(const absl::Status& reason,
                                       const data::ClipLoader::Counters& counters) {
  OP3D_RETURN_IF_ERROR(SaveInEpoch(counters));
  OP3D_RETURN_IF_ERROR(Flush());
  return absl::CancelledError(
      absl::StrCat(reason.message(), "; ", job_.purpose, " is saved ", steps_into_epoch(), " of ",
                   steps_per_epoch_, " steps into epoch ", progress_.epochs + 1, " in ", folder_));
}

absl::Status StateTrainer::SaveInEpoch(const data::ClipLoader::Counters& counters) {
  CountSkipped(counters);
  if (job_.group == nullptr) return Save(progress_.notes);
  OP3D_RETURN_IF_ERROR(SyncBuffers());
  // The checkpoint has the sum of all, which the first process takes up.
  const int64_t own = progress_.skipped;
  OP3D_ASSIGN_OR_RETURN(progress_.skipped, SumOver(job_.group, own));
  const absl::Status saved = Save(progress_.notes);
  progress_.skipped = own;
  return saved;
}

absl::Status StateTrainer::Save(const std::map<std::string, std::string>& notes) {
  progress_.notes = notes;
  saved_ = absl::Now();
  if (!first()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const TensorViews tensors, ViewTensors(trained_->Tensors()));
  std::map<std::string, std::string> metadata = progress_.ToMetadata();
  metadata["state"] = Fingerprint();
  return checkpoints_.Write({progress_.epochs, progress_.micro_batches}, tensors.views, metadata);
}

absl::Status StateTrainer::SaveWeights(const std::string& path,
                                       const std::map<std::string, std::string>& metadata) {
  if (!first()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const TensorViews tensors, ViewTensors(network().StateDict()));
  const double loss = losses().empty() ? 0 : losses().back();
  OP3D_ASSIGN_OR_RETURN(
      std::string bytes,
      SerializeSafetensors(tensors.views, WeightsMetadata(job_, state_.clip, loss, metadata)));
  return checkpoints_.WriteFile(path, std::move(bytes));
}

absl::Status StateTrainer::Flush() { return checkpoints_.Flush(); }

int64_t StateTrainer::CheckpointBytes() const { return trained_->Bytes(); }

absl::Status StateTrainer::Resume() {
  std::optional<Safetensors> newest;
  if (first()) {
    OP3D_ASSIGN_OR_RETURN(newest, checkpoints_.ReadNewest());
  }
  return GoOnFrom(std::move(newest));
}

absl::Status StateTrainer::GoOnFrom(std::optional<Safetensors> newest) {
  if (job_.group != nullptr) {
    // The first rank's disk counts; the others may have none in common with it.
    OP3D_ASSIGN_OR_RETURN(std::string bytes,
                          job_.group->Broadcast(newest.has_value() ? newest->bytes() : ""));
    if (!first() && !bytes.empty()) {
      OP3D_ASSIGN_OR_RETURN(newest, Safetensors::Parse(std::move(bytes), "rank 0's checkpoint"));
    }
  }
  OP3D_RETURN_IF_ERROR(MakeState(/*with_initial_values=*/!newest.has_value()));
  if (newest.has_value()) return Restore(*newest);
  if (job_.group == nullptr) return absl::OkStatus();
  // The files of initial weights on the ranks might differ.
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : trained_->network().StateDict()) tensors.push_back(tensor);
  return job_.group->Broadcast(tensors);
}

absl::Status StateTrainer::Rollback(int epochs) {
  std::optional<Safetensors> file;
  if (first()) {
    OP3D_ASSIGN_OR_RETURN(file, checkpoints_.Rollback(epochs));
  }
  return GoOnFrom(std::move(file));
}

absl::Status StateTrainer::Restore(const Safetensors& file) {
  const auto state = file.metadata().find("state");
  const std::string there = state == file.metadata().end() ? "?" : state->second;
  if (there != Fingerprint()) {
    return absl::FailedPreconditionError(absl::StrCat(folder_, " belongs to another state: ", there,
                                                      ", not ", Fingerprint(),
                                                      "; choose another folder"));
  }
  OP3D_ASSIGN_OR_RETURN(progress_, TrainingProgress::FromMetadata(file.metadata()));
  if (!first()) progress_.skipped = 0;  // the first process has the sum
  OP3D_ASSIGN_OR_RETURN(const TensorFile tensors, ToTensors(file));
  OP3D_RETURN_IF_ERROR(Annotate(trained_->Restore(tensors.tensors), folder_));
  StartLossScale();
  own_done_ = static_cast<int>(progress_.micro_batches % state_.accumulation);
  if (own_done_ > 0 && job_.group != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder_, " was stopped within an optimiser step of ", state_.accumulation,
                     " micro-batches; finish the epoch with a single process first"));
  }
  if (progress_.epochs == 0 || progress_.micro_batches > 0) return absl::OkStatus();
  return CatchTorch([&] { return MakePrecise(); });
}

std::string StateTrainer::Fingerprint() const {
  TrainingSettings training = job_.training;
  // No result depends on them.
  training.clear_checkpoints();
  training.clear_activation_checkpointing_frames();
  if (training.precision() == "fp32") training.clear_precision();
  const uint32_t settings =
      Crc32(absl::StrCat(job_.network.SerializeAsString(), "|", job_.sgd.SerializeAsString(), "|",
                         training.SerializeAsString(), "|", job_.transform.SerializeAsString()));
  return absl::StrCat(job_.purpose, " seed ", job_.seed, " ", job_.network.name(), " ",
                      job_.classes, " classes ", job_.videos->size(), " videos ",
                      absl::Hex(data::VideoListCrc32(*job_.videos)), " settings ",
                      absl::Hex(settings), " ", DescribeStateTask(state_));
}

}  // namespace op3d
