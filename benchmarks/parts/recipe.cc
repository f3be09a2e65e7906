#include "benchmarks/parts/recipe.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "data/annotation/video_list.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/base/training_failure.h"
#include "op3d/distributed/process_group.h"
#include "op3d/eval/scorer.h"
#include "op3d/eval/scores/metrics.h"
#include "op3d/eval/scores/silent_failure.h"
#include "op3d/eval/scoring_run.h"
#include "op3d/train/checkpoint/checkpoint_folder.h"
#include "op3d/train/checkpoint/weights_card.h"
#include "op3d/train/measure.h"
#include "op3d/train/settings/network_settings.h"
#include "planner/graphs/transition_graph.h"
#include "planner/graphs/wide_graph.h"
#include "planner/plans/plan_io.h"
#include "planner/runner/training_runner.h"
#include "results/record/format.h"
#include "results/record/record.h"

namespace op3d::benchmarks {
namespace {

// Notes of a stored training.
constexpr char kSkipped[] = "skipped";
constexpr char kSkippedExample[] = "skipped_example";

absl::StatusOr<TestResult> ToTestResult(const TestScores& scores, const Metrics& metrics,
                                        const TestLabels& labels) {
  TestResult result;
  result.set_videos(static_cast<int32_t>(scores.videos));
  result.set_skipped(static_cast<int32_t>(scores.broken));
  for (const std::string& example : scores.broken_examples) result.add_skipped_examples(example);
  result.set_clips(static_cast<int32_t>(scores.clips));
  result.set_crops(static_cast<int32_t>(scores.crops));
  result.set_right(results::PackRight(metrics.ranks));
  result.set_top1(metrics.top1);
  result.set_top3(metrics.top3);
  result.set_top5(metrics.top5);
  result.set_mean_class_accuracy(metrics.mean_class_accuracy);
  for (int64_t head = 0; head < scores.heads; ++head) {
    const int64_t size = scores.videos * scores.classes;
    const Views<float> one = {
        1, scores.videos,  1,
        1, scores.classes, absl::MakeConstSpan(scores.head_scores).subspan(head * size, size)};
    OP3D_ASSIGN_OR_RETURN(const VideoScores head_scores, MeanOfLogits(one));
    OP3D_ASSIGN_OR_RETURN(const Metrics head_metrics, ComputeMetrics(head_scores, scores.labels));
    result.add_head_top1(head_metrics.top1);
  }
  std::map<std::string, TestResult::ClassResult> groups;
  for (size_t c = 0; c < metrics.classes.size(); ++c) {
    TestResult::ClassResult& row = *result.add_classes();
    row.set_name(c < labels.classes.size() ? labels.classes[c] : absl::StrCat("class ", c));
    row.set_videos(static_cast<int32_t>(metrics.classes[c].videos));
    row.set_correct(static_cast<int32_t>(metrics.classes[c].correct));
    if (labels.groups.empty()) continue;
    TestResult::ClassResult& group = groups[labels.groups[c]];
    group.set_name(labels.groups[c]);
    group.set_videos(group.videos() + row.videos());
    group.set_correct(group.correct() + row.correct());
  }
  for (const auto& [name, group] : groups) *result.add_groups() = group;
  return result;
}

// Checksums of the weights alone: the metadata names the commit, and equal weights of two commits
// must have equal checksums.
absl::Status SetChecksums(std::string bytes, RecipeResult* result) {
  OP3D_ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Parse(std::move(bytes), "weights"));
  OP3D_ASSIGN_OR_RETURN(const std::string weights, SerializeSafetensors(file.tensors(), {}));
  result->set_weights_crc32(Crc32(weights));
  result->set_weights_sha256(Sha256(weights));
  return absl::OkStatus();
}

TrainingJob WithTest(const RecipeSettings& recipe, const Plan& plan, TrainingJob job) {
  DescribeTest(recipe, plan, &job.card);
  return job;
}

// FailedPrecondition if a test that was begun in `folder` is of other videos; stores which it is of.
// `run` has its finished blocks.
absl::Status CheckSameVideos(const std::string& folder, const std::string& videos_crc32,
                             const ScoringRun& run) {
  const std::string path = JoinPath(folder, "tested_videos.crc32");
  if (!FileExists(path)) {
    // An older op3d did not store which videos its finished blocks are of: they are scored again.
    RemoveParts(run);
    return WriteFileAtomically(path, videos_crc32);
  }
  OP3D_ASSIGN_OR_RETURN(const std::string there, ReadFile(path));
  if (there == videos_crc32) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      folder, " holds a test of other videos (CRC-32 of its list ", there, ", now ", videos_crc32,
      "): the evaluation list or its usable videos have changed since.  Undo that, or take another "
      "--output_dir"));
}

bool First(const ProcessGroup* group) { return group == nullptr || group->rank() == 0; }

// All processes wait until the first has come here.
absl::Status WaitForFirst(ProcessGroup* group) {
  return group == nullptr ? absl::OkStatus() : group->Broadcast("written").status();
}

int EpochsOf(double frames, const StateSettings& state, int full_crop) {
  return planner::EpochsOf(frames, planner::FullFramesPerClip(state, full_crop));
}

double FramesOfPlan(const Plan& plan, int full_crop) {
  double frames = 0;
  for (const Plan::Step& step : plan.steps()) {
    frames += step.epochs() * planner::FullFramesPerClip(step.state(), full_crop);
  }
  return frames;
}

// `clip` with 1 / `shorter` of its frames over the same time, and pictures of `crop` pixels.  Not
// fewer frames than DG-P3D can use.
StateSettings Shrink(StateSettings clip, int shorter, int crop) {
  constexpr int kFewestFrames = 16;
  while (shorter > 1 && planner::FramesPerClip(clip) / shorter < kFewestFrames) shorter /= 2;
  if (clip.segments() > 1) {
    clip.set_segments(std::max(1, clip.segments() / shorter));
  } else {
    clip.set_stride(clip.stride() * shorter);
    clip.set_frames_per_segment(std::max(1, clip.frames_per_segment() / shorter));
  }
  clip.set_crop(crop);
  return clip;
}

}  // namespace

absl::StatusOr<bool> FirstFinds(const std::string& path, ProcessGroup* group) {
  if (group == nullptr) return FileExists(path);
  OP3D_ASSIGN_OR_RETURN(const std::string there,
                        group->Broadcast(group->rank() == 0 && FileExists(path) ? "yes" : "no"));
  return there == "yes";
}

void SetFrames(double frames, int full_crop, RecipeSettings* recipe) {
  if (!recipe->has_hand_tuned() || recipe->hand_tuned().epochs() > 0) return;
  recipe->mutable_hand_tuned()->set_epochs(
      EpochsOf(frames, recipe->hand_tuned().state(), full_crop));
}

absl::StatusOr<Plan> RecipePlan(const RecipeSettings& recipe, const Plan& plan, int full_crop) {
  if (recipe.planned()) return plan;
  Plan result;
  Plan::Step& step = *result.add_steps();
  if (recipe.has_fixed()) {
    *step.mutable_state() = recipe.fixed().state();
    step.set_epochs(EpochsOf(recipe.fixed().frames(), step.state(), full_crop));
    return result;
  }
  if (!recipe.has_hand_tuned()) {
    return absl::InvalidArgumentError(
        absl::StrCat("recipe '", recipe.name(),
                     "' is neither planned nor hand_tuned nor fixed: set one of the three"));
  }
  *step.mutable_state() = recipe.hand_tuned().state();
  step.set_epochs(recipe.hand_tuned().epochs() > 0
                      ? recipe.hand_tuned().epochs()
                      : EpochsOf(FramesOfPlan(plan, full_crop), step.state(), full_crop));
  return result;
}

Plan MultigridPlan(const StateSettings& clip, double frames, int full_crop, int64_t videos) {
  struct Shape {
    int shorter;
    double side;
  };
  constexpr double kSmaller = 0.70710678118654752;
  constexpr Shape kCycle[] = {{4, kSmaller}, {2, kSmaller}, {2, 1}, {1, 1}};
  struct Rate {
    double factor, share;
    bool cycle;
  };
  // The released schedule: 239 epochs, the rate lowered after 94, 154 and 196.
  constexpr Rate kRates[] = {{1, 94. / 239, true},
                             {0.1, 60. / 239, true},
                             {0.01, 42. / 239, true},
                             {0.001, 43. / 239, false}};
  const int whole = clip.crop() > 0 ? clip.crop() : full_crop;
  Plan plan;
  plan.set_pool("multigrid");
  double target = 0, done = 0;
  for (const Rate& rate : kRates) {
    for (const Shape& shape : kCycle) {
      if (!rate.cycle && shape.shorter > 1) continue;
      Plan::Step& step = *plan.add_steps();
      StateSettings& state = *step.mutable_state();
      state = Shrink(clip, shape.shorter, static_cast<int>(std::lround(whole * shape.side)));
      state.set_name(absl::StrCat("M", plan.steps_size()));
      const int64_t own = int64_t{clip.batch_size()} * clip.accumulation();
      const int64_t smaller = std::llround(planner::FullFramesPerClip(clip, full_crop) /
                                           planner::FullFramesPerClip(state, full_crop));
      const int batch =
          static_cast<int>(std::max<int64_t>(1, std::min<int64_t>(smaller, videos / 2 / own)));
      state.set_accumulation(clip.accumulation() * batch);
      state.set_learning_rate(clip.learning_rate() * batch * rate.factor);
      // The next state corrects the rounding to epochs.
      target += frames * rate.share / (rate.cycle ? std::size(kCycle) : 1);
      step.set_epochs(EpochsOf(target - done, state, full_crop));
      done += step.epochs() * planner::FullFramesPerClip(state, full_crop);
    }
  }
  StateSettings& first = *plan.mutable_steps(0)->mutable_state();
  LinearSettings& constant = *first.mutable_schedule()->mutable_linear();
  constant.set_final_learning_rate(first.learning_rate());
  constant.set_warmup_epochs(2 * plan.steps(0).epochs() / 3);
  return plan;
}

int64_t FramesOf(const StateSettings& state, int epochs, size_t videos, int full_crop) {
  const int64_t step_clips = int64_t{state.batch_size()} * state.accumulation();
  const int64_t clips = epochs * (static_cast<int64_t>(videos) / step_clips * step_clips);
  return std::llround(static_cast<double>(clips) * planner::FullFramesPerClip(state, full_crop));
}

StateSettings TestState(const RecipeSettings& recipe, const Plan& plan) {
  StateSettings state = plan.steps(plan.steps_size() - 1).state();
  if (state.segments() > 1 && recipe.test_segments() > 0) {
    state.set_segments(recipe.test_segments());
  }
  return state;
}

void DescribeTest(const RecipeSettings& recipe, const Plan& plan, ModelCard* card) {
  card->set_test_clips(recipe.test_clips());
  card->set_test_segments(recipe.test_segments());
  card->set_plan_crc32(Crc32(PrintTextproto(plan)));
}

RecipeRun::RecipeRun(const RecipeSettings& recipe, const Plan& plan, const TrainingJob& job,
                     const std::string& folder, const std::vector<data::Video>* held_out)
    : recipe_(recipe),
      plan_(plan),
      job_(WithTest(recipe, plan, job)),
      folder_(folder),
      held_out_(held_out) {}

int RecipeRun::total_epochs() const { return planner::TotalEpochs(plan_); }

std::string RecipeRun::ScoresPath() const { return JoinPath(folder_, "scores.safetensors"); }

std::string RecipeRun::WeightsPath() const { return JoinPath(folder_, "weights.safetensors"); }

std::string RecipeRun::StateFolder(int step) const {
  return JoinPath(folder_, absl::StrCat("state_", step + 1));
}

absl::Status RecipeRun::Train(const std::function<void(int, int, double)>& on_epoch) {
  std::string earlier;
  if (First(job_.group)) {
    OP3D_ASSIGN_OR_RETURN(earlier, Failure());
  }
  if (job_.group != nullptr) {
    OP3D_ASSIGN_OR_RETURN(earlier, job_.group->Broadcast(earlier));
  }
  if (!earlier.empty()) {
    Progress::Print(
        absl::StrCat(recipe_.title(), " failed earlier; to train it again remove ", FailurePath()));
    return MarkTrainingFailure(absl::AbortedError(earlier), earlier);
  }
  const absl::Status status = TrainStates(on_epoch);
  if (const auto failure = TrainingFailureOf(status); failure && First(job_.group)) {
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(FailurePath(), *failure));
  }
  return status;
}

absl::Status RecipeRun::TrainStates(const std::function<void(int, int, double)>& on_epoch) {
  const std::string done_path = JoinPath(folder_, "trained.textproto");
  const int total = total_epochs();
  OP3D_ASSIGN_OR_RETURN(const bool done_before, FirstFinds(done_path, job_.group));
  if (done_before) {
    on_epoch(total, total, 0);
    return absl::OkStatus();
  }
  OP3D_RETURN_IF_ERROR(MakeFolders(folder_));
  RecipeResult result;
  result.set_name(recipe_.name());
  result.set_title(recipe_.title());
  *result.mutable_plan() = plan_;
  const absl::Time start = absl::Now();
  int done = 0;
  TrainingJob job = job_;
  std::unique_ptr<StateTrainer> trainer;
  for (int step = 0; step < plan_.steps_size(); ++step) {
    const StateSettings& state = plan_.steps(step).state();
    const int epochs = plan_.steps(step).epochs();
    job.purpose = absl::StrCat(job_.purpose, ".", step + 1);
    StateTask task = ToStateTask(state, epochs);
    if (recipe_.has_hand_tuned()) {
      if (recipe_.hand_tuned().has_step()) {
        *task.schedule.mutable_step() = recipe_.hand_tuned().step();
      } else {
        *task.schedule.mutable_cosine() = recipe_.hand_tuned().cosine();
      }
      task.epochs = epochs;
    }
    trainer.reset();
    OP3D_ASSIGN_OR_RETURN(trainer, StateTrainer::Start(job, task, StateFolder(step)));
    if (trainer->epochs() > 0) on_epoch(done + trainer->epochs(), total, 0);
    // A resumed run continues the count from its checkpoint.
    int64_t skipped = 0;
    std::string example;
    if (const auto& notes = trainer->notes(); notes.count(kSkipped) > 0) {
      if (!absl::SimpleAtoi(notes.at(kSkipped), &skipped)) skipped = 0;
      example = notes.at(kSkippedExample);
    }
    while (trainer->epochs() < epochs) {
      OP3D_ASSIGN_OR_RETURN(const EpochStats stats, trainer->TrainEpoch());
      seconds_ += stats.seconds;
      skipped += stats.skipped;
      if (!stats.examples.empty()) example = stats.examples.back();
      OP3D_RETURN_IF_ERROR(
          trainer->Save({{kSkipped, absl::StrCat(skipped)}, {kSkippedExample, example}}));
      on_epoch(done + trainer->epochs(), total, stats.loss);
    }
    done += epochs;
    on_epoch(done, total, trainer->losses().empty() ? 0 : trainer->losses().back());
    result.set_epochs(result.epochs() + epochs);
    result.set_skipped_clips(result.skipped_clips() + skipped);
    if (!example.empty()) result.set_skipped_example(example);
    result.set_frames(result.frames() +
                      FramesOf(state, epochs, job.videos->size(), job.transform.train_crop()));
    for (const double loss : trainer->losses()) result.add_losses(loss);
    job.initial_weights = JoinPath(StateFolder(step), "weights.safetensors");
    OP3D_RETURN_IF_ERROR(trainer->Flush());
    if (First(job_.group)) {
      OP3D_RETURN_IF_ERROR(trainer->network().SaveWeights(
          job.initial_weights,
          WeightsMetadata(job_, task.clip,
                          trainer->losses().empty() ? 0 : trainer->losses().back())));
    }
    OP3D_RETURN_IF_ERROR(WaitForFirst(job_.group));
  }
  if (trainer == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("recipe '", recipe_.name(), "' has no state to train: its plan is empty"));
  }
  if (First(job_.group)) {
    OP3D_ASSIGN_OR_RETURN(std::string weights, ReadFile(job.initial_weights));
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(WeightsPath(), weights));
    OP3D_RETURN_IF_ERROR(SetChecksums(std::move(weights), &result));
  }
  if (held_out_ != nullptr) {
    const data::ClipShape clip = ToStateTask(plan_.steps(plan_.steps_size() - 1).state()).clip;
    OP3D_ASSIGN_OR_RETURN(const CurvePoint measure,
                          MeasureNetwork(&trainer->network(), *held_out_, clip, job_, &seconds_));
    result.set_held_out(measure.performance());
  }
  result.set_train_seconds(absl::ToDoubleSeconds(absl::Now() - start));
  if (First(job_.group)) {
    OP3D_RETURN_IF_ERROR(WriteTextproto(done_path, result));
    for (int step = 0; step < plan_.steps_size(); ++step) {
      OP3D_RETURN_IF_ERROR(CheckpointFolder(StateFolder(step), {}).RemoveAll());
    }
  }
  return WaitForFirst(job_.group);
}

absl::Status RecipeRun::Take(const std::string& weights, const RecipeResult& facts) {
  const std::string done_path = JoinPath(folder_, "trained.textproto");
  if (FileExists(done_path)) return absl::OkStatus();
  OP3D_RETURN_IF_ERROR(MakeFolders(folder_));
  OP3D_ASSIGN_OR_RETURN(std::string bytes, ReadFile(weights));
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(WeightsPath(), bytes));
  RecipeResult result = facts;
  result.set_name(recipe_.name());
  result.set_title(recipe_.title());
  *result.mutable_plan() = plan_;
  OP3D_RETURN_IF_ERROR(SetChecksums(std::move(bytes), &result));
  return WriteTextproto(done_path, result);
}

std::string RecipeRun::FailurePath() const { return JoinPath(folder_, "failed.txt"); }

absl::StatusOr<std::string> RecipeRun::Failure() const {
  return FileExists(FailurePath()) ? ReadFile(FailurePath()) : "";
}

absl::StatusOr<RecipeResult::Candidate> RecipeRun::AsCandidate() const {
  RecipeResult::Candidate candidate;
  candidate.set_title(recipe_.title());
  candidate.set_plan(results::FormatPlan(plan_));
  OP3D_ASSIGN_OR_RETURN(*candidate.mutable_failure(), Failure());
  if (!candidate.failure().empty()) return candidate;
  OP3D_ASSIGN_OR_RETURN(const RecipeResult trained, Trained());
  candidate.set_frames(trained.frames());
  candidate.set_held_out(trained.held_out());
  return candidate;
}

absl::StatusOr<RecipeResult> RecipeRun::Trained() const {
  RecipeResult result;
  OP3D_RETURN_IF_ERROR(ReadTextproto(JoinPath(folder_, "trained.textproto"), &result));
  return result;
}

absl::StatusOr<RecipeResult> RecipeRun::Test(const std::vector<data::Video>& videos,
                                             const TestLabels& labels, int threads) {
  RecipeResult result;
  const std::string tested_path = JoinPath(folder_, "result.textproto");
  const std::string videos_crc32 = absl::StrFormat("%08x", data::VideoListCrc32(videos));
  ScoringRun run;
  run.parts_folder = JoinPath(folder_, "scores.parts");
  run.settings = absl::StrCat("videos_crc32: ", videos_crc32, "\n");
  if (First(job_.group)) {
    OP3D_RETURN_IF_ERROR(CheckSameVideos(folder_, videos_crc32, run));
  }
  OP3D_ASSIGN_OR_RETURN(const bool tested, FirstFinds(tested_path, job_.group));
  if (tested) {
    OP3D_RETURN_IF_ERROR(ReadTextproto(tested_path, &result));
    return result;
  }
  OP3D_RETURN_IF_ERROR(ReadTextproto(JoinPath(folder_, "trained.textproto"), &result));
  const absl::Time start = absl::Now();
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Network> network,
                        Network::Make(ToNetworkOptions(job_.network, job_.classes), job_.seed));
  OP3D_RETURN_IF_ERROR(network->LoadWeights(WeightsPath()));
  OP3D_RETURN_IF_ERROR(network->ToDevice(job_.device));
  ScoringOptions options;
  options.clip = ToStateTask(TestState(recipe_, plan_)).clip;
  OP3D_RETURN_IF_ERROR(SetArithmetic(job_.training, options.clip.length(), network.get()));
  options.transform = job_.transform;
  options.on_short_video = job_.loader.on_short_video();
  options.on_bad_video = job_.loader.on_bad_video();
  options.threads = threads - 1;
  if (ProcessGroup* const group = job_.group; group != nullptr) {
    run.shard = group->rank();
    run.shards = group->size();
    run.gather = [group](const std::string& bytes) { return group->Gather(bytes); };
  }
  OP3D_ASSIGN_OR_RETURN(
      TestScores scores,
      ScoreTest(network.get(), videos, job_.frames, recipe_.test_clips(), options, run, &seconds_));
  if (!First(job_.group)) {
    // No process removes its parts before the whole is stored.
    OP3D_RETURN_IF_ERROR(WaitForFirst(job_.group));
    RemoveParts(run);
    return result;
  }
  OP3D_ASSIGN_OR_RETURN(const VideoScores mean, MeanOfLogits(scores.views()));
  OP3D_ASSIGN_OR_RETURN(const Metrics metrics, ComputeMetrics(mean, scores.labels));
  OP3D_ASSIGN_OR_RETURN(*result.mutable_test(), ToTestResult(scores, metrics, labels));
  // For a model that was not trained here, its file has the loss.
  double loss = result.losses().empty() ? 0 : result.losses(result.losses_size() - 1);
  if (result.losses().empty()) {
    const absl::StatusOr<WeightsCard> card = ReadWeightsCard(WeightsPath(), job_.network.name());
    if (card.ok()) loss = card->card.loss();
  }
  const TrainedLoss trained = ToTrainedLoss(job_.network, job_.classes, loss);
  for (const std::string& warning :
       {DescribeNothingLearnt(absl::StrCat("recipe ", recipe_.name()), trained),
        DescribeOneClass(metrics.predicted, scores.labels, labels.classes),
        DescribeMisfit(trained, metrics.top1, metrics.videos)}) {
    if (!warning.empty()) result.add_warnings(warning);
  }
  scores.class_names = labels.classes;
  OP3D_ASSIGN_OR_RETURN(const std::string file, SerializeTestScores(scores));
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(ScoresPath(), file));
  result.set_test_seconds(absl::ToDoubleSeconds(absl::Now() - start));
  OP3D_RETURN_IF_ERROR(WriteTextproto(tested_path, result));
  OP3D_RETURN_IF_ERROR(WaitForFirst(job_.group));
  RemoveParts(run);
  return result;
}

}  // namespace op3d::benchmarks
