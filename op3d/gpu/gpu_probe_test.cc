#include "op3d/gpu/gpu_probe.h"

#include <functional>
#include <string>
#include <vector>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::gpu {
namespace {

using testing::HasSubstr;
using testing::Not;

GpuFacts H200() {
  GpuFacts facts;
  facts.built_with_cuda = true;
  facts.driver = facts.runtime = 13000;
  facts.devices = 1;
  facts.name = "NVIDIA H200";
  facts.major = 9;
  return facts;
}

TEST(CheckGpuTest, AUsableGpuIsFine) {
  EXPECT_THAT(CheckGpu(H200()), IsOk());
  GpuFacts newer = H200();
  newer.driver = 13020;
  newer.visible_devices = "3";
  EXPECT_THAT(CheckGpu(newer), IsOk());
  GpuFacts oldest = H200();
  oldest.name = "Tesla T4", oldest.major = 7, oldest.minor = 5;
  EXPECT_THAT(CheckGpu(oldest), IsOk());
}

TEST(CheckGpuTest, EveryReasonHasItsSentenceAndARemedy) {
  struct Case {
    std::function<void(GpuFacts*)> change;
    std::string text;
  };
  const std::vector<Case> cases = {
      {[](GpuFacts* f) { *f = GpuFacts(); }, "without --config=cuda"},
      {[](GpuFacts* f) { f->driver = f->devices = 0; }, "no NVIDIA driver"},
      {[](GpuFacts* f) { f->driver = 12040; }, "supports CUDA 12.4, this program needs 13.0"},
      {[](GpuFacts* f) { f->devices = 0, f->visible_devices = ""; },
       "CUDA_VISIBLE_DEVICES is '', which hides every GPU"},
      {[](GpuFacts* f) { f->devices = 0, f->visible_devices = "-1"; }, "hides every GPU"},
      {[](GpuFacts* f) { f->devices = 0, f->visible_devices = "7"; },
       "among CUDA_VISIBLE_DEVICES='7'"},
      {[](GpuFacts* f) { f->devices = 0, f->error = "no CUDA-capable device is detected"; },
       "no GPU (no CUDA-capable device is detected)"},
      {[](GpuFacts* f) { f->name = "Tesla V100", f->major = 7; },
       "no code for 'Tesla V100' of compute capability 7.0"},
  };
  for (const Case& c : cases) {
    GpuFacts facts = H200();
    c.change(&facts);
    EXPECT_THAT(CheckGpu(facts),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(c.text)));
    EXPECT_THAT(std::string(CheckGpu(facts).message()), HasSubstr("or use --device=cpu"));
  }
}

TEST(GpuOfRankTest, IsItsNumberOrTheOnlyOne) {
  EXPECT_EQ(*GpuOfRank(3, 8), 3);
  EXPECT_EQ(*GpuOfRank(1, 1), 0);
  EXPECT_EQ(GpuNumber("cuda:2"), 2);
  EXPECT_EQ(GpuNumber("cuda"), 0);
  EXPECT_EQ(GpuNumber("cpu"), 0);
  EXPECT_THAT(GpuOfRank(4, 4), StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("at most one process per GPU")));
}

TEST(ExplainGpuErrorTest, NamesWhatHappened) {
  EXPECT_THAT(ExplainGpuError("CUDA out of memory. Tried to allocate 2.00 GiB."),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("fit_memory")));
  EXPECT_THAT(ExplainGpuError("CUDA error: unspecified launch failure"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("resume")));
  EXPECT_THAT(ExplainGpuError("CUDA error: CUDA-capable device(s) is/are busy or unavailable"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("another process")));
  // The lines that LibTorch adds to every error of CUDA name other ones.
  const std::string advice =
      "\nCUDA kernel errors might be asynchronously reported at some other API call, so the "
      "stacktrace below might be incorrect.\nCompile with `TORCH_USE_CUDA_DSA` to enable "
      "device-side assertions.\n";
  EXPECT_THAT(ExplainGpuError("CUDA error: invalid device ordinal" + advice), IsOk());
  for (const char* lost :
       {"CUDA error: an illegal memory access was encountered",
        "CUDA error: misaligned address (when op3d started a kernel)",
        "CUDA error: device-side assert triggered",
        "CUDA error: uncorrectable ECC error encountered",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx(...)`"}) {
    const absl::Status status = ExplainGpuError(lost + advice);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("resume"))) << lost;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("assertions")));
  }
  for (const char* full :
       {"cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "FIND was unable to find an engine to execute this computation"}) {
    EXPECT_THAT(ExplainGpuError(full),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("fit_memory")))
        << full;
  }
  EXPECT_THAT(
      ExplainGpuError("NCCL error in: NCCLUtils.cpp:93, invalid usage\nLast error:\n"
                      "Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 4000"),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("same GPU")));
  EXPECT_THAT(ExplainGpuError("mat1 and mat2 shapes cannot be multiplied"), IsOk());
}

}  // namespace
}  // namespace op3d::gpu
