#include "planner/runner/training_runner.h"

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "op3d/base/training_failure.h"
#include "op3d/train/checkpoint/checkpoint_folder.h"
#include "op3d/train/testing/tiny_job.h"

namespace op3d::planner {
namespace {

using testing::ElementsAre;

class TrainingRunnerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(tiny_, MakeTinyJob());
    job_ = tiny_->job;
    job_.videos = &tiny_->train;
    job_.network.set_dropout(0.2);
    job_.purpose = "search.cs";
    ASSERT_THAT(ParseTextproto("name: 'S1' segments: 1 frames_per_segment: 16 stride: 1 "
                               "learning_rate: 0.04 batch_size: 4 accumulation: 1",
                               "state", task_.mutable_state()),
                IsOk());
    task_.set_name("S0-S1");
    task_.set_from_initial(true);
  }

  EdgeTask TaskIn(const std::string& folder) {
    EdgeTask task = task_;
    task.set_folder(folder);
    return task;
  }

  std::unique_ptr<TinyJob> tiny_;
  TrainingJob job_;
  EdgeTask task_;
};

TEST_F(TrainingRunnerTest, ADoneEpochIsNotTrainedAgainAndALostOneComesOutEqual) {
  const EdgeTask task = TaskIn(TestFolder("edge"));
  ASSERT_OK_AND_ASSIGN(CurvePoint first,
                       TrainingRunner(job_, &tiny_->evaluation).TrainEpoch(task, 1));
  CurvePoint second;
  {
    // A new process is asked for the epoch again: the old one was killed before the journal's line.
    TrainingRunner runner(job_, &tiny_->evaluation);
    ASSERT_OK_AND_ASSIGN(const CurvePoint again, runner.TrainEpoch(task, 1));
    EXPECT_EQ(PrintTextproto(again), PrintTextproto(first));  // the times too: it was not trained
    EXPECT_EQ(runner.seconds().backward, 0);
    ASSERT_OK_AND_ASSIGN(second, runner.TrainEpoch(task, 2));
  }
  // Without the checkpoint both epochs are trained again, with the same loss and measure.
  ASSERT_THAT(CheckpointFolder(task.folder(), {}).RemoveAll(), IsOk());
  ASSERT_OK_AND_ASSIGN(const CurvePoint again,
                       TrainingRunner(job_, &tiny_->evaluation).TrainEpoch(task, 2));
  EXPECT_EQ(again.loss(), second.loss());
  EXPECT_EQ(again.performance(), second.performance());
}

TEST_F(TrainingRunnerTest, FinishKeepsTheOneEpochThatLaterEdgesStartFrom) {
  const EdgeTask task = TaskIn(TestFolder("kept")), short_task = TaskIn(TestFolder("short"));
  TrainingRunner runner(job_, &tiny_->evaluation);
  ASSERT_THAT(runner.TrainEpoch(short_task, 1), IsOk());
  ASSERT_THAT(runner.Finish(short_task, 1), IsOk());
  ASSERT_THAT(runner.TrainEpoch(task, 1), IsOk());
  ASSERT_THAT(runner.TrainEpoch(task, 2), IsOk());
  ASSERT_THAT(runner.Finish(task, 1), IsOk());
  ASSERT_THAT(runner.Finish(task, 1), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(task.folder()));
  EXPECT_THAT(names, ElementsAre("weights.safetensors"));
  // Files of single epochs are written in the background, so only finished edges are read here.
  ASSERT_OK_AND_ASSIGN(const std::string kept,
                       ReadFile(JoinPath(task.folder(), "weights.safetensors")));
  ASSERT_OK_AND_ASSIGN(const std::string one_epoch,
                       ReadFile(JoinPath(short_task.folder(), "weights.safetensors")));
  EXPECT_EQ(kept, one_epoch);

  // The next edge measures the weights from which it starts.
  EdgeTask next = TaskIn(TestFolder("next"));
  next.set_source(task.folder());
  next.set_from_initial(false);
  ASSERT_OK_AND_ASSIGN(const CurvePoint point, runner.Measure(next));
  EXPECT_EQ(point.epoch(), 0);
  EXPECT_GE(point.top5(), point.top3());
}

TEST_F(TrainingRunnerTest, ASkippedStateLeavesNothing) {
  const EdgeTask task = TaskIn(TestFolder("skipped"));
  TrainingRunner runner(job_, &tiny_->evaluation);
  ASSERT_THAT(runner.TrainEpoch(task, 1), IsOk());
  ASSERT_THAT(runner.Finish(task, 0), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(task.folder()));
  EXPECT_TRUE(names.empty());
}

TEST_F(TrainingRunnerTest, ATrainingThatDivergesIsItsOwnFailure) {
  task_.mutable_state()->set_learning_rate(1e30);
  const EdgeTask task = TaskIn(TestFolder("diverging"));
  TrainingRunner runner(job_, &tiny_->evaluation);
  absl::Status status;
  for (int epoch = 1; epoch <= 3 && status.ok(); ++epoch) {
    status = runner.TrainEpoch(task, epoch).status();
  }
  const std::string failure = TrainingFailureOf(status).value_or("none");
  EXPECT_THAT(failure, testing::HasSubstr("lower")) << status;
  EXPECT_THAT(failure, testing::Not(testing::HasSubstr(task.folder())));
  EXPECT_THAT(runner.Abandon(task), IsOk());
  EXPECT_GT(runner.Chance(), 0);
  EXPECT_LT(runner.Chance(), 1);
}

TEST_F(TrainingRunnerTest, WeightsThatWereNotKeptAreTrainedAgainToTheSameBits) {
  std::vector<std::string> weights;
  for (const int kept_epochs : {0, 2}) {
    const EdgeTask task = TaskIn(TestFolder(absl::StrCat("kept", kept_epochs)));
    {
      TrainingRunner runner(job_, &tiny_->evaluation, kept_epochs);
      for (int epoch = 1; epoch <= 5; ++epoch) {
        ASSERT_THAT(runner.TrainEpoch(task, epoch), IsOk());
      }
    }
    ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(task.folder()));
    // All five and two checkpoints; or two, and checkpoints of epochs 2, 4 and 5.
    EXPECT_EQ(names.size(), kept_epochs == 0 ? 7 : 5);
    // In a new process, which asks for an epoch in between.
    TrainingRunner runner(job_, &tiny_->evaluation, kept_epochs);
    ASSERT_THAT(runner.Finish(task, 3), IsOk());
    EXPECT_EQ(runner.seconds().backward > 0, kept_epochs != 0);
    ASSERT_OK_AND_ASSIGN(weights.emplace_back(),
                         ReadFile(JoinPath(task.folder(), "weights.safetensors")));
    ASSERT_OK_AND_ASSIGN(const auto left, ListFolder(task.folder()));
    EXPECT_THAT(left, ElementsAre("weights.safetensors"));
  }
  EXPECT_EQ(weights[0], weights[1]);
}

}  // namespace
}  // namespace op3d::planner
