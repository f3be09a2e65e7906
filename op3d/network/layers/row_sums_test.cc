#include "op3d/network/layers/row_sums.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace op3d {
namespace {

TEST(RowSumsTest, IsTheSumInPlainWords) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf}) {
    for (const bool with_b : {false, true}) {
      for (const bool with_p : {false, true}) {
        for (const Activation activation : {Activation::kNone, Activation::kRelu}) {
          const at::Tensor a = at::randn({12, 37}).to(type), b = at::randn({12, 37}).to(type);
          const at::Tensor p = at::randn({3, 37}).to(type);
          at::Tensor expected = a;
          if (with_b) expected = expected + b;
          if (with_p) expected = expected + p.repeat_interleave(4, 0);
          if (activation == Activation::kRelu) expected = expected.relu();
          at::Tensor fresh;
          SumRows(a, with_b ? b : at::Tensor(), with_p ? p : at::Tensor(), activation, &fresh);
          EXPECT_TRUE(at::equal(fresh, expected));
          EXPECT_FALSE(fresh.is_alias_of(a));
          at::Tensor own = a;
          SumRows(a, with_b ? b : at::Tensor(), with_p ? p : at::Tensor(), activation, &own);
          EXPECT_TRUE(at::equal(a, expected));
        }
      }
    }
  }
}

TEST(RowSumsTest, IsTheSameForAnyNumberOfThreads) {
  const at::Tensor a = at::randn({4 * 5000, 37}), b = at::randn({4 * 5000, 37});
  const at::Tensor p = at::randn({4, 37});
  const int threads = at::get_num_threads();
  at::Tensor one, three;
  at::set_num_threads(1);
  SumRows(a, b, p, Activation::kRelu, &one);
  at::set_num_threads(3);
  SumRows(a, b, p, Activation::kRelu, &three);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(one, three));
}

TEST(RowSumsTest, KeepsNaNs) {
  const at::Tensor a = at::randn({2, 3});
  a[1][2] = std::numeric_limits<float>::quiet_NaN();
  at::Tensor sum;
  SumRows(a, a, {}, Activation::kRelu, &sum);
  EXPECT_TRUE(sum[1][2].isnan().item<bool>());
  EXPECT_FALSE(sum[1][1].isnan().item<bool>());
}

}  // namespace
}  // namespace op3d
