#include "planner/training_runner.h"

#include <cstdio>
#include <filesystem>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "planner/transition_graph.h"

namespace op3d {
namespace {

constexpr char kPoint[] = "point";

std::string EpochFile(const std::string& folder, int epoch) {
  return JoinPath(folder, absl::StrFormat("epoch_%03d.safetensors", epoch));
}

std::string WeightsFile(const std::string& folder) {
  return JoinPath(folder, "weights.safetensors");
}

}  // namespace

TrainingRunner::TrainingRunner(const TrainingJob& job, const std::vector<Video>* measured,
                               int kept_epochs)
    : job_(job), measured_(measured), kept_epochs_(kept_epochs) {}

absl::Status TrainingRunner::MakeLive(const EdgeTask& task) {
  if (live_ != nullptr && live_folder_ == task.folder) return absl::OkStatus();
  live_.reset();  // its memory, before the next one's
  TrainingJob job = job_;
  job.anchor_epochs = kept_epochs_;
  absl::StrAppend(&job.purpose, ".", task.transition->from(), "-", task.transition->to());
  if (!task.source_folder.empty()) job.initial_weights = WeightsFile(task.source_folder);
  OP3D_ASSIGN_OR_RETURN(live_, StateTrainer::Start(job, ToTrainState(*task.state), task.folder));
  live_folder_ = task.folder;
  return absl::OkStatus();
}

absl::StatusOr<CurvePoint> TrainingRunner::Score(const EdgeTask& task, Network* network,
                                                 int epoch) {
  const absl::Time start = absl::Now();
  ScoringOptions options;
  options.clip = ToTrainState(*task.state).clip;
  options.transform = job_.transform;
  options.on_short_video = job_.loader.on_short_video();
  options.on_bad_video = job_.loader.on_bad_video();
  options.threads = job_.loader_threads;
  OP3D_ASSIGN_OR_RETURN(const Metrics metrics,
                        MeasurePerformance(network, *measured_, job_.frames, options, &seconds_));
  CurvePoint point;
  point.set_epoch(epoch);
  point.set_performance(metrics.mean_of_top_1_3_5());
  point.set_top1(metrics.top1);
  point.set_top3(metrics.top3);
  point.set_top5(metrics.top5);
  point.set_evaluation_seconds(absl::ToDoubleSeconds(absl::Now() - start));
  return point;
}

absl::StatusOr<CurvePoint> TrainingRunner::Measure(const EdgeTask& task) {
  OP3D_RETURN_IF_ERROR(MakeLive(task));
  // The journal was lost after this edge had been trained on: begin it again.
  if (!live_->fresh()) OP3D_RETURN_IF_ERROR(live_->GoBackTo(0));
  return Score(task, &live_->network(), 0);
}

absl::StatusOr<CurvePoint> TrainingRunner::TrainEpoch(const EdgeTask& task, int epoch) {
  OP3D_RETURN_IF_ERROR(MakeLive(task));
  if (live_->epochs() > epoch) OP3D_RETURN_IF_ERROR(live_->GoBackTo(epoch));
  if (live_->epochs() == epoch) {
    // Killed between the checkpoint and the journal's line: the measure is in the checkpoint.
    CurvePoint point;
    OP3D_RETURN_IF_ERROR(ParseTextproto(live_->notes().at(kPoint), task.folder, &point));
    return point;
  }
  // More than one round only when a checkpoint was lost: training is exact, so it comes out equal.
  CurvePoint point;
  while (live_->epochs() < epoch) {
    const absl::Time start = absl::Now();
    OP3D_ASSIGN_OR_RETURN(const EpochStats stats, live_->TrainEpoch());
    const double train_seconds = absl::ToDoubleSeconds(absl::Now() - start);
    seconds_ += stats.seconds;
    OP3D_ASSIGN_OR_RETURN(point, Score(task, &live_->network(), live_->epochs()));
    point.set_loss(stats.loss);
    point.set_train_seconds(train_seconds);
    OP3D_RETURN_IF_ERROR(live_->SaveWeights(EpochFile(task.folder, live_->epochs()), {}));
    OP3D_RETURN_IF_ERROR(live_->Save({{kPoint, PrintTextproto(point)}}));
    if (kept_epochs_ > 0 && live_->epochs() > kept_epochs_) {
      OP3D_RETURN_IF_ERROR(RemoveFile(EpochFile(task.folder, live_->epochs() - kept_epochs_)));
    }
  }
  return point;
}

absl::Status TrainingRunner::TrainAgain(const EdgeTask& task, int epoch) {
  OP3D_RETURN_IF_ERROR(MakeLive(task));
  const bool behind = live_->epochs() == epoch && live_->steps_into_epoch() > 0;
  if (live_->epochs() > epoch || behind) OP3D_RETURN_IF_ERROR(live_->GoBackTo(epoch));
  if (live_->epochs() < epoch) {
    Progress::Print(absl::StrCat(EdgeName(*task.transition), ": training epochs ",
                                 live_->epochs() + 1, " to ", epoch,
                                 " again, whose weights had not been kept"));
  }
  while (live_->epochs() < epoch) {
    OP3D_ASSIGN_OR_RETURN(const EpochStats stats, live_->TrainEpoch());
    seconds_ += stats.seconds;
  }
  return live_->network().SaveWeights(WeightsFile(task.folder));
}

absl::Status TrainingRunner::Finish(const EdgeTask& task, int epoch) {
  OP3D_RETURN_IF_ERROR(MakeFolders(task.folder));
  if (live_ != nullptr && live_folder_ == task.folder) OP3D_RETURN_IF_ERROR(live_->Flush());
  const std::string kept = EpochFile(task.folder, epoch), weights = WeightsFile(task.folder);
  if (epoch > 0 && FileExists(kept)) {
    if (std::rename(kept.c_str(), weights.c_str()) != 0) {
      return ErrnoStatus(errno, "cannot keep the weights", weights);
    }
  } else if (epoch > 0 && !FileExists(weights)) {
    OP3D_RETURN_IF_ERROR(TrainAgain(task, epoch));
  }
  live_.reset();
  live_folder_.clear();
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(task.folder));
  for (const std::string& name : names) {
    if (name != "weights.safetensors" && absl::EndsWith(name, ".safetensors")) {
      OP3D_RETURN_IF_ERROR(RemoveFile(JoinPath(task.folder, name)));
    }
  }
  return absl::OkStatus();
}

}  // namespace op3d
