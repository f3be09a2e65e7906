#include "op3d/train/step/optimizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/training_failure.h"

namespace op3d {
namespace {

SgdSettings Settings() {
  SgdSettings settings;
  settings.set_momentum(0.9);
  settings.set_nesterov(true);
  settings.set_weight_decay(0.01);
  settings.set_clip_norm(2);
  return settings;
}

// A second implementation of the header's update, with plain numbers.
struct Scalar {
  double w, v = 0;
  bool first = true;
  void Step(double g, double norm, double lr) {
    g *= std::min(1.0, 2 / (norm + 1e-6));
    const double d = g + 0.01 * w;
    v = first ? d : 0.9 * v + d;
    first = false;
    w -= lr * (d + 0.9 * v);
  }
};

std::unique_ptr<Optimizer> Make(const NamedTensors& parameters,
                                const TrainingSettings& training = {},
                                const FusedOptions& fused = {}) {
  auto optimizer = Optimizer::Make(parameters, Settings(), training, fused);
  EXPECT_THAT(optimizer, IsOk());
  return *std::move(optimizer);
}

TrainingSettings AdamW() {
  TrainingSettings training;
  training.mutable_adamw()->set_beta1(0.9);
  training.mutable_adamw()->set_beta2(0.99);
  training.mutable_adamw()->set_epsilon(1e-8);
  training.mutable_adamw()->set_weight_decay(0.05);
  return training;
}

TEST(OptimizerTest, SgdStepsEqualTheFormulaClippedAndNot) {
  at::Tensor a = at::tensor({1.0, -2.0}, at::kDouble).requires_grad_();
  at::Tensor b = at::tensor({0.5}, at::kDouble).requires_grad_();
  const auto sgd = Make({{"a", a}, {"b", b}});
  Scalar truth[3] = {{1.0}, {-2.0}, {0.5}};
  RandomStream stream(1, "sgd", {});
  for (int step = 0; step < 4; ++step) {
    const double size = step % 2 == 0 ? 5 : 0.1;  // above and below the clip
    const double g[3] = {size * stream.Gaussian(), size * stream.Gaussian(),
                         size * stream.Gaussian()};
    a.mutable_grad() = at::tensor({g[0], g[1]}, at::kDouble);
    b.mutable_grad() = at::tensor({g[2]}, at::kDouble);
    const double norm = std::sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
    ASSERT_OK_AND_ASSIGN(const double got, sgd->Step(0.1));
    EXPECT_NEAR(got, norm, 1e-12);
    for (int i = 0; i < 3; ++i) truth[i].Step(g[i], norm, 0.1);
    EXPECT_NEAR(a[0].item<double>(), truth[0].w, 1e-12) << step;
    EXPECT_NEAR(a[1].item<double>(), truth[1].w, 1e-12) << step;
    EXPECT_NEAR(b[0].item<double>(), truth[2].w, 1e-12) << step;
    EXPECT_FALSE(a.grad().defined());
  }
}

TEST(OptimizerTest, GoingOnFromItsSavedStateIsBitEqual) {
  TrainingSettings tenfold = AdamW();
  tenfold.set_classifier_rate_factor(10);
  for (const TrainingSettings& training : {TrainingSettings(), AdamW(), tenfold}) {
    const at::Tensor a = at::tensor({1.0f, -2.0f}).requires_grad_();
    const at::Tensor b = a.detach().clone().requires_grad_();
    const auto whole = Make({{"fc.weight", a}}, training),
               first = Make({{"fc.weight", b}}, training);
    const auto gradient = [](int step) { return at::tensor({0.3f * step, 1.0f / step}); };
    for (int step = 1; step <= 3; ++step) {
      a.mutable_grad() = gradient(step);
      ASSERT_THAT(whole->Step(0.1), IsOk());
    }
    b.mutable_grad() = gradient(1);
    EXPECT_TRUE(first->State().empty());
    ASSERT_THAT(first->Step(0.1), IsOk());
    NamedTensors state = first->State();
    std::reverse(state.begin(), state.end());  // a file may hold them in any order
    const auto second = Make({{"fc.weight", b}}, training);
    ASSERT_THAT(second->SetState(state), IsOk());
    for (int step = 2; step <= 3; ++step) {
      b.mutable_grad() = gradient(step);
      ASSERT_THAT(second->Step(0.1), IsOk());
    }
    EXPECT_TRUE(at::equal(a, b));
  }
}

// Trainings whose steps are taken by the plain optimiser or by the fused one, on the same gradients.
class FusedOptimizerTest : public testing::TestWithParam<bool> {
 protected:
  FusedOptimizerTest() {
    if (GetParam()) settings_ = AdamW();
    settings_.set_classifier_rate_factor(10);
    always_.always = true;
  }

  // One parameter of several chunks, a short one, and one that no loss reaches.
  static NamedTensors Parameters() {
    RandomStream stream(1, "fused", {});
    NamedTensors parameters;
    for (const auto& [name, size] :
         {std::pair<const char*, int64_t>("conv", 20000), {"fc.weight", 7}, {"idle", 2}}) {
      at::Tensor weights = at::zeros({size});
      for (int64_t i = 0; i < size; ++i) {
        weights.data_ptr<float>()[i] = static_cast<float>(stream.Gaussian());
      }
      parameters.emplace_back(name, weights.requires_grad_());
    }
    return parameters;
  }

  // Gradients above the clip in every second step.
  static double Step(Optimizer* optimizer, const NamedTensors& parameters, int step,
                     std::optional<double> scale = std::nullopt) {
    RandomStream stream(2, "fused", {step});
    for (const auto& [name, parameter] : parameters) {
      if (name == "idle") continue;
      at::Tensor gradient = at::zeros_like(parameter);
      for (int64_t i = 0; i < gradient.numel(); ++i) {
        gradient.data_ptr<float>()[i] =
            static_cast<float>((step % 2 == 0 ? 0.1 : 0.001) * stream.Gaussian());
      }
      parameter.mutable_grad() = gradient * scale.value_or(1);
    }
    const auto norm = optimizer->Step(0.01, scale);
    EXPECT_THAT(norm, IsOk());
    EXPECT_EQ(*norm > 2, step % 2 == 0);
    for (const auto& [name, parameter] : parameters) EXPECT_FALSE(parameter.grad().defined());
    return *norm;
  }

  static void ExpectNear(const NamedTensors& a, const NamedTensors& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].first, b[i].first);
      const at::Tensor x = a[i].second.detach(), y = b[i].second.detach();
      EXPECT_LT((x - y).abs().max().item<double>(),
                1e-5 * std::max(0.01, y.abs().max().item<double>()))
          << a[i].first;
    }
  }

  static void ExpectEqual(const NamedTensors& a, const NamedTensors& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_TRUE(at::equal(a[i].second, b[i].second)) << a[i].first;
    }
  }

  static NamedTensors CopyOf(const NamedTensors& tensors) {
    NamedTensors copy;
    for (const auto& [name, tensor] : tensors) copy.emplace_back(name, tensor.detach().clone());
    return copy;
  }

  TrainingSettings settings_;
  FusedOptions always_;
};

TEST_P(FusedOptimizerTest, TakesTheStepsOfThePlainOne) {
  const NamedTensors plain_parameters = Parameters(), fused_parameters = Parameters();
  NamedTensors expected;
  for (const auto& [name, parameter] : fused_parameters) {
    always_.averages.emplace_back(name, parameter.detach().clone());
    expected.emplace_back(name, parameter.detach().clone());
  }
  always_.average_decay = 0.75;
  const auto plain = Make(plain_parameters, settings_);
  const auto fused = Make(fused_parameters, settings_, always_);
  EXPECT_FALSE(plain->fused());
  EXPECT_TRUE(fused->fused());
  EXPECT_TRUE(fused->State().empty());
  for (int step = 1; step <= 4; ++step) {
    const double norm = Step(plain.get(), plain_parameters, step);
    EXPECT_NEAR(Step(fused.get(), fused_parameters, step) / norm, 1, 1e-5);
    ExpectNear(fused_parameters, plain_parameters);
    ExpectNear(fused->State(), plain->State());
    for (size_t i = 0; i < expected.size(); ++i) {
      expected[i].second.mul_(0.75).add_(plain_parameters[i].second.detach(), 0.25);
    }
    ExpectNear(always_.averages, expected);
  }
}

TEST_P(FusedOptimizerTest, EachGoesOnFromTheOthersState) {
  const NamedTensors whole_parameters = Parameters();
  const auto whole = Make(whole_parameters, settings_);
  const NamedTensors parameters = Parameters();
  auto part = Make(parameters, settings_, always_);
  for (int step = 1; step <= 6; ++step) {
    Step(whole.get(), whole_parameters, step);
    Step(part.get(), parameters, step);
    ExpectNear(parameters, whole_parameters);
    // After every second step the other kind.
    if (step % 2 != 0) continue;
    const NamedTensors state = CopyOf(part->State());
    part = Make(parameters, settings_, part->fused() ? FusedOptions() : always_);
    ASSERT_THAT(part->SetState(state), IsOk());
  }
}

// Clipped in every second step.
TEST_P(FusedOptimizerTest, AGradientsScaleChangesNoBit) {
  for (const bool fused : {false, true}) {
    const FusedOptions options = fused ? always_ : FusedOptions();
    const NamedTensors plain_parameters = Parameters(), scaled_parameters = Parameters();
    const auto plain = Make(plain_parameters, settings_, options);
    const auto scaled = Make(scaled_parameters, settings_, options);
    for (int step = 1; step <= 4; ++step) {
      const double norm = Step(plain.get(), plain_parameters, step);
      const double scale = std::ldexp(1, 8 * step - 8);
      EXPECT_EQ(Step(scaled.get(), scaled_parameters, step, scale), norm);
      ExpectEqual(scaled_parameters, plain_parameters);
      ExpectEqual(scaled->State(), plain->State());
    }
  }
}

TEST_P(FusedOptimizerTest, AStepThatOverflowsIsSkipped) {
  for (const bool fused : {false, true}) {
    const NamedTensors parameters = Parameters();
    FusedOptions options;
    if (fused) {
      options = always_;
      for (const auto& [name, parameter] : parameters) {
        options.averages.emplace_back(name, parameter.detach().clone());
      }
      options.average_decay = 0.5;
    }
    const auto optimizer = Make(parameters, settings_, options);
    for (int step = 1; step <= 2; ++step) {  // the first one skips before there is a state
      const NamedTensors before = CopyOf(parameters), averages = CopyOf(options.averages),
                         state = CopyOf(optimizer->State());
      for (const float value : {HUGE_VALF, std::nanf("")}) {
        for (const auto& [name, parameter] : parameters) {
          parameter.mutable_grad() = at::ones_like(parameter);
        }
        parameters[0].second.mutable_grad()[17] = value;
        const auto norm = optimizer->Step(0.1, 1024);
        ASSERT_THAT(norm, IsOk());
        EXPECT_FALSE(std::isfinite(*norm));
        for (const auto& [name, parameter] : parameters) EXPECT_FALSE(parameter.grad().defined());
        ExpectEqual(parameters, before);
        ExpectEqual(optimizer->State(), state);
        ExpectEqual(options.averages, averages);
      }
      Step(optimizer.get(), parameters, step);
    }
    // Skipped steps do not count: AdamW corrects by the number of steps.
    const NamedTensors others = Parameters();
    const auto other = Make(others, settings_, fused ? always_ : FusedOptions());
    for (int step = 1; step <= 2; ++step) Step(other.get(), others, step);
    ExpectEqual(parameters, others);
  }
}

TEST_P(FusedOptimizerTest, DivergenceTouchesNothing) {
  const NamedTensors parameters = Parameters();
  const auto fused = Make(parameters, settings_, always_);
  Step(fused.get(), parameters, 1);
  const NamedTensors before = CopyOf(fused->State()), weights = CopyOf(parameters);
  parameters[1].second.mutable_grad() = at::full({7}, std::nan(""));
  const absl::StatusOr<double> diverged = fused->Step(0.1);
  EXPECT_THAT(diverged, StatusIs(absl::StatusCode::kInternal, testing::HasSubstr("norm is nan")));
  EXPECT_TRUE(TrainingFailureOf(diverged.status()).has_value());
  ExpectEqual(parameters, weights);
  ExpectEqual(fused->State(), before);
}

// A search must not take an error of the library for a training that failed.
TEST_P(FusedOptimizerTest, AnErrorOfTheLibraryIsNoDivergence) {
  const NamedTensors parameters = Parameters();
  const auto fused = Make(parameters, settings_, always_);
  parameters[1].second.mutable_grad() = at::ones({7}).to(at::kMeta);
  const absl::Status error = fused->Step(0.1).status();
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kInternal, testing::HasSubstr("LibTorch")));
  EXPECT_FALSE(TrainingFailureOf(error).has_value());
}

INSTANTIATE_TEST_SUITE_P(Rules, FusedOptimizerTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "AdamW" : "Sgd"; });

TEST(OptimizerTest, AFusedStepRefusesParametersWithDifferentNumbersOfSteps) {
  FusedOptions always;
  always.always = true;
  const NamedTensors parameters = {{"a", at::ones({2}).requires_grad_()},
                                   {"b", at::ones({2}).requires_grad_()}};
  const auto fused = Make(parameters, AdamW(), always);
  parameters[0].second.mutable_grad() = at::ones({2});
  ASSERT_THAT(fused->Step(0.1), IsOk());
  NamedTensors state;
  for (const auto& [name, tensor] : fused->State()) {
    state.emplace_back(name, name == "steps.b" ? tensor + 1 : tensor.clone());
  }
  EXPECT_THAT(fused->SetState(state),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("1, 2")));
}

TEST(OptimizerTest, ClassifiersMoveByTheirFactor) {
  const auto moved = [](const std::string& name) {
    at::Tensor weight = at::zeros({1}).requires_grad_();
    TrainingSettings training;
    training.set_classifier_rate_factor(10);
    const auto optimizer = Make({{name, weight}}, training);
    weight.mutable_grad() = at::full({1}, 1.0f);
    EXPECT_THAT(optimizer->Step(0.01), IsOk());
    return weight.item<float>();
  };
  EXPECT_FLOAT_EQ(moved("fc_dual.bias"), 10 * moved("conv1.weight"));
  EXPECT_FLOAT_EQ(moved("layer1.0.fc1.weight"), moved("conv1.weight"));  // a block's context
}

TEST(OptimizerTest, DivergenceIsAnErrorAndTouchesNothing) {
  at::Tensor a = at::ones({2}).requires_grad_();
  const auto sgd = Make({{"w", a}});
  a.mutable_grad() = at::full({2}, std::nan(""));
  EXPECT_THAT(sgd->Step(0.1),
              StatusIs(absl::StatusCode::kInternal, testing::HasSubstr("norm is nan")));
  EXPECT_TRUE(at::equal(a, at::ones({2})));
}

TEST(OptimizerTest, TheStateOfAnotherTrainingIsRefused) {
  const auto sgd = Make({{"w", at::ones({2}).requires_grad_()}});
  const auto invalid = [](const char* words) {
    return StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr(words));
  };
  EXPECT_THAT(sgd->SetState({{"momentum.w", at::ones({3})}}), invalid("[3]"));
  EXPECT_THAT(sgd->SetState({{"momentum.w", at::ones({2})}, {"momentum.x", at::ones({2})}}),
              invalid("'momentum.x' does not belong to a parameter"));
  EXPECT_THAT(sgd->SetState({{"first_moment.w", at::ones({2})}}),
              invalid("'momentum.w' is missing"));
}

TEST(OptimizerTest, SettingsOutOfTheirRangeAreSentences) {
  const auto status = [](const SgdSettings& sgd, const TrainingSettings& training) {
    return Optimizer::Make({{"w", at::ones({2}).requires_grad_()}}, sgd, training).status();
  };
  const auto invalid = [](const char* words) {
    return StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr(words));
  };
  SgdSettings sgd = Settings();
  sgd.set_momentum(1);
  EXPECT_THAT(status(sgd, {}), invalid("sgd.momentum is 1"));
  sgd = Settings();
  sgd.clear_clip_norm();
  EXPECT_THAT(status(sgd, {}), invalid("sgd.clip_norm is 0"));
  TrainingSettings training = AdamW();
  training.mutable_adamw()->set_beta2(1);
  EXPECT_THAT(status(Settings(), training), invalid("training.adamw.beta2 is 1"));
  training = AdamW();
  training.set_classifier_rate_factor(-1);
  EXPECT_THAT(status(Settings(), training), invalid("classifier_rate_factor is -1"));
}

}  // namespace
}  // namespace op3d
