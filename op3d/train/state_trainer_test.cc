#include "op3d/train/state_trainer.h"

#include <ATen/ATen.h>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_matchers.h"
#include "op3d/eval/scorer.h"
#include "op3d/train/tiny_job.h"

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

  // Trains to `epochs` in `folder`, saving each; the final weights.
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
  TrainState state_;
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

TEST_F(StateTrainerTest, AnotherSeedOrPurposeTrainsOtherwise) {
  const auto one = TrainTo(1, TestFolder("one"));
  job_.purpose = "other";
  const auto other = TrainTo(1, TestFolder("other"));
  EXPECT_FALSE(at::equal(one[0].second, other[0].second));
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

TEST_F(StateTrainerTest, ATornCheckpointIsNoticed) {
  const std::string folder = TestFolder("torn");
  TrainTo(1, folder);
  const std::string path = JoinPath(folder, "resume.safetensors");
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(path));
  ASSERT_THAT(WriteFileAtomically(path, bytes.substr(0, bytes.size() - 1)), IsOk());
  EXPECT_THAT(StateTrainer::Start(job_, state_, folder).status(), testing::Not(IsOk()));
}

}  // namespace
}  // namespace op3d
