#include "op3d/gpu/gpu_probe.h"

#include <functional>
#include <string>
#include <vector>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::gpu {
namespace {

using testing::HasSubstr;

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

TEST(ExplainGpuErrorTest, NamesWhatHappened) {
  EXPECT_THAT(ExplainGpuError("CUDA out of memory. Tried to allocate 2.00 GiB."),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("fit_memory")));
  EXPECT_THAT(ExplainGpuError("CUDA error: unspecified launch failure"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("resume")));
  EXPECT_THAT(ExplainGpuError("CUDA error: CUDA-capable device(s) is/are busy or unavailable"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("another process")));
  EXPECT_THAT(ExplainGpuError("mat1 and mat2 shapes cannot be multiplied"), IsOk());
}

}  // namespace
}  // namespace op3d::gpu
