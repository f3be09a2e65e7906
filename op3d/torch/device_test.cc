#include "op3d/torch/device.h"

#include <ATen/ops/arange.h>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::HasSubstr;

TEST(DeviceTest, TheCpuIsAlwaysThere) {
  ASSERT_OK_AND_ASSIGN(const std::string cpu, ChooseDevice("cpu"));
  EXPECT_EQ(cpu, "cpu");
  EXPECT_THAT(ChooseDevice("auto"), IsOk());
}

TEST(DeviceTest, WhatIsNotThereIsASentence) {
  EXPECT_THAT(ChooseDevice("gpu"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'gpu'")));
  const absl::StatusOr<std::string> automatic = ChooseDevice("auto");
  if (*automatic == "cuda") GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(ChooseDevice("cuda"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("--device=cpu")));
}

TEST(DeviceTest, NothingIsCopiedToTheCpu) {
  const at::Tensor tensor = at::arange(6.0f);
  EXPECT_EQ(CopyTo(tensor, at::kCPU).data_ptr(), tensor.data_ptr());
  if (*ChooseDevice("auto") == "cpu") return;
  EXPECT_TRUE(CopyTo(tensor, at::kCUDA).cpu().equal(tensor));
}

TEST(DeviceTest, TheLibraryIsThePinnedOne) { EXPECT_THAT(LibTorchVersion(), HasSubstr("2.11.0")); }

}  // namespace
}  // namespace op3d
