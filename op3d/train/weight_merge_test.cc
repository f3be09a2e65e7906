#include "op3d/train/weight_merge.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <c10/core/GradMode.h>

#include <map>

#include "absl/strings/match.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/torch/tensor_file.h"
#include "op3d/train/edge/edge_trainer.h"
#include "op3d/train/settings/network_settings.h"
#include "op3d/train/testing/tiny_job.h"

namespace op3d {
namespace {

using testing::HasSubstr;

class WeightMergeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(tiny_, MakeTinyJob());
    tiny_->train.resize(8);
    job_ = tiny_->job;
    job_.videos = &tiny_->train;
    state_.set_name("S1");
    state_.set_segments(1);
    state_.set_frames_per_segment(16);
    state_.set_stride(1);
    state_.set_learning_rate(0.05);
    state_.set_batch_size(4);
    state_.set_accumulation(1);
  }

  std::map<std::string, at::Tensor> Read(const std::string& file) {
    const auto tensors = ReadTensors(file);
    EXPECT_THAT(tensors, IsOk());
    return {tensors->tensors.begin(), tensors->tensors.end()};
  }

  std::unique_ptr<TinyJob> tiny_;
  TrainingJob job_;
  StateSettings state_;
};

TEST_F(WeightMergeTest, TakesTheMeanOfTheFiles) {
  const std::string folder = TestFolder("mean");
  std::vector<std::string> files;
  for (const uint64_t seed : {1, 2, 3}) {
    ASSERT_OK_AND_ASSIGN(const auto network,
                         Network::Make(ToNetworkOptions(job_.network, job_.classes), seed));
    files.push_back(JoinPath(folder, std::to_string(seed)));
    ASSERT_THAT(network->SaveWeights(files.back()), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto merged, MergeWeights(job_, files));
  const auto a = Read(files[0]), b = Read(files[1]), c = Read(files[2]);
  for (const auto& [name, tensor] : merged->StateDict()) {
    if (!tensor.is_floating_point()) continue;
    const at::Tensor want = (a.at(name).to(at::kDouble) + b.at(name).to(at::kDouble) +
                             c.at(name).to(at::kDouble)) / 3;
    EXPECT_TRUE(at::allclose(tensor.detach().to(at::kDouble), want, 1e-6, 1e-7)) << name;
  }
  EXPECT_THAT(MergeWeights(job_, {}), StatusIs(absl::StatusCode::kInvalidArgument,
                                               HasSubstr("no weights to merge")));
  EXPECT_THAT(MergeWeights(job_, {JoinPath(folder, "none")}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

// Computes the statistics of a batch in another way: from the change of one update with momentum
// 0.1.
TEST_F(WeightMergeTest, ComputesBatchNormStatisticsFromTrainingClips) {
  const std::string folder = TestFolder("statistics");
  const auto statistics = [&](int clips) {
    auto network = Network::Make(ToNetworkOptions(job_.network, job_.classes), 5);
    EXPECT_THAT(network, IsOk());
    EXPECT_THAT(RecomputeBatchNorm(job_, ToStateTask(state_), 3, clips, network->get()), IsOk());
    std::map<std::string, at::Tensor> tensors;
    for (const auto& [name, tensor] : (*network)->StateDict()) {
      tensors[name] = tensor.detach().clone();
    }
    return tensors;
  };
  ASSERT_OK_AND_ASSIGN(const auto fresh,
                       Network::Make(ToNetworkOptions(job_.network, job_.classes), 5));
  // Two batches of four: the mean of both; if more clips are requested than the epoch has, its two
  // batches.
  const auto one = statistics(1), two = statistics(8), all = statistics(1000);
  int running = 0;
  for (const auto& [name, tensor] : fresh->StateDict()) {
    if (!absl::StrContains(name, "running_")) {
      if (tensor.is_floating_point()) {
        EXPECT_TRUE(at::equal(one.at(name), tensor.detach())) << name;
      }
      continue;
    }
    ++running;
    EXPECT_FALSE(at::allclose(one.at(name), tensor)) << name;
    EXPECT_TRUE(at::equal(two.at(name), all.at(name))) << name;
    EXPECT_FALSE(at::equal(one.at(name), two.at(name))) << name;
  }
  EXPECT_GT(running, 10);
  // The stem's mean is linear in its input: if a network's statistics are computed again from the
  // same batches, but from other initial statistics, they are the same.
  auto again = Network::Make(ToNetworkOptions(job_.network, job_.classes), 5);
  ASSERT_THAT(again, IsOk());
  for (const auto& [name, tensor] : (*again)->StateDict()) {
    c10::NoGradGuard no_grad;
    if (absl::StrContains(name, "running_")) tensor.fill_(7);
  }
  ASSERT_THAT(RecomputeBatchNorm(job_, ToStateTask(state_), 3, 8, again->get()), IsOk());
  for (const auto& [name, tensor] : (*again)->StateDict()) {
    EXPECT_TRUE(at::equal(tensor, two.at(name))) << name;
  }
}

TEST_F(WeightMergeTest, StatisticsAreOfTheStatesOwnCrop) {
  const auto statistics = [&](int state_crop, int train_crop) {
    auto network = Network::Make(ToNetworkOptions(job_.network, job_.classes), 5);
    EXPECT_THAT(network, IsOk());
    StateSettings state = state_;
    state.set_crop(state_crop);
    TrainingJob job = job_;
    if (train_crop > 0) job.transform.set_train_crop(train_crop);
    EXPECT_THAT(RecomputeBatchNorm(job, ToStateTask(state), 3, 8, network->get()), IsOk());
    for (const auto& [name, tensor] : (*network)->StateDict()) {
      if (absl::EndsWith(name, ".running_mean")) return tensor.detach().clone();
    }
    return at::Tensor();
  };
  EXPECT_TRUE(at::equal(statistics(24, 0), statistics(0, 24)));
  EXPECT_FALSE(at::equal(statistics(24, 0), statistics(0, 0)));
}

TEST_F(WeightMergeTest, AnEdgeOfKnownLengthIsMeasuredInTheMiddleAndAtTheEndOfMergedWeights) {
  job_.score.set_measure(ScoreSettings::PROBABILITY);
  job_.score.set_merged_epochs(2);
  job_.score.set_batch_norm_clips(8);
  job_.score.set_frames(32);
  EdgeTask edge;
  edge.set_name("S0-S1");
  *edge.mutable_state() = state_;
  edge.set_epochs(4);
  edge.set_folder(TestFolder("edge"));
  std::vector<CurvePoint> measures;
  {
    EdgeTrainer trainer(job_, &tiny_->evaluation, /*kept_epochs=*/2);
    for (int epoch = 1; epoch <= 4; ++epoch) {
      ASSERT_OK_AND_ASSIGN(const CurvePoint measure, trainer.TrainEpoch(edge, epoch));
      measures.push_back(measure);
    }
    ASSERT_THAT(trainer.Flush(), IsOk());
  }
  EXPECT_TRUE(measures[0].unmeasured() && measures[2].unmeasured());
  EXPECT_FALSE(measures[1].unmeasured() || measures[3].unmeasured());
  EXPECT_GT(measures[3].performance(), 0);
  EXPECT_EQ(measures[3].performance(), measures[3].probability());
  // The merged file is the mean of the last two epochs, except for the statistics.
  const auto merged = Read(JoinPath(edge.folder(), "merged.safetensors"));
  const auto third = Read(JoinPath(edge.folder(), "epoch_003.safetensors"));
  const auto fourth = Read(JoinPath(edge.folder(), "epoch_004.safetensors"));
  for (const auto& [name, tensor] : merged) {
    if (absl::StrContains(name, "running_") || !tensor.is_floating_point()) continue;
    EXPECT_TRUE(at::allclose(tensor, (third.at(name) + fourth.at(name)) / 2, 1e-6, 1e-7)) << name;
  }
  // Another process gets the same result, and the kept weights are the trained ones.
  EdgeTrainer again(job_, &tiny_->evaluation, /*kept_epochs=*/2);
  ASSERT_OK_AND_ASSIGN(const CurvePoint same, again.TrainEpoch(edge, 4));
  EXPECT_EQ(same.performance(), measures[3].performance());
  ASSERT_THAT(again.Finish(edge, 4), IsOk());
  EXPECT_TRUE(at::equal(Read(JoinPath(edge.folder(), "weights.safetensors")).at("conv1.weight"),
                        fourth.at("conv1.weight")));
  EXPECT_TRUE(FileExists(JoinPath(edge.folder(), "merged.safetensors")));
  EXPECT_FALSE(FileExists(JoinPath(edge.folder(), "epoch_003.safetensors")));
}

}  // namespace
}  // namespace op3d
