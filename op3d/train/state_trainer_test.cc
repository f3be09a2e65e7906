#include "op3d/train/state_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/equal.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/training_failure.h"
#include "op3d/eval/scorer.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/testing/tiny_job.h"
#include "op3d/train/weight_merge.h"

namespace op3d {
namespace {

using testing::HasSubstr;

// Eight videos of the tiny synthetic dataset and a job that trains the miniature network on them.
class StateTrainerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(tiny_, MakeTinyJob());
    tiny_->train.resize(8);
    job_ = tiny_->job;
    job_.videos = &tiny_->train;
    state_.clip = {1, 16, 1};
    state_.learning_rate = 0.05;
    state_.batch_size = 4;
  }

  // Trains to `epochs` in `folder`, saving after each; returns the final weights.
  std::vector<std::pair<std::string, at::Tensor>> TrainTo(int epochs, const std::string& folder) {
    auto trainer = StateTrainer::Start(job_, state_, folder);
    EXPECT_THAT(trainer, IsOk());
    while ((*trainer)->epochs() < epochs) {
      EXPECT_THAT((*trainer)->TrainEpoch(), IsOk());
      EXPECT_THAT((*trainer)->Save({{"said", "hello"}}), IsOk());
    }
    losses_ = (*trainer)->losses();
    std::vector<std::pair<std::string, at::Tensor>> weights;
    for (const auto& [name, tensor] : (*trainer)->network().StateDict()) {
      weights.emplace_back(name, tensor.detach().clone());
    }
    return weights;
  }

  std::unique_ptr<TinyJob> tiny_;
  TrainingJob job_;
  StateTask state_;
  std::vector<double> losses_;
};

TEST_F(StateTrainerTest, LearnsEightClipsByHeart) {
  state_.batch_size = 8;  // all of them in each step: no noise but the place of the clip
  state_.learning_rate = 0.02;
  ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, TestFolder("learn")));
  for (int epoch = 0; epoch < 150; ++epoch) ASSERT_THAT(trainer->TrainEpoch(), IsOk());
  ScoringOptions options;
  options.clip = state_.clip;
  options.transform = job_.transform;
  ActivitySeconds seconds;
  ASSERT_OK_AND_ASSIGN(
      const Metrics metrics,
      MeasurePerformance(&trainer->network(), tiny_->train, &tiny_->frames, options, &seconds));
  EXPECT_EQ(metrics.top1, 1);
  EXPECT_LT(trainer->losses().back(), trainer->losses().front() / 4);
}

TEST_F(StateTrainerTest, TakenUpAgainEndsWithTheSameBits) {
  const auto whole = TrainTo(3, TestFolder("whole"));
  const std::vector<double> whole_losses = losses_;
  const std::string folder = TestFolder("parts");
  TrainTo(1, folder);
  job_.loader_threads = 2;  // and with other threads
  TrainTo(2, folder);
  const auto parts = TrainTo(3, folder);
  EXPECT_EQ(losses_, whole_losses);
  ASSERT_EQ(parts.size(), whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(parts[i].first, whole[i].first);
    EXPECT_TRUE(at::equal(parts[i].second, whole[i].second)) << whole[i].first;
  }
  ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, folder));
  EXPECT_EQ(trainer->epochs(), 3);
  EXPECT_EQ(trainer->notes().at("said"), "hello");
}

TEST_F(StateTrainerTest, PreciseBatchNormIsThatOfTrainingClipsAndDoesNotChangeTheTraining) {
  const auto plain = TrainTo(2, TestFolder("plain"));
  const std::vector<double> plain_losses = losses_;
  job_.training.set_batch_norm_clips(8);
  const std::string folder = TestFolder("precise");
  TrainTo(1, folder);
  const auto precise = TrainTo(2, folder);
  EXPECT_EQ(losses_, plain_losses);
  // The same weights, with the statistics from RecomputeBatchNorm().
  ASSERT_OK_AND_ASSIGN(const auto network,
                       Network::Make(ToNetworkOptions(job_.network, job_.classes), job_.seed));
  ASSERT_THAT(network->LoadStateDict(plain), IsOk());
  ASSERT_THAT(RecomputeBatchNorm(job_, state_, /*epoch=*/2, /*clips=*/8, network.get()), IsOk());
  const NamedTensors want = network->StateDict();
  int changed = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_TRUE(at::equal(precise[i].second, want[i].second.detach())) << plain[i].first;
    changed += !at::equal(precise[i].second, plain[i].second);
  }
  EXPECT_GT(changed, 0);
  // Resumed at its end, it returns the same network.
  ASSERT_OK_AND_ASSIGN(const auto again, StateTrainer::Start(job_, state_, folder));
  const NamedTensors tensors = again->network().StateDict();
  for (size_t i = 0; i < precise.size(); ++i) {
    EXPECT_TRUE(at::equal(precise[i].second, tensors[i].second.detach())) << precise[i].first;
  }
  // If BatchNorm is frozen, training used the running statistics, and they are kept.
  state_.frozen_batch_norm = true;
  const auto frozen = TrainTo(1, TestFolder("frozen"));
  job_.training.set_batch_norm_clips(0);
  const auto frozen_plain = TrainTo(1, TestFolder("frozen_plain"));
  for (size_t i = 0; i < frozen.size(); ++i) {
    EXPECT_TRUE(at::equal(frozen[i].second, frozen_plain[i].second)) << frozen[i].first;
  }
  job_.training.set_batch_norm_clips(-1);
  EXPECT_THAT(StateTrainer::Start(job_, state_, TestFolder("wrong")).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("batch_norm_clips is -1")));
}

TEST_F(StateTrainerTest, AStateMayHaveItsOwnCrop) {
  const auto whole = TrainTo(1, TestFolder("whole"));
  state_.crop = job_.transform.train_crop();
  const std::string folder = TestFolder("same");
  const auto same = TrainTo(1, folder);
  state_.crop = 24;
  EXPECT_THAT(StateTrainer::Start(job_, state_, folder).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("crop 24")));
  const auto smaller = TrainTo(1, TestFolder("smaller"));
  job_.transform.set_train_crop(24);
  state_.crop = 0;
  const auto by_transform = TrainTo(1, TestFolder("by_transform"));
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_TRUE(at::equal(whole[i].second, same[i].second)) << whole[i].first;
    EXPECT_TRUE(at::equal(smaller[i].second, by_transform[i].second)) << whole[i].first;
  }
  EXPECT_FALSE(at::equal(whole[0].second, smaller[0].second));
}

TEST_F(StateTrainerTest, Bfloat16TakenUpAgainEndsWithTheSameBits) {
  job_.training.set_average_decay(0.5);
  job_.network.set_dropout(0.2);
  TrainTo(1, TestFolder("single"));
  const std::vector<double> single_losses = losses_;
  job_.training.set_precision("bf16");
  const auto whole = TrainTo(2, TestFolder("whole"));
  const std::vector<double> whole_losses = losses_;
  const std::string folder = TestFolder("parts");
  TrainTo(1, folder);
  const auto parts = TrainTo(2, folder);
  EXPECT_EQ(losses_, whole_losses);
  ASSERT_EQ(parts.size(), whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_TRUE(at::equal(parts[i].second, whole[i].second)) << whole[i].first;
    // The trained tensors stay in single precision.
    if (whole[i].second.is_floating_point()) {
      EXPECT_EQ(whole[i].second.scalar_type(), at::kFloat) << whole[i].first;
    }
  }
  // The arithmetic differs, but the result is close.
  EXPECT_NE(whole_losses[0], single_losses[0]);
  EXPECT_NEAR(whole_losses[0], single_losses[0], 0.15 * single_losses[0]);
  // A checkpoint cannot be resumed with another precision.
  job_.training.set_precision("fp32");
  EXPECT_THAT(StateTrainer::Start(job_, state_, folder).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another state")));
}

// float16 is for GPUs; the trainer itself does not ask.  Stopped at every step, after a checkpoint
// of the one before.
TEST_F(StateTrainerTest, Float16TakenUpAfterAnyStepEndsWithTheSameBits) {
  job_.training.set_precision("fp16");
  job_.training.set_average_decay(0.5);
  job_.network.set_dropout(0.2);
  state_.batch_size = 1;
  state_.accumulation = 2;
  std::vector<double> steps[2];
  for (const bool as_on_gpu : {false, true}) {
    job_.steps_as_on_gpu = as_on_gpu;
    int skipped = 0;
    job_.on_step = [&](const StepStats& step) {
      skipped += step.skipped ? 1 : 0;
      steps[as_on_gpu].insert(steps[as_on_gpu].end(),
                              {step.loss, step.gradient_norm, step.loss_scale});
    };
    job_.training.clear_checkpoints();
    const std::string name = as_on_gpu ? "as_on_gpu" : "plain";
    const auto whole = TrainTo(2, TestFolder(name + "_whole"));
    const std::vector<double> whole_losses = losses_;
    EXPECT_GT(skipped, 0) << "choose a larger sgd.loss_weight";
    EXPECT_LT(skipped, 5) << "choose a smaller sgd.loss_weight";
    EXPECT_EQ(steps[as_on_gpu][2], 65536);
    EXPECT_EQ(steps[as_on_gpu].back(), std::ldexp(1, 16 - skipped));
    job_.training.mutable_checkpoints()->set_minutes(1e-9);
    const std::string folder = TestFolder(name + "_parts");
    for (int64_t last = 2; last <= 8; ++last) {
      job_.on_step = [last](const StepStats& step) {
        if ((step.epoch - 1) * step.steps + step.step == last) throw std::runtime_error("stopped");
      };
      ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, folder));
      absl::Status status;
      while (status.ok() && trainer->epochs() < 2) {
        status = trainer->TrainEpoch().status();
        if (status.ok()) status = trainer->Save({});
      }
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal, HasSubstr("stopped")));
    }
    job_.on_step = nullptr;
    const auto parts = TrainTo(2, folder);
    EXPECT_EQ(losses_, whole_losses);
    ASSERT_EQ(parts.size(), whole.size());
    for (size_t i = 0; i < whole.size(); ++i) {
      EXPECT_TRUE(at::equal(parts[i].second, whole[i].second)) << whole[i].first;
      EXPECT_NE(whole[i].second.scalar_type(), at::kHalf) << whole[i].first;
    }
  }
  EXPECT_EQ(steps[0], steps[1]);
}

TEST_F(StateTrainerTest, Float16ThatOverflowsWithoutALossScaleHasDiverged) {
  job_.training.set_precision("fp16");
  job_.sgd.set_loss_weight(1e25);
  state_.batch_size = 1;
  int skipped = 0;
  job_.on_step = [&](const StepStats& step) {
    EXPECT_TRUE(step.skipped);
    EXPECT_EQ(step.gradient_norm, 0);
    EXPECT_EQ(step.loss_scale, std::ldexp(1, 16 - skipped));
    ++skipped;
  };
  ASSERT_OK_AND_ASSIGN(const auto trainer,
                       StateTrainer::Start(job_, state_, TestFolder("overflow")));
  const at::Tensor weights = trainer->network().Parameters()[0].second.detach().clone();
  absl::Status status;
  while (status.ok() && trainer->epochs() < 4) status = trainer->TrainEpoch().status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal,
                               testing::AllOf(HasSubstr("fp16"), HasSubstr("epoch 3, step 1:"))));
  EXPECT_EQ(skipped, 16);
  EXPECT_TRUE(at::equal(trainer->network().Parameters()[0].second.detach(), weights));
}

TEST_F(StateTrainerTest, ActivationCheckpointingChangesNoBit) {
  job_.network.set_dropout(0.2);
  const auto without = TrainTo(2, TestFolder("without"));
  const std::vector<double> losses = losses_;
  const std::string folder = TestFolder("with");
  job_.training.set_precision("fp32");  // what is used where nothing is set
  job_.training.set_activation_checkpointing_frames(16);
  TrainTo(1, folder);
  job_.training.set_activation_checkpointing_frames(0);  // may be changed between
  const auto with = TrainTo(2, folder);
  EXPECT_EQ(losses_, losses);
  ASSERT_EQ(with.size(), without.size());
  for (size_t i = 0; i < with.size(); ++i) {
    EXPECT_TRUE(at::equal(with[i].second, without[i].second)) << with[i].first;
  }
}

TEST_F(StateTrainerTest, AnArithmeticThatTrainsNothingIsASentence) {
  for (const auto& [precision, words] :
       std::map<std::string, std::string>{{"fp64", "fp32, bf16"},
                                          {"tf32", "CUDA"},
                                          {"auto", "decided before"},
                                          {"half", "none of fp32"}}) {
    job_.training.set_precision(precision);
    EXPECT_THAT(StateTrainer::Start(job_, state_, TestFolder("x")).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)));
  }
}

TEST_F(StateTrainerTest, AnotherSeedOrPurposeTrainsOtherwise) {
  const auto one = TrainTo(1, TestFolder("one"));
  job_.purpose = "other";
  const auto other = TrainTo(1, TestFolder("other"));
  EXPECT_FALSE(at::equal(one[0].second, other[0].second));
}

TEST_F(StateTrainerTest, DivergenceNamesTheWeightsThatAreLeft) {
  const std::string folder = TestFolder("diverge");
  job_.training.set_divergence_factor(1e-3);  // even guessing is too high a loss
  state_.batch_size = 1;
  ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, folder));
  absl::Status status;
  while (status.ok() && trainer->epochs() < 5) {
    status = trainer->TrainEpoch().status();
    if (status.ok()) status = trainer->Save({});
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal,
                               testing::AllOf(HasSubstr("lower learning rate"),
                                              HasSubstr("of epoch 2, are in " + folder))));
  EXPECT_THAT(TrainingFailureOf(status).value_or("no failure of the training"),
              testing::AllOf(HasSubstr("lower learning rate"), testing::Not(HasSubstr(folder))));
}

TEST_F(StateTrainerTest, BadStatesAreSentences) {
  state_.batch_size = 16;
  EXPECT_THAT(StateTrainer::Start(job_, state_, TestFolder("x")).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("list of 8 videos")));
  state_.batch_size = 4;
  const std::string folder = TestFolder("state");
  TrainTo(1, folder);
  state_.learning_rate = 0.01;
  EXPECT_THAT(StateTrainer::Start(job_, state_, folder).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another state")));
  state_.learning_rate = 1e30;
  ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, TestFolder("y")));
  absl::Status status;
  for (int epoch = 0; epoch < 3 && status.ok(); ++epoch) status = trainer->TrainEpoch().status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal, HasSubstr("lower learning rate")));
}

TEST_F(StateTrainerTest, TakenUpInTheMiddleOfAnEpochItEndsWithTheSameBits) {
  job_.training.set_average_decay(0.5);
  job_.network.set_dropout(0.2);
  state_.batch_size = 2;
  std::vector<double> whole_steps, part_steps;
  const auto record = [](std::vector<double>* steps) {
    return [steps](const StepStats& step) {
      steps->push_back(step.loss);
      steps->push_back(step.gradient_norm);
    };
  };
  job_.on_step = record(&whole_steps);
  const auto whole = TrainTo(2, TestFolder("whole"));
  // A checkpoint after every step; an unreadable video stops the second epoch.
  job_.training.mutable_checkpoints()->set_minutes(1e-9);
  job_.on_step = record(&part_steps);
  const std::string folder = TestFolder("parts");
  TrainTo(1, folder);
  const std::string path = tiny_->train[5].path;
  tiny_->train[5].path = "/gone";
  int parts = 0;
  {
    data::FrameStore fresh(0);  // the other store still has the video
    job_.frames = &fresh;
    ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, folder));
    EXPECT_THAT(trainer->TrainEpoch().status(),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr("/gone")));
    parts = static_cast<int>(trainer->steps_into_epoch());
    EXPECT_GT(parts, 0) << "choose another video: this one is in the first batch";
    EXPECT_EQ(trainer->notes().at("said"), "hello");
  }
  tiny_->train[5].path = path;
  job_.frames = &tiny_->frames;
  {
    ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, folder));
    EXPECT_EQ(trainer->epochs(), 1);
    EXPECT_EQ(trainer->steps_into_epoch(), parts);
    EXPECT_FALSE(trainer->fresh());
  }
  const auto taken_up = TrainTo(2, folder);
  EXPECT_EQ(part_steps, whole_steps);
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_TRUE(at::equal(taken_up[i].second, whole[i].second)) << whole[i].first;
  }
}

TEST_F(StateTrainerTest, StepsAsOnAGpuHaveTheSameBits) {
  job_.network.set_dropout(0.2);
  job_.training.set_average_decay(0.5);
  job_.training.set_label_smoothing(0.1);
  state_.batch_size = 2;
  state_.accumulation = 2;
  // A step's second micro-batch may be smaller.
  const std::string path = tiny_->train[5].path;
  tiny_->train[5].path = "/gone";
  job_.loader.set_on_bad_video(LoaderSettings::SKIP);
  // Clips that may be mixed come as floats; the others, which are not kept, as decoded pictures.
  for (const bool mixed : {true, false}) {
    SCOPED_TRACE(mixed);
    job_.training.mutable_mixing()->set_mixup_alpha(mixed ? 0.4 : 0);
    std::vector<double> steps[2];
    std::vector<std::pair<std::string, at::Tensor>> weights[2];
    EpochStats stats[2];
    for (const bool as_on_gpu : {false, true}) {
      data::FrameStore fresh(mixed ? int64_t{64} << 20 : 0);
      job_.frames = &fresh;
      job_.steps_as_on_gpu = as_on_gpu;
      job_.on_step = [&](const StepStats& step) {
        steps[as_on_gpu].push_back(step.loss);
        steps[as_on_gpu].push_back(step.gradient_norm);
      };
      const std::string folder =
          TestFolder(absl::StrCat(as_on_gpu ? "as_on_gpu" : "plain", mixed ? "_mixed" : ""));
      weights[as_on_gpu] = TrainTo(2, folder);
      ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, folder));
      ASSERT_OK_AND_ASSIGN(stats[as_on_gpu], trainer->TrainEpoch());
      // Each picture that is converted is counted.
      EXPECT_EQ(fresh.counters().reading.converted == 0, as_on_gpu && !mixed);
    }
    EXPECT_EQ(steps[0], steps[1]);
    EXPECT_EQ(stats[0].loss, stats[1].loss);
    EXPECT_EQ(stats[0].clips, 7);
    EXPECT_EQ(stats[1].clips, 7);
    EXPECT_EQ(stats[1].skipped, 1);
    ASSERT_EQ(weights[0].size(), weights[1].size());
    for (size_t i = 0; i < weights[0].size(); ++i) {
      EXPECT_TRUE(at::equal(weights[0][i].second, weights[1][i].second)) << weights[0][i].first;
    }
  }
  tiny_->train[5].path = path;
}

// The loader's errors and counts belong to the micro-batch in which they were met, though the next one
// is taken ahead.
TEST_F(StateTrainerTest, ClipsTakenAheadAreCountedInTheirTurn) {
  job_.training.mutable_checkpoints()->set_minutes(1e-9);  // after every step
  state_.batch_size = 1;
  tiny_->train[5].path = "/gone";
  int64_t trained[2] = {};
  for (const bool as_on_gpu : {false, true}) {
    data::FrameStore fresh(0);
    job_.frames = &fresh;
    job_.steps_as_on_gpu = as_on_gpu;
    ASSERT_OK_AND_ASSIGN(
        const auto trainer,
        StateTrainer::Start(job_, state_, TestFolder(as_on_gpu ? "ahead" : "in_turn")));
    EXPECT_THAT(trainer->TrainEpoch().status(),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr("/gone")));
    trained[as_on_gpu] = trainer->steps_into_epoch();
  }
  EXPECT_GT(trained[0], 0) << "choose another video: this one is the first";
  EXPECT_EQ(trained[0], trained[1]);
  // Stopped at the bad video, after a checkpoint that does not count it yet.
  data::FrameStore fresh(0);
  job_.frames = &fresh;
  job_.loader.set_on_bad_video(LoaderSettings::SKIP);
  job_.on_step = [](const StepStats& step) {
    if (step.clips == 0) throw std::runtime_error("at the bad video");
  };
  const std::string folder = TestFolder("skip");
  {
    ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, folder));
    EXPECT_THAT(trainer->TrainEpoch().status(),
                StatusIs(absl::StatusCode::kInternal, HasSubstr("at the bad video")));
  }
  job_.on_step = nullptr;
  ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, folder));
  EXPECT_EQ(trainer->steps_into_epoch(), trained[0]);
  ASSERT_OK_AND_ASSIGN(const EpochStats stats, trainer->TrainEpoch());
  EXPECT_EQ(stats.skipped, 1);
  EXPECT_EQ(stats.clips, 7);
}

TEST_F(StateTrainerTest, TheFusedStepTrainsAlikeAndReadsThePlainOnesCheckpoint) {
  job_.training.set_average_decay(0.5);
  const auto plain = TrainTo(2, TestFolder("plain"));
  const std::string folder = TestFolder("both");
  TrainTo(1, folder);
  job_.fused_step = true;
  const auto both = TrainTo(2, folder);
  ASSERT_EQ(both.size(), plain.size());
  for (size_t i = 0; i < both.size(); ++i) {
    const at::Tensor a = both[i].second.to(at::kDouble), b = plain[i].second.to(at::kDouble);
    EXPECT_LT((a - b).abs().max().item<double>(), 1e-4 * (1 + b.abs().max().item<double>()))
        << both[i].first;
  }
}

TEST_F(StateTrainerTest, GoesBackToAnEarlierEpoch) {
  job_.anchor_epochs = 1;
  const std::string folder = TestFolder("back");
  const auto whole = TrainTo(3, folder);
  ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, folder));
  ASSERT_THAT(trainer->Rollback(1), IsOk());
  EXPECT_EQ(trainer->epochs(), 1);
  ASSERT_THAT(trainer->Rollback(0), IsOk());
  EXPECT_TRUE(trainer->fresh());
  while (trainer->epochs() < 3) ASSERT_THAT(trainer->TrainEpoch(), IsOk());
  EXPECT_EQ(trainer->losses(), losses_);
  EXPECT_TRUE(at::equal(trainer->network().Parameters()[0].second.detach(), whole[0].second));
}

TEST_F(StateTrainerTest, ATornCheckpointGivesWayToTheOneBefore) {
  const std::string folder = TestFolder("torn");
  const auto whole = TrainTo(2, folder);
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder));
  ASSERT_EQ(names.size(), 2);
  const std::string path = JoinPath(folder, names.back());
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(path));
  ASSERT_THAT(WriteFileAtomically(path, bytes.substr(0, bytes.size() - 1)), IsOk());
  const auto again = TrainTo(2, folder);
  EXPECT_TRUE(at::equal(again[0].second, whole[0].second));
}

TEST_F(StateTrainerTest, ThreadsInsideOperationsChangeRoundingAlone) {
  // If rounding moves an activation across 0, early gradients change by some percent; with some
  // seeds that happens.  The others only show rounding.
  float least = 1;
  for (int seed = 1; seed <= 4; ++seed) {
    job_.seed = seed;
    job_.compute_threads = 1;
    const auto one = TrainTo(1, TestFolder("one"));
    job_.compute_threads = 2;
    const auto two = TrainTo(1, TestFolder("two"));
    least = std::min(least, (two[0].second - one[0].second).abs().max().item<float>());
  }
  EXPECT_LT(least, 1e-5);
}

TEST_F(StateTrainerTest, AStepIsToldWithItsFigures) {
  state_.batch_size = 2;
  state_.accumulation = 2;
  std::vector<StepStats> steps;
  job_.on_step = [&steps](const StepStats& step) { steps.push_back(step); };
  ASSERT_OK_AND_ASSIGN(const auto trainer, StateTrainer::Start(job_, state_, TestFolder("steps")));
  ASSERT_OK_AND_ASSIGN(const EpochStats stats, trainer->TrainEpoch());
  ASSERT_EQ(steps.size(), 2);
  EXPECT_EQ(steps[1].epoch, 1);
  EXPECT_EQ(steps[1].step, 2);
  EXPECT_EQ(steps[1].steps, 2);
  EXPECT_EQ(steps[1].clips, 4);
  EXPECT_EQ(steps[1].learning_rate, 0.05);
  EXPECT_GT(steps[1].gradient_norm, 0);
  EXPECT_NEAR((steps[0].loss + steps[1].loss) / 2, stats.loss, 1e-12);
  EXPECT_GT(steps[1].seconds.backward, 0);
  EXPECT_GT(trainer->CheckpointBytes(), 0);
}

}  // namespace
}  // namespace op3d
