#include "op3d/train/sgd.h"

#include <ATen/ATen.h>

#include <cmath>

#include "op3d/base/random_stream.h"
#include "op3d/base/status_matchers.h"

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

// The update of the header, written down a second time with plain numbers.
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

TEST(SgdTest, StepsEqualTheFormulaClippedAndNot) {
  at::Tensor a = at::tensor({1.0, -2.0}, at::kDouble).requires_grad_();
  at::Tensor b = at::tensor({0.5}, at::kDouble).requires_grad_();
  Sgd sgd({{"a", a}, {"b", b}}, Settings());
  Scalar truth[3] = {{1.0}, {-2.0}, {0.5}};
  RandomStream stream(1, "sgd", {});
  for (int step = 0; step < 4; ++step) {
    const double size = step % 2 == 0 ? 5 : 0.1;  // above and below the clip
    const double g[3] = {size * stream.Gaussian(), size * stream.Gaussian(),
                         size * stream.Gaussian()};
    a.mutable_grad() = at::tensor({g[0], g[1]}, at::kDouble);
    b.mutable_grad() = at::tensor({g[2]}, at::kDouble);
    const double norm = std::sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
    ASSERT_OK_AND_ASSIGN(const double got, sgd.Step(0.1));
    EXPECT_NEAR(got, norm, 1e-12);
    for (int i = 0; i < 3; ++i) truth[i].Step(g[i], norm, 0.1);
    EXPECT_NEAR(a[0].item<double>(), truth[0].w, 1e-12) << step;
    EXPECT_NEAR(a[1].item<double>(), truth[1].w, 1e-12) << step;
    EXPECT_NEAR(b[0].item<double>(), truth[2].w, 1e-12) << step;
    EXPECT_FALSE(a.grad().defined());
  }
}

TEST(SgdTest, GoingOnFromSavedMomentumIsBitEqual) {
  at::Tensor a = at::tensor({1.0f, -2.0f}).requires_grad_();
  at::Tensor b = a.detach().clone().requires_grad_();
  Sgd whole({{"w", a}}, Settings()), first({{"w", b}}, Settings());
  const auto gradient = [](int step) { return at::tensor({0.3f * step, 1.0f / step}); };
  for (int step = 1; step <= 3; ++step) {
    a.mutable_grad() = gradient(step);
    ASSERT_THAT(whole.Step(0.1), IsOk());
  }
  b.mutable_grad() = gradient(1);
  EXPECT_TRUE(first.Momentum().empty());
  ASSERT_THAT(first.Step(0.1), IsOk());
  Sgd second({{"w", b}}, Settings());
  ASSERT_THAT(second.SetMomentum(first.Momentum()), IsOk());
  for (int step = 2; step <= 3; ++step) {
    b.mutable_grad() = gradient(step);
    ASSERT_THAT(second.Step(0.1), IsOk());
  }
  EXPECT_TRUE(at::equal(a, b));
}

TEST(SgdTest, DivergenceIsAnErrorAndTouchesNothing) {
  at::Tensor a = at::ones({2}).requires_grad_();
  Sgd sgd({{"w", a}}, Settings());
  a.mutable_grad() = at::full({2}, std::nan(""));
  EXPECT_THAT(sgd.Step(0.1),
              StatusIs(absl::StatusCode::kInternal, testing::HasSubstr("lower learning rate")));
  EXPECT_TRUE(at::equal(a, at::ones({2})));
}

TEST(SgdTest, MomentumOfAnotherNetworkIsRefused) {
  Sgd sgd({{"w", at::ones({2}).requires_grad_()}}, Settings());
  EXPECT_THAT(sgd.SetMomentum({{"w", at::ones({3})}}),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("[3]")));
  EXPECT_THAT(sgd.SetMomentum({{"w", at::ones({2})}, {"x", at::ones({2})}}),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::HasSubstr("2 momentum")));
}

}  // namespace
}  // namespace op3d
