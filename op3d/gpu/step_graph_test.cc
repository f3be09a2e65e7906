#include "op3d/gpu/step_graph.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace op3d::gpu {
namespace {

TEST(StepGraphTest, OnTheCpuEveryRunIsAPlainOne) {
  int runs = 0;
  StepGraph graph(at::kCPU, [&runs] { ++runs; });
  for (int i = 0; i < 6; ++i) graph.Run();
  EXPECT_EQ(runs, 6);
  EXPECT_FALSE(graph.recorded());
  EXPECT_EQ(graph.failure(), "");
}

TEST(StepGraphTest, TheStepsExceptionsPassThrough) {
  StepGraph graph(at::kCPU, [] { throw std::runtime_error("the step"); });
  EXPECT_THROW(graph.Run(), std::runtime_error);
}

}  // namespace
}  // namespace op3d::gpu
