#include "op3d/eval/predictor.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>

#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/testing/golden_case.h"

namespace op3d {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(TopClasses, AreSoftmaxInOrder) {
  const std::vector<double> scores = {0, std::log(2), -1e4, std::log(2), 0};
  const std::vector<ClassScore> top = TopClasses(scores, 3);
  ASSERT_EQ(top.size(), 3);
  EXPECT_EQ(top[0].label, 1);  // of equal ones the lower
  EXPECT_EQ(top[1].label, 3);
  EXPECT_EQ(top[2].label, 0);
  EXPECT_NEAR(top[0].probability, 2.0 / 6, 1e-12);
  EXPECT_NEAR(top[2].probability, 1.0 / 6, 1e-12);
  EXPECT_EQ(TopClasses(scores, 99).size(), 5);
}

TEST(Predictor, GivesTheReleasedProgramsLogits) {
  const GoldenCase golden("dg_p3d_resnet18");
  const std::string folder = TestFolder("golden");
  ASSERT_THAT(golden.MakeNetwork(at::kFloat)->SaveWeights(folder + "/w.safetensors"), IsOk());
  const Safetensors expected = golden.Read("eval_2x16x64x64.safetensors");
  const at::Tensor clips = GoldenClips({2, 3, 16, 64, 64}, "input", at::kFloat);
  // Relative to the size of the logits.
  for (const auto& [precision, tolerance] : std::vector<std::pair<std::string, double>>{
           {"fp64", 1e-10}, {"fp32", 1e-4}, {"bf16", 0.1}}) {
    ASSERT_OK_AND_ASSIGN(
        const auto predictor,
        Predictor::Make({{"dg_p3d_resnet18", golden.facts().at("classes").get<int64_t>()}, folder + "/w.safetensors", precision}));
    ASSERT_OK_AND_ASSIGN(const Prediction prediction, predictor->Predict(clips, nullptr));
    ASSERT_EQ(prediction.heads.size(), 2);
    for (int head = 0; head < 2; ++head) {
      const double rms = std::sqrt(prediction.heads[head].square().mean().item<double>());
      EXPECT_LT(
          WorstDifference(prediction.heads[head], expected, absl::StrCat("logits.", head), rms),
          tolerance)
          << precision;
    }
  }
}

class PredictorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(const auto network, Network::Make({"dg_p3d_miniature", 9}, 1));
    ASSERT_THAT(network->SaveWeights(weights_), IsOk());
    views_.short_side = 48;
    views_.crop = 32;
  }

  std::unique_ptr<Predictor> Make(int threads) {
    PredictorOptions options;
    options.network = {"dg_p3d_miniature", 9};
    options.weights = weights_;
    options.threads = threads;
    auto predictor = Predictor::Make(options);
    EXPECT_THAT(predictor, IsOk());
    return *std::move(predictor);
  }

  const std::string folder_ = TestFolder("predictor");
  const std::string weights_ = folder_ + "/w.safetensors";
  PredictionViews views_;
};

TEST_F(PredictorTest, ViewsAreThoseOfTheTest) {
  const std::string video = data::WriteTestClip(folder_, "a.mp4", data::TestClipOptions(), 40);
  views_.clips = 2;
  views_.crops = 3;
  ASSERT_OK_AND_ASSIGN(const Prediction three, Make(1)->Predict(video, views_, nullptr));
  EXPECT_EQ(three.frames, 40);
  EXPECT_THAT(three.heads[0].sizes(), ElementsAre(6, 9));
  EXPECT_THAT(three.warnings, ElementsAre());
  // The same for any number of threads; the first crop is the centre.
  ASSERT_OK_AND_ASSIGN(const Prediction again, Make(3)->Predict(video, views_, nullptr));
  EXPECT_TRUE(at::equal(again.heads[0], three.heads[0]));
  views_.crops = 1;
  ASSERT_OK_AND_ASSIGN(const Prediction centre, Make(1)->Predict(video, views_, nullptr));
  EXPECT_TRUE(at::equal(centre.heads[1][1], three.heads[1][3]));
  double sum = 0;
  for (int view = 0; view < 2; ++view) {
    for (int head = 0; head < 2; ++head) sum += centre.heads[head][view][4].item<double>();
  }
  EXPECT_NEAR(centre.scores[4], sum / 4, 1e-9);
}

TEST_F(PredictorTest, FeaturesAreWhatTheClassifiersAreGiven) {
  PredictorOptions options;
  options.network = {"dg_p3d_miniature", 9};
  options.weights = weights_;
  options.threads = 2;
  options.features = true;
  ASSERT_OK_AND_ASSIGN(const auto predictor, Predictor::Make(options));
  const at::Tensor clips = GoldenClips({3, 3, 16, 32, 32}, "input", at::kFloat);
  ASSERT_OK_AND_ASSIGN(const Prediction prediction, predictor->Predict(clips, nullptr));
  ASSERT_OK_AND_ASSIGN(const auto network, Network::Make(options.network, 1));
  ASSERT_EQ(prediction.features.size(), 2);
  std::map<std::string, at::Tensor> weights;
  for (const auto& [name, tensor] : network->StateDict()) weights[name] = tensor;
  for (const auto& [head, layer] : std::vector<std::pair<int, std::string>>{{0, "fc"},
                                                                            {1, "fc_dual"}}) {
    const at::Tensor& features = prediction.features[head];
    EXPECT_THAT(features.sizes(), ElementsAre(3, weights[layer + ".weight"].size(1)));
    const at::Tensor logits =
        at::linear(features, weights[layer + ".weight"], weights[layer + ".bias"]);
    EXPECT_TRUE(at::allclose(logits, prediction.heads[head], 1e-4, 1e-5));
  }
  EXPECT_THAT(Make(1)->Predict(clips, nullptr)->features, ElementsAre());
}

TEST_F(PredictorTest, AShortVideoIsHeldWithAWarning) {
  const std::string video = data::WriteTestClip(folder_, "short.mp4", data::TestClipOptions(), 5);
  ASSERT_OK_AND_ASSIGN(const Prediction prediction, Make(2)->Predict(video, views_, nullptr));
  EXPECT_THAT(prediction.warnings, ElementsAre(HasSubstr("5 frames, fewer than the 16")));
}

TEST_F(PredictorTest, WhatCannotBeIsASentence) {
  const auto predictor = Make(1);
  const std::string video = data::WriteTestClip(folder_, "a.mp4", data::TestClipOptions(), 40);
  views_.shape.frames_per_segment = 8;
  EXPECT_THAT(predictor->Predict(video, views_, nullptr),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("8 frames is too short")));
  views_.shape.frames_per_segment = 16;
  views_.crops = 2;
  EXPECT_THAT(predictor->Predict(video, views_, nullptr),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2 crops")));
  views_.crops = 1;
  views_.clips = 2000000000;
  EXPECT_THAT(predictor->Predict(video, views_, nullptr),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("2000000000 views of 16x32x32"), HasSubstr("at most 8"))));
  views_.clips = 3;
  EXPECT_THAT(predictor->Predict(folder_ + "/none.mp4", views_, nullptr),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.mp4")));
  EXPECT_THAT(
      predictor->Predict(at::Tensor(GoldenClips({1, 2, 16, 32, 32}, "input", at::kFloat)), nullptr),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("[N, 3, T, H, W]")));

  EXPECT_THAT(Predictor::Make({{"dg_p3d_miniature", 9}, weights_, "fp8"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("fp32, bf16, fp64")));
  EXPECT_THAT(Predictor::Make({{"s3dg", 9}, weights_}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("of another network")));
  EXPECT_THAT(Predictor::Make({{"dg_p3d_miniature", 9}, folder_ + "/none"}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

}  // namespace
}  // namespace op3d
