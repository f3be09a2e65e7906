// A state trained by several processes: the same weights as alone, exact resume, one stop for all.
#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/equal.h>
#include <c10/core/GradMode.h>
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/thread/interrupt.h"
#include "op3d/base/training_failure.h"
#include "op3d/distributed/testing/rank_processes.h"
#include "op3d/train/measure.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/state_trainer.h"
#include "op3d/train/testing/tiny_job.h"

namespace op3d {
namespace {

using testing::HasSubstr;

constexpr int kEpochs = 2;

std::string Variable(const char* name) { return ProcessEnvironment()(name).value_or(""); }

// Eight videos, two steps per epoch, each with two micro-batches of two clips.
class DistributedTraining : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(tiny_, MakeTinyJob());
    tiny_->train.resize(8);
    job_ = tiny_->job;
    job_.videos = &tiny_->train;
    job_.network.set_dropout(0.2);
    job_.training.set_average_decay(0.5);
    state_.clip = {1, 16, 1};
    state_.learning_rate = 0.05;
    state_.batch_size = 2;
    state_.accumulation = 2;
  }

  absl::Status Train(const std::string& folder) {
    OP3D_ASSIGN_OR_RETURN(const auto trainer, StateTrainer::Start(job_, state_, folder));
    network_ = &trainer->network();
    while (trainer->epochs() < kEpochs) {
      OP3D_ASSIGN_OR_RETURN(const EpochStats stats, trainer->TrainEpoch());
      if (job_.group != nullptr && job_.group->rank() == 0) {
        OP3D_RETURN_IF_ERROR(
            WriteFileAtomically(JoinPath(folder, "skipped"), absl::StrCat(stats.skipped)));
      }
      OP3D_RETURN_IF_ERROR(trainer->Save({}));
    }
    const int rank = job_.group == nullptr ? 0 : job_.group->rank();
    OP3D_RETURN_IF_ERROR(trainer->network().SaveWeights(
        JoinPath(folder, absl::StrCat("weights_", rank, ".safetensors"))));
    OP3D_ASSIGN_OR_RETURN(const std::string measure, Measure(&trainer->network()));
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(MeasureFile(folder, rank), measure));
    return trainer->Flush();
  }

  // On nine videos, which two processes cannot share evenly.
  absl::StatusOr<std::string> Measure(Network* network) {
    ActivitySeconds seconds;
    OP3D_ASSIGN_OR_RETURN(CurvePoint measure,
                          MeasureNetwork(network, tiny_->evaluation, state_.clip, job_, &seconds));
    measure.clear_evaluation_seconds();
    return EncodeCurvePoint(measure);
  }
  static std::string MeasureFile(const std::string& folder, int rank) {
    return JoinPath(folder, absl::StrCat("measure_", rank, ".json"));
  }

  NamedTensors Weights(const std::string& folder, int rank) {
    auto file = ReadTensors(JoinPath(folder, absl::StrCat("weights_", rank, ".safetensors")));
    EXPECT_THAT(file, IsOk());
    return file.ok() ? file->tensors : NamedTensors();
  }

  void ExpectEqual(const NamedTensors& a, const NamedTensors& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_TRUE(at::equal(a[i].second, b[i].second)) << a[i].first;
    }
  }

  std::unique_ptr<TinyJob> tiny_;
  TrainingJob job_;
  StateTask state_;
  // Of the training that is running.
  Network* network_ = nullptr;
};

// ---------------------------------------------------------------- run once per rank

// Trains in FOLDER.  After the first step of the second epoch rank 1 sends itself SIGNAL, or with
// POISON fills one of its parameters with NaN.
TEST_F(DistributedTraining, DISABLED_Rank) {
  InstallInterruptHandler();
  JoinOptions options;
  options.silence = absl::Seconds(2);
  ASSERT_OK_AND_ASSIGN(
      const auto group,
      ProcessGroup::Join(*ReadRankEnvironment(ProcessEnvironment()), "cpu", "", options));
  job_.group = group.get();
  const int signal = std::atoi(Variable("SIGNAL").c_str());
  const bool poison = !Variable("POISON").empty();
  if (poison) job_.training.clear_average_decay();  // network() is then the one that is trained
  if (!Variable("BROKEN").empty()) {
    job_.loader.set_on_bad_video(LoaderSettings::SKIP);
    for (const int broken : {2, 5}) tiny_->train[broken].path = "/no/such/video.mp4";
  }
  if (!Variable("PRECISION").empty()) job_.training.set_precision(Variable("PRECISION"));
  std::string skipped;
  job_.on_step = [&](const StepStats& step) {
    skipped += step.skipped ? '1' : '0';
    if (signal != 0 && group->rank() == 1 && step.epoch == 2 && step.step == 1) {
      ::kill(::getpid(), signal);
    }
    if (poison && group->rank() == 1 && step.epoch == 2 && step.step == 1) {
      c10::NoGradGuard no_grad;
      for (auto& [name, tensor] : network_->StateDict()) {
        if (absl::EndsWith(name, ".weight")) {
          tensor.fill_(std::nan(""));
          break;
        }
      }
    }
  };
  const absl::Status status = Train(Variable("FOLDER"));
  if (const auto failure = TrainingFailureOf(status)) std::printf("failed: %s\n", failure->c_str());
  std::printf("skipped: %s.\nended: %s\n", skipped.c_str(), std::string(status.message()).c_str());
  group->Leave(status);
  EXPECT_EQ(status.ok(), signal == 0 && !poison);
}

// ---------------------------------------------------------------- the tests

TEST_F(DistributedTraining, TwoProcessesTrainAsOneThatAccumulates) {
  const std::string alone = TestFolder("alone"), pair = TestFolder("pair");
  ASSERT_THAT(Train(alone), IsOk());
  for (const EndedRank& ended : RunRanks(2, "*DISABLED_Rank", {{"FOLDER", pair}})) {
    ASSERT_EQ(ended.code, 0) << ended.text;
  }
  const NamedTensors one = Weights(alone, 0), two = Weights(pair, 0);
  ASSERT_EQ(one.size(), two.size());
  for (size_t i = 0; i < one.size(); ++i) {
    // Running statistics are rank 0's; a single process has seen both micro-batches.
    if (one[i].first.find("running_") != std::string::npos || !one[i].second.is_floating_point()) {
      continue;
    }
    // Sums of floats in another order, over four steps.
    EXPECT_LT((one[i].second - two[i].second).abs().max().item<float>(), 2e-5) << one[i].first;
  }
  ExpectEqual(two, Weights(pair, 1));

  // Their common measurement equals that of one process with their weights.
  ASSERT_EQ(tiny_->evaluation.size(), 9);
  ASSERT_OK_AND_ASSIGN(const auto network,
                       Network::MakeUnfilled(ToNetworkOptions(job_.network, job_.classes)));
  ASSERT_THAT(network->LoadStateDict(two), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string measure, Measure(network.get()));
  for (int rank : {0, 1}) EXPECT_EQ(*ReadFile(MeasureFile(pair, rank)), measure);
}

// float16 is for GPUs; the trainer itself does not ask.  One process skips other steps: its loss is
// divided by the accumulation before the backward pass.
TEST_F(DistributedTraining, InFloat16AllSkipTheSameSteps) {
  const std::string folder = TestFolder("half");
  std::vector<std::string> skipped;
  for (const EndedRank& ended :
       RunRanks(2, "*DISABLED_Rank", {{"FOLDER", folder}, {"PRECISION", "fp16"}})) {
    ASSERT_EQ(ended.code, 0) << ended.text;
    const size_t at = ended.text.find("skipped: ");
    ASSERT_NE(at, std::string::npos) << ended.text;
    skipped.push_back(ended.text.substr(at, ended.text.find('.', at) - at));
  }
  EXPECT_THAT(skipped[0], testing::AllOf(HasSubstr("1"), HasSubstr("0")));
  EXPECT_EQ(skipped[0], skipped[1]);
  ExpectEqual(Weights(folder, 0), Weights(folder, 1));
}

TEST_F(DistributedTraining, KilledOrStoppedTogetherTheyEndWithTheSameBits) {
  const std::string whole = TestFolder("whole");
  for (const EndedRank& ended : RunRanks(2, "*DISABLED_Rank", {{"FOLDER", whole}})) {
    ASSERT_EQ(ended.code, 0) << ended.text;
  }
  for (const int signal : {SIGKILL, SIGTERM}) {
    const std::string folder = TestFolder(absl::StrCat("signal", signal));
    const std::vector<EndedRank> stopped =
        RunRanks(2, "*DISABLED_Rank", {{"FOLDER", folder}, {"SIGNAL", absl::StrCat(signal)}});
    if (signal == SIGKILL) {
      EXPECT_EQ(stopped[1].code, -SIGKILL);
      EXPECT_THAT(stopped[0].text, HasSubstr("rank 1"));
    } else {
      for (const EndedRank& ended : stopped) {
        EXPECT_THAT(ended.text, HasSubstr("saved 2 of 2 steps into epoch 2"));
      }
    }
    for (const EndedRank& ended : RunRanks(2, "*DISABLED_Rank", {{"FOLDER", folder}})) {
      ASSERT_EQ(ended.code, 0) << ended.text;
    }
    ExpectEqual(Weights(whole, 0), Weights(folder, 0));
    ExpectEqual(Weights(whole, 0), Weights(folder, 1));
  }
}

// It is the training that failed, on whichever rank: a search goes on without this edge.
TEST_F(DistributedTraining, ALossThatIsNotFiniteOnOneRankIsAFailureOnAll) {
  for (const EndedRank& ended :
       RunRanks(2, "*DISABLED_Rank", {{"FOLDER", TestFolder("nan")}, {"POISON", "1"}})) {
    EXPECT_EQ(ended.code, 0) << ended.text;
    EXPECT_THAT(ended.text, HasSubstr("failed: "));
    EXPECT_THAT(ended.text, HasSubstr("in epoch 2, step 2: training diverged"));
  }
}

// A broken file that one rank meets counts once, also if the epoch was stopped in the middle.
TEST_F(DistributedTraining, SkippedVideosCountOnceAfterAStop) {
  const auto skipped = [&](const std::string& folder) {
    const absl::StatusOr<std::string> text = ReadFile(JoinPath(folder, "skipped"));
    return text.value_or("none");
  };
  const std::string whole = TestFolder("skip_whole"), stopped = TestFolder("skip_stopped");
  RunRanks(2, "*DISABLED_Rank", {{"FOLDER", whole}, {"BROKEN", "1"}});
  RunRanks(2, "*DISABLED_Rank", {{"FOLDER", stopped}, {"BROKEN", "1"}, {"SIGNAL", "15"}});
  for (const EndedRank& ended :
       RunRanks(2, "*DISABLED_Rank", {{"FOLDER", stopped}, {"BROKEN", "1"}})) {
    ASSERT_EQ(ended.code, 0) << ended.text;
  }
  EXPECT_EQ(skipped(whole), "2");
  EXPECT_EQ(skipped(stopped), skipped(whole));
}

TEST_F(DistributedTraining, AStepThatCannotBeSharedIsASentence) {
  for (const EndedRank& ended :
       RunRanks(3, "*DISABLED_Rank", {{"FOLDER", TestFolder("three")}, {"SIGNAL", "15"}})) {
    EXPECT_THAT(ended.text, HasSubstr("3 processes cannot share the 2 micro-batches"));
  }
}

}  // namespace
}  // namespace op3d
