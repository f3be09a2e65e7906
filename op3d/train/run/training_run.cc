#include "op3d/train/run/training_run.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "op3d/base/file.h"
#include "op3d/base/program/run_folder.h"
#include "op3d/base/progress.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/training_failure.h"
#include "op3d/eval/scores/silent_failure.h"
#include "op3d/torch/arithmetic.h"
#include "op3d/train/checkpoint/checkpoint_folder.h"
#include "op3d/train/checkpoint/weights_card.h"
#include "op3d/train/log/event_file.h"
#include "op3d/train/log/training_log.h"
#include "op3d/train/measure.h"
#include "op3d/train/run/run_cost.h"
#include "op3d/train/settings/network_settings.h"

namespace op3d {
namespace {

constexpr char kWeights[] = "weights.safetensors";
// Notes of a checkpoint: epochs that are measured and logged; the best measure so far; for an epoch
// that is trained but not yet reported, its clips and skipped videos.
constexpr char kReported[] = "reported";
constexpr char kBest[] = "best";
constexpr char kClips[] = "clips";
constexpr char kSkipped[] = "skipped";

using Notes = std::map<std::string, std::string>;

std::string NoteOr(const Notes& notes, const char* name, const std::string& otherwise) {
  const auto note = notes.find(name);
  return note == notes.end() ? otherwise : note->second;
}

int64_t NumberNote(const Notes& notes, const char* name) {
  int64_t value = 0;
  return absl::SimpleAtoi(NoteOr(notes, name, "0"), &value) ? value : 0;
}

std::string Percent(double part, double whole) {
  return absl::StrFormat("%.0f %%", whole > 0 ? 100 * part / whole : 0.0);
}

class Run {
 public:
  explicit Run(const RunOptions& options) : options_(options) {}

  absl::Status Train() {
    OP3D_RETURN_IF_ERROR(Open());
    OP3D_RETURN_IF_ERROR(Plan());
    int done = 0;
    OP3D_ASSIGN_OR_RETURN(done, StatesDone());
    Progress progress("train", total_clips_, "clips");
    progress_ = &progress;
    for (int i = 0; i < options_.settings.steps_size(); ++i) {
      if (i < done) {
        progress.AddEarlier(ClipsOf(i));
        steps_before_ += steps_per_epoch_[i] * options_.settings.steps(i).epochs();
      } else {
        OP3D_RETURN_IF_ERROR(TrainStep(i));
      }
    }
    const std::string software = data_.frames->SoftwareNote();
    if (!software.empty()) Progress::Print(software);
    if (!options_.first()) return absl::OkStatus();
    OP3D_ASSIGN_OR_RETURN(const std::string bytes,
                          ReadFile(WeightsFile(options_.settings.steps_size() - 1)));
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(folder_->Path(kWeights), bytes));
    log_->Note("finished", {});
    return absl::OkStatus();
  }

  // A line for the log about how the run ended.
  void Ended(const absl::Status& status) {
    if (log_ != nullptr && !status.ok()) {
      log_->Note("stopped", {{"reason", std::string(status.message())}});
    }
  }

 private:
  absl::Status Open() {
    if (options_.first()) {
      absl::StatusOr<std::unique_ptr<RunFolder>> folder =
          RunFolder::Open(options_.output_dir, options_.settings);
      if (!folder.ok()) return ExplainRefusal(options_, folder.status());
      folder_ = *std::move(folder);
      OP3D_ASSIGN_OR_RETURN(log_, TrainingLog::Open(folder_->Path("log.jsonl")));
    }
    OP3D_ASSIGN_OR_RETURN(data_, LoadRunData(options_));
    job_ = MakeTrainingJob(options_, data_);
    job_.alone_on_gpu = true;
    return absl::OkStatus();
  }

  // Checks all states before the first is trained.
  absl::Status Plan() {
    for (int i = 0; i < options_.settings.steps_size(); ++i) {
      const StateTask state = ToStateTask(options_.settings.steps(i));
      OP3D_ASSIGN_OR_RETURN(const int64_t steps,
                            StepsPerEpoch(state, static_cast<int64_t>(data_.train.size())));
      steps_per_epoch_.push_back(steps);
      total_clips_ += ClipsOf(i);
    }
    if (!options_.first()) return absl::OkStatus();
    for (const std::string& line : data_.report) Progress::Print(line);
    OP3D_ASSIGN_OR_RETURN(const std::string resources, DescribeResources(options_, data_));
    Progress::Print(resources);
    log_->Note("started", {{"device", options_.device},
                           {"processes", options_.group == nullptr ? 1 : options_.group->size()},
                           {"loader_threads", options_.loader_threads},
                           {"precision", PrecisionOf(options_.settings.training())},
                           {"arithmetic", ArithmeticInUse()},
                           {"resumed", folder_->resumed()}});
    return absl::OkStatus();
  }

  int64_t ClipsOf(int i) const {
    const RunStep& step = options_.settings.steps(i);
    return steps_per_epoch_[i] * ToStateTask(step).clips_a_step() * step.epochs();
  }
  std::string StateFolder(int i) const {
    return JoinPath(options_.output_dir, absl::StrCat("state_", i + 1));
  }
  std::string WeightsFile(int i) const { return JoinPath(StateFolder(i), kWeights); }

  // As the first process sees it; the others may have no folder in common with it.
  absl::StatusOr<int> StatesDone() {
    std::vector<double> done = {0};
    if (options_.first()) {
      while (done[0] < options_.settings.steps_size() &&
             FileExists(WeightsFile(static_cast<int>(done[0])))) {
        ++done[0];
      }
    }
    if (options_.group != nullptr) OP3D_RETURN_IF_ERROR(options_.group->AllReduce(&done));
    return static_cast<int>(done[0]);
  }

  absl::Status TrainStep(int i) {
    const RunStep& step = options_.settings.steps(i);
    TrainingJob job = job_;
    job.purpose = absl::StrCat("train.", i + 1);
    Notes inherited;
    if (i > 0) {
      // The first process broadcasts its weights.
      job.initial_weights = options_.first() ? WeightsFile(i - 1) : "";
      if (options_.first()) {
        OP3D_ASSIGN_OR_RETURN(inherited, MetadataOf(job.initial_weights));
      }
    }
    job.on_step = [&](const StepStats& stats) { OnStep(i, stats); };
    OP3D_ASSIGN_OR_RETURN(trainer_, StateTrainer::Start(job, ToStateTask(step), StateFolder(i)));
    OP3D_RETURN_IF_ERROR(TakeUp(i, trainer_->epochs() == 0 ? inherited : trainer_->notes()));
    for (;;) {
      if (reported_ < trainer_->epochs()) OP3D_RETURN_IF_ERROR(ReportEpoch(i));
      if (trainer_->epochs() >= step.epochs()) break;
      absl::StatusOr<EpochStats> stats = trainer_->TrainEpoch();
      if (!stats.ok()) return Stopped(i, stats.status());
      clips_ = stats->clips;
      skipped_ = stats->skipped;
      // Saved before measuring, which may take long.
      if (Due(i)) OP3D_RETURN_IF_ERROR(trainer_->Save(CurrentNotes()));
    }
    OP3D_RETURN_IF_ERROR(trainer_->SaveWeights(WeightsFile(i), BestNote()));
    OP3D_RETURN_IF_ERROR(trainer_->Flush());
    trainer_.reset();
    steps_before_ += steps_per_epoch_[i] * step.epochs();
    return options_.first() ? CheckpointFolder(StateFolder(i), {}).RemoveAll() : absl::OkStatus();
  }

  static absl::StatusOr<Notes> MetadataOf(const std::string& path) {
    OP3D_ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Read(path));
    Notes notes;
    const auto best = file.metadata().find(kBest);
    if (best != file.metadata().end()) notes[kBest] = best->second;
    return notes;
  }

  // Resumes the state, and the log.
  absl::Status TakeUp(int i, const Notes& notes) {
    reported_ = static_cast<int>(NumberNote(notes, kReported));
    clips_ = NumberNote(notes, kClips);
    skipped_ = NumberNote(notes, kSkipped);
    best_.reset();
    if (notes.count(kBest) > 0) {
      OP3D_ASSIGN_OR_RETURN(best_, DecodeCurvePoint(notes.at(kBest)));
    }
    const int64_t steps =
        trainer_->epochs() * trainer_->steps_per_epoch() + trainer_->steps_into_epoch();
    progress_->AddEarlier(steps * ToStateTask(options_.settings.steps(i)).clips_a_step());
    if (!options_.first()) return absl::OkStatus();
    if (!trainer_->fresh()) {
      Progress::Print(absl::StrCat("state ", i + 1, " resumes after epoch ", trainer_->epochs(),
                                   " and ", trainer_->steps_into_epoch(), " steps"));
    }
    OP3D_RETURN_IF_ERROR(
        log_->Rollback(i + 1, trainer_->epochs(), trainer_->steps_into_epoch(), reported_));
    if (events_ == nullptr) {
      OP3D_ASSIGN_OR_RETURN(events_,
                            EventFile::Create(options_.output_dir, steps_before_ + steps + 1));
    }
    return absl::OkStatus();
  }

  Notes BestNote() const {
    return best_.has_value() ? Notes{{kBest, EncodeCurvePoint(*best_)}} : Notes();
  }

  Notes CurrentNotes() const {
    Notes notes = BestNote();
    notes[kReported] = absl::StrCat(reported_);
    if (reported_ < trainer_->epochs()) {
      notes[kClips] = absl::StrCat(clips_);
      notes[kSkipped] = absl::StrCat(skipped_);
    }
    return notes;
  }

  // Whether the last trained epoch must be measured.
  bool Due(int i) const {
    const int every = std::max(1, options_.settings.measure().every_epochs());
    return !data_.measured.empty() && (trainer_->epochs() % every == 0 ||
                                       trainer_->epochs() == options_.settings.steps(i).epochs());
  }

  void OnStep(int i, const StepStats& stats) {
    const RunStep& step = options_.settings.steps(i);
    progress_->Add(ToStateTask(step).clips_a_step());
    const ActivitySeconds& seconds = stats.seconds;
    const double whole = seconds.wait + seconds.forward + seconds.backward + seconds.step;
    progress_->Note(absl::StrCat(
        step.state().name(), " (", i + 1, "/", options_.settings.steps_size(), ") epoch ",
        stats.epoch, "/", step.epochs(), "  loss ", absl::StrFormat("%.3f", stats.loss), "  wait ",
        Percent(seconds.wait, whole), " forward ", Percent(seconds.forward, whole), " backward ",
        Percent(seconds.backward, whole), " step ", Percent(seconds.step, whole)));
    if (!options_.first()) return;
    nlohmann::ordered_json fields = {{"loss", stats.loss},
                                     {"learning_rate", stats.learning_rate},
                                     {"gradient_norm", stats.gradient_norm},
                                     {"clips", stats.clips}};
    if (stats.loss_scale > 0) {
      fields["loss_scale"] = stats.loss_scale;
      fields["step_skipped"] = stats.skipped;
    }
    log_->Write("step", {i + 1, stats.epoch, stats.step}, fields,
                {{"wait", seconds.wait},
                 {"forward", seconds.forward},
                 {"backward", seconds.backward},
                 {"step", seconds.step}});
    const double rate = whole > 0 ? static_cast<double>(stats.clips) / whole : 0;
    events_->Add(steps_before_ + (stats.epoch - 1) * stats.steps + stats.step,
                 {{"train/loss", stats.loss},
                  {"train/learning_rate", stats.learning_rate},
                  {"train/gradient_norm", stats.gradient_norm},
                  {"speed/clips_per_second", rate},
                  {"speed/wait_seconds", seconds.wait},
                  {"speed/forward_seconds", seconds.forward},
                  {"speed/backward_seconds", seconds.backward},
                  {"speed/step_seconds", seconds.step}});
  }

  // Measures the last trained epoch if that is due, and logs it.
  absl::Status ReportEpoch(int i) {
    const int epoch = trainer_->epochs();
    nlohmann::ordered_json fields = {
        {"loss", trainer_->losses().back()}, {"clips", clips_}, {"skipped", skipped_}};
    nlohmann::ordered_json times = nlohmann::ordered_json::object();
    std::vector<std::pair<std::string, double>> scalars = {
        {"epoch/loss", trainer_->losses().back()}};
    std::string line =
        absl::StrFormat("%s epoch %d: loss %.4f", options_.settings.steps(i).state().name(), epoch,
                        trainer_->losses().back());
    if (Due(i)) {
      const data::ClipShape clip = ToStateTask(options_.settings.steps(i)).clip;
      ActivitySeconds seconds;
      OP3D_ASSIGN_OR_RETURN(
          CurvePoint measure,
          MeasureNetwork(&trainer_->network(), data_.measured, clip, job_, &seconds));
      times["evaluation"] = measure.evaluation_seconds();
      measure.set_epoch(epoch);
      measure.set_loss(trainer_->losses().back());
      measure.clear_evaluation_seconds();  // equal trainings write equal files
      const std::pair<const char*, double> shares[] = {{"performance", measure.performance()},
                                                       {"top1", measure.top1()},
                                                       {"top3", measure.top3()},
                                                       {"top5", measure.top5()}};
      fields["videos"] = data_.measured.size();
      for (const auto& [name, share] : shares) {
        fields[name] = share;
        scalars.emplace_back(absl::StrCat("measure/", name), share);
      }
      absl::StrAppendFormat(&line, "  top-1 %.2f %%  top-3 %.2f %%  top-5 %.2f %%",
                            100 * measure.top1(), 100 * measure.top3(), 100 * measure.top5());
      if (!best_.has_value() || measure.performance() > best_->performance()) {
        best_ = measure;
        absl::StrAppend(&line, "  (best)");
        OP3D_RETURN_IF_ERROR(trainer_->SaveWeights(
            JoinPath(options_.output_dir, "best.safetensors"),
            {{"state", absl::StrCat(i + 1)}, {"measure", EncodeCurvePoint(measure)}}));
      }
    }
    reported_ = epoch;
    // Of this process, including the frames read for the measure.
    const data::FrameStore::Counters frames = data_.frames->counters();
    times["decode"] = frames.decode_seconds - frames_before_.decode_seconds;
    times["cached_reads"] = frames.hits - frames_before_.hits;
    times["packets"] = frames.reading.packets - frames_before_.reading.packets;
    times["decoded_frames"] = frames.reading.decoded - frames_before_.reading.decoded;
    times["used_frames"] = frames.reading.converted - frames_before_.reading.converted +
                           frames.reading.given - frames_before_.reading.given;
    times["seeks"] = frames.reading.seeks - frames_before_.reading.seeks;
    times["rewinds"] = frames.reading.rewinds - frames_before_.reading.rewinds;
    frames_before_ = frames;
    if (options_.first()) {
      Progress::Print(line);
      if (epoch == options_.settings.steps(i).epochs()) WarnAfter(i, fields);
      log_->Write("epoch", {i + 1, epoch, 0}, fields, times);
      events_->Add(steps_before_ + epoch * trainer_->steps_per_epoch(), scalars);
      log_->Sync();  // before the checkpoint that relies on it
    }
    return trainer_->Save(CurrentNotes());
  }

  // Warns about a state that ended without an error but is worthless.  `fields` are its last
  // epoch's.
  void WarnAfter(int i, const nlohmann::ordered_json& fields) {
    const std::string name = absl::StrCat("state ", options_.settings.steps(i).state().name());
    const TrainedLoss trained = ToTrainedLoss(job_.network, job_.classes, fields["loss"]);
    std::vector<std::string> warnings = {DescribeNothingLearnt(name, trained)};
    if (fields.contains("top1")) {
      warnings.push_back(DescribeMisfit(trained, fields["top1"],
                                        static_cast<int64_t>(data_.measured.size())));
    }
    for (const std::string& warning : warnings) {
      if (warning.empty()) continue;
      Progress::Print(warning);
      log_->Note("warning", {{"text", warning}});
    }
  }

  absl::Status Stopped(int i, const absl::Status& reason) {
    if (!TrainingFailureOf(reason).has_value() || trainer_->epochs() == 0 ||
        options_.group != nullptr) {
      return reason;
    }
    // Stores weights that can be used directly, in addition to the checkpoint.
    const std::string path = JoinPath(StateFolder(i), "last_good_weights.safetensors");
    const int64_t epochs = trainer_->epochs();
    OP3D_RETURN_IF_ERROR(trainer_->Rollback(epochs));
    // No checkpoint was left to go back to.
    if (trainer_->epochs() != epochs) return reason;
    OP3D_RETURN_IF_ERROR(trainer_->SaveWeights(path, {}));
    OP3D_RETURN_IF_ERROR(trainer_->Flush());
    return absl::Status(reason.code(), absl::StrCat(reason.message(), " (", path, ")"));
  }

  const RunOptions options_;
  std::unique_ptr<RunFolder> folder_;  // of the first process
  std::unique_ptr<TrainingLog> log_;   // likewise
  std::unique_ptr<EventFile> events_;  // likewise
  TrainingData data_;
  TrainingJob job_;
  std::vector<int64_t> steps_per_epoch_;
  int64_t total_clips_ = 0;
  // Steps of the earlier states.
  int64_t steps_before_ = 0;
  Progress* progress_ = nullptr;
  // The current state.
  std::unique_ptr<StateTrainer> trainer_;
  int reported_ = 0;
  int64_t clips_ = 0, skipped_ = 0;
  // The counters at the end of the last epoch.
  data::FrameStore::Counters frames_before_;
  std::optional<CurvePoint> best_;
};

}  // namespace

absl::Status RunTraining(const RunOptions& options) {
  Run run(options);
  const absl::Status status = run.Train();
  run.Ended(status);
  return status;
}

}  // namespace op3d
