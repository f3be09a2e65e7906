#include "op3d/train/edge/edge_trainer.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/train/weight_merge.h"

namespace op3d {
namespace {

constexpr char kMeasure[] = "measure";

std::string EpochFile(const std::string& folder, int epoch) {
  return JoinPath(folder, absl::StrFormat("epoch_%03d.safetensors", epoch));
}

// The file of the merged network that was measured last.
constexpr char kMerged[] = "merged.safetensors";

// An edge with a known length is measured in the middle and at the end.
bool Measured(const EdgeTask& task, int epoch) {
  return task.epochs() == 0 || epoch >= task.epochs() || epoch == (task.epochs() + 1) / 2;
}

std::string WeightsFile(const std::string& folder) {
  return JoinPath(folder, "weights.safetensors");
}

}  // namespace

EdgeTrainer::EdgeTrainer(const TrainingJob& job, const std::vector<data::Video>* measured,
                         int kept_epochs)
    : job_(job), measured_(measured), kept_epochs_(kept_epochs) {}

absl::Status EdgeTrainer::MakeLive(const EdgeTask& task) {
  if (live_ != nullptr && live_folder_ == task.folder()) return absl::OkStatus();
  live_.reset();  // frees its memory before the next one's is allocated
  TrainingJob job = job_;
  job.anchor_epochs = kept_epochs_;
  absl::StrAppend(&job.purpose, ".", task.name());
  if (!task.source().empty()) job.initial_weights = WeightsFile(task.source());
  OP3D_ASSIGN_OR_RETURN(
      live_, StateTrainer::Start(job, ToStateTask(task.state(), task.epochs()), task.folder()));
  live_folder_ = task.folder();
  return absl::OkStatus();
}

absl::StatusOr<CurvePoint> EdgeTrainer::MeasureLive(const EdgeTask& task) {
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Network> merged, MergeLive(task));
  Network* const network = merged != nullptr ? merged.get() : &live_->network();
  OP3D_ASSIGN_OR_RETURN(
      CurvePoint measure,
      MeasureNetwork(network, *measured_, ToStateTask(task.state()).clip, job_, &seconds_));
  measure.set_epoch(live_->epochs());
  if (merged != nullptr && first()) {
    OP3D_RETURN_IF_ERROR(
        merged->SaveWeights(JoinPath(task.folder(), kMerged),
                            WeightsMetadata(job_, ToStateTask(task.state()).clip, /*loss=*/0)));
  }
  return measure;
}

absl::StatusOr<std::unique_ptr<Network>> EdgeTrainer::MergeLive(const EdgeTask& task) {
  // With a decreasing rate the weights settle without merging.
  const bool constant = task.state().schedule().kind_case() == ScheduleSettings::KIND_NOT_SET;
  if (job_.score.merged_epochs() < 2 || !constant || live_->epochs() == 0) return nullptr;
  OP3D_RETURN_IF_ERROR(live_->Flush());
  std::vector<std::string> files;
  const int last = live_->epochs();
  for (int epoch = std::max(1, last - job_.score.merged_epochs() + 1); epoch <= last; ++epoch) {
    files.push_back(EpochFile(task.folder(), epoch));
  }
  TrainingJob job = job_;
  absl::StrAppend(&job.purpose, ".", task.name());
  OP3D_ASSIGN_OR_RETURN(std::unique_ptr<Network> merged, MergeWeights(job, files));
  OP3D_RETURN_IF_ERROR(RecomputeBatchNorm(job, ToStateTask(task.state()), last,
                                          job_.score.batch_norm_clips(), merged.get()));
  return merged;
}

absl::StatusOr<CurvePoint> EdgeTrainer::Measure(const EdgeTask& task) {
  OP3D_RETURN_IF_ERROR(MakeLive(task));
  // The search's journal was lost after this edge had been trained: start it again.
  if (!live_->fresh()) OP3D_RETURN_IF_ERROR(live_->Rollback(0));
  return MeasureLive(task);
}

absl::StatusOr<CurvePoint> EdgeTrainer::TrainEpoch(const EdgeTask& task, int epoch) {
  OP3D_RETURN_IF_ERROR(MakeLive(task));
  if (live_->epochs() > epoch) OP3D_RETURN_IF_ERROR(live_->Rollback(epoch));
  if (live_->epochs() == epoch) {
    // The process was killed between the checkpoint and the answer: the measure is in the
    // checkpoint.
    const auto note = live_->notes().find(kMeasure);
    return DecodeCurvePoint(note == live_->notes().end() ? "" : note->second);
  }
  // More than one iteration only if a checkpoint was lost; training is exact, so the result is
  // equal.
  CurvePoint measure;
  while (live_->epochs() < epoch) {
    const absl::Time start = absl::Now();
    OP3D_ASSIGN_OR_RETURN(const EpochStats stats, live_->TrainEpoch());
    const double train_seconds = absl::ToDoubleSeconds(absl::Now() - start);
    seconds_ += stats.seconds;
    // Saved first, because a merged network is made from the files.
    OP3D_RETURN_IF_ERROR(live_->SaveWeights(EpochFile(task.folder(), live_->epochs()), {}));
    measure.Clear();
    if (Measured(task, live_->epochs())) {
      OP3D_ASSIGN_OR_RETURN(measure, MeasureLive(task));
    } else {
      measure.set_epoch(live_->epochs());
      measure.set_unmeasured(true);
    }
    measure.set_loss(stats.loss);
    measure.set_train_seconds(train_seconds);
    OP3D_RETURN_IF_ERROR(live_->Save({{kMeasure, EncodeCurvePoint(measure)}}));
    if (first() && kept_epochs_ > 0 && live_->epochs() > kept_epochs_) {
      OP3D_RETURN_IF_ERROR(RemoveFile(EpochFile(task.folder(), live_->epochs() - kept_epochs_)));
    }
  }
  return measure;
}

absl::Status EdgeTrainer::TrainAgain(const EdgeTask& task, int epoch) {
  OP3D_RETURN_IF_ERROR(MakeLive(task));
  const bool partial = live_->epochs() == epoch && live_->steps_into_epoch() > 0;
  if (live_->epochs() > epoch || partial) OP3D_RETURN_IF_ERROR(live_->Rollback(epoch));
  if (live_->epochs() < epoch) {
    Progress::Print(absl::StrCat(task.name(), ": training epochs ", live_->epochs() + 1, " to ",
                                 epoch, " again, whose weights had not been kept"));
  }
  while (live_->epochs() < epoch) {
    OP3D_ASSIGN_OR_RETURN(const EpochStats stats, live_->TrainEpoch());
    seconds_ += stats.seconds;
  }
  if (!first()) return absl::OkStatus();
  const double loss = live_->losses().empty() ? 0 : live_->losses().back();
  return live_->network().SaveWeights(WeightsFile(task.folder()),
                                      WeightsMetadata(job_, ToStateTask(task.state()).clip, loss));
}

absl::StatusOr<bool> EdgeTrainer::TakeKept(const EdgeTask& task, int epoch) {
  bool again = false;
  if (first()) {
    OP3D_RETURN_IF_ERROR(MakeFolders(task.folder()));
    const std::string kept = EpochFile(task.folder(), epoch), weights = WeightsFile(task.folder());
    if (epoch > 0 && FileExists(kept)) {
      if (std::rename(kept.c_str(), weights.c_str()) != 0) {
        return ErrnoStatus(errno, "cannot keep the weights", weights);
      }
    } else {
      again = epoch > 0 && !FileExists(weights);
    }
  }
  if (job_.group == nullptr) return again;
  std::vector<double> numbers = {again ? 1.0 : 0.0};
  OP3D_RETURN_IF_ERROR(job_.group->AllReduce(&numbers));
  return numbers[0] > 0;
}

absl::Status EdgeTrainer::Finish(const EdgeTask& task, int epoch) {
  if (live_folder_ == task.folder()) OP3D_RETURN_IF_ERROR(Flush());
  OP3D_ASSIGN_OR_RETURN(const bool again, TakeKept(task, epoch));
  if (again) OP3D_RETURN_IF_ERROR(TrainAgain(task, epoch));
  live_.reset();
  live_folder_.clear();
  if (!first()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(task.folder()));
  for (const std::string& name : names) {
    if (name != "weights.safetensors" && name != kMerged && absl::EndsWith(name, ".safetensors")) {
      OP3D_RETURN_IF_ERROR(RemoveFile(JoinPath(task.folder(), name)));
    }
  }
  return absl::OkStatus();
}

void EdgeTrainer::Abandon(const EdgeTask& task) {
  if (live_folder_ != task.folder()) return;
  live_.reset();  // waits until its files are written
  live_folder_.clear();
}

double EdgeTrainer::Chance() const { return ChancePerformance(job_.score, job_.classes); }

absl::Status EdgeTrainer::Flush() { return live_ == nullptr ? absl::OkStatus() : live_->Flush(); }

}  // namespace op3d
