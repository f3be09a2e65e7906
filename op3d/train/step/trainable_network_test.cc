#include "op3d/train/step/trainable_network.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linspace.h>

#include <algorithm>
#include <cmath>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

TrainableNetworkOptions Options() {
  TrainableNetworkOptions options;
  options.network = {"dg_p3d_miniature", 4, 0};
  options.seed = 3;
  options.sgd.set_momentum(0.9);
  options.sgd.set_nesterov(true);
  options.sgd.set_clip_norm(40);
  return options;
}

// One micro-batch, forward and backward.
void Accumulate(TrainableNetwork* network, float shift) {
  const at::Tensor clips =
      at::linspace(-1 + shift, 1, 2 * 3 * 16 * 32 * 32).view({2, 3, 16, 32, 32});
  const auto heads = network->network().Forward(clips);
  ASSERT_THAT(heads, IsOk());
  ((*heads)[0].square().sum() + (*heads)[1].square().sum()).backward();
}

TEST(TrainableNetworkTest, GoesOnWithTheSameBitsFromTheMiddleOfAStep) {
  TrainableNetworkOptions adamw = Options();
  adamw.training.mutable_adamw()->set_beta1(0.9);
  adamw.training.mutable_adamw()->set_beta2(0.99);
  adamw.training.mutable_adamw()->set_epsilon(1e-8);
  adamw.training.set_average_decay(0.9);
  adamw.frozen_batch_norm = true;
  for (const TrainableNetworkOptions& options : {Options(), adamw}) {
    ASSERT_OK_AND_ASSIGN(const auto whole, TrainableNetwork::Make(options));
    Accumulate(whole.get(), 0);
    ASSERT_THAT(whole->Step(0.1), IsOk());
    EXPECT_EQ(whole->Tensors().size(), [&] {
      size_t size = 0;
      for (const auto& [name, tensor] : whole->Tensors()) size += name.rfind("gradients.", 0) != 0;
      return size;
    }());
    Accumulate(whole.get(), 0.5f);
    NamedTensors saved;
    for (const auto& [name, tensor] : whole->Tensors()) {
      saved.emplace_back(name, tensor.detach().clone());
    }
    std::reverse(saved.begin(), saved.end());
    TrainableNetworkOptions other = options;
    other.seed = 4;
    ASSERT_OK_AND_ASSIGN(const auto again, TrainableNetwork::Make(other));
    ASSERT_THAT(again->Restore(saved), IsOk());
    for (TrainableNetwork* network : {whole.get(), again.get()}) {
      Accumulate(network, 0.25f);
      ASSERT_THAT(network->Step(0.1), IsOk());
    }
    const NamedTensors a = whole->Tensors(), b = again->Tensors();
    ASSERT_EQ(a.size(), b.size());
    int64_t bytes = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_TRUE(at::equal(a[i].second, b[i].second)) << a[i].first;
      bytes += static_cast<int64_t>(a[i].second.nbytes());
    }
    // AdamW also counts its steps, one number per parameter.
    EXPECT_NEAR(static_cast<double>(whole->Bytes()), static_cast<double>(bytes), 0.02 * bytes);
  }
}

TEST(TrainableNetworkTest, TheFusedStepIsThePlainOneWithTheSameTensors) {
  TrainableNetworkOptions options = Options();
  options.training.set_average_decay(0.5);
  ASSERT_OK_AND_ASSIGN(const auto plain, TrainableNetwork::Make(options));
  options.fused_step = true;
  ASSERT_OK_AND_ASSIGN(auto fused, TrainableNetwork::Make(options));
  for (int step = 0; step < 4; ++step) {
    if (step == 2) {  // a plain one's checkpoint in a fused one
      NamedTensors saved;
      for (const auto& [name, tensor] : plain->Tensors()) {
        saved.emplace_back(name, tensor.detach().clone());
      }
      ASSERT_OK_AND_ASSIGN(fused, TrainableNetwork::Make(options));
      ASSERT_THAT(fused->Restore(saved), IsOk());
    }
    for (TrainableNetwork* network : {plain.get(), fused.get()}) {
      Accumulate(network, 0.25f * static_cast<float>(step));
      ASSERT_THAT(network->Step(0.001), IsOk());
    }
    const NamedTensors a = fused->Tensors(), b = plain->Tensors();
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].first, b[i].first);
      const at::Tensor x = a[i].second.detach().to(at::kDouble),
                       y = b[i].second.detach().to(at::kDouble);
      EXPECT_LT((x - y).abs().max().item<double>(),
                1e-5 * std::max(1.0, y.abs().max().item<double>()))
          << a[i].first << " after step " << step;
    }
  }
}

TEST(TrainableNetworkTest, ASkippedStepChangesNoTensor) {
  TrainableNetworkOptions options = Options();
  options.training.set_average_decay(0.5);
  for (const bool fused : {false, true}) {
    options.fused_step = fused;
    ASSERT_OK_AND_ASSIGN(const auto network, TrainableNetwork::Make(options));
    Accumulate(network.get(), 0);
    ASSERT_THAT(network->Step(0.1, /*gradient_scale=*/1), IsOk());
    Accumulate(network.get(), 0.5f);  // moves running statistics, which the average must not follow
    for (const auto& [name, parameter] : network->network().Parameters()) {
      parameter.mutable_grad().fill_(HUGE_VAL);
    }
    NamedTensors before;
    for (const auto& [name, tensor] : network->Tensors()) {
      if (name.rfind("gradients.", 0) == 0) continue;
      before.emplace_back(name, tensor.detach().clone());
    }
    ASSERT_OK_AND_ASSIGN(const double norm, network->Step(0.1, 1024));
    EXPECT_FALSE(std::isfinite(norm));
    const NamedTensors after = network->Tensors();
    ASSERT_EQ(after.size(), before.size());
    for (size_t i = 0; i < after.size(); ++i) {
      EXPECT_TRUE(at::equal(after[i].second, before[i].second)) << after[i].first;
    }
  }
}

TEST(TrainableNetworkTest, AnotherNetworksTensorsAreRefused) {
  ASSERT_OK_AND_ASSIGN(const auto network, TrainableNetwork::Make(Options()));
  TrainableNetworkOptions other = Options();
  other.network.classes = 5;
  ASSERT_OK_AND_ASSIGN(const auto five, TrainableNetwork::Make(other));
  EXPECT_THAT(network->Restore(five->Tensors()),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("fc.weight")));
}

}  // namespace
}  // namespace op3d
