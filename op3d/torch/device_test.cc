#include "op3d/torch/device.h"

#include <ATen/ops/arange.h>
#include <c10/util/Exception.h>

#include <csignal>
#include <exception>
#include <string>

#include "op3d/base/testing/status_matchers.h"
#include "op3d/gpu/gpu_probe.h"

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

TEST(DeviceTest, AllProcessesMayUseTheCpu) { EXPECT_EQ(*ChooseDevice("cpu", 4, 3), "cpu"); }

TEST(DeviceTest, NothingIsCopiedToTheCpu) {
  const at::Tensor tensor = at::arange(6.0f);
  EXPECT_EQ(CopyTo(tensor, at::kCPU).data_ptr(), tensor.data_ptr());
  if (*ChooseDevice("auto") == "cpu") return;
  EXPECT_TRUE(CopyTo(tensor, at::kCUDA).cpu().equal(tensor));
}

TEST(UncaughtErrorDeathTest, ALostGpuIsASentence) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const auto end_by = [](const char* message) {
    ExplainUncaughtErrors();
    ExplainUncaughtErrors();
    try {
      TORCH_CHECK(false, message);
    } catch (...) {
      std::terminate();
    }
  };
  constexpr char kLost[] = "CUDA error: an illegal memory access was encountered";
  constexpr char kSentence[] = "device_test: the GPU stopped in the middle: CUDA error";
  EXPECT_EXIT(end_by(kLost), testing::ExitedWithCode(1), kSentence);
  EXPECT_EXIT(end_by("another error"), testing::KilledBySignal(SIGABRT), "");
  // A destructor that throws may end the process without telling why.
  const auto end_later = [&] {
    ExplainUncaughtErrors();
    gpu::ExplainGpuError(kLost).IgnoreError();
    std::terminate();
  };
  EXPECT_EXIT(end_later(), testing::ExitedWithCode(1), kSentence);
}

TEST(DeviceTest, TheLibraryIsThePinnedOne) { EXPECT_THAT(LibTorchVersion(), HasSubstr("2.11.0")); }

}  // namespace
}  // namespace op3d
