// The views of a batch on a device, copied as bytes: a quarter of what floats take, and in a test,
// where views overlap, a tenth; or as decoded pictures (data::PlaneParts).  The rest of the
// transform is done there.
//
//   const DeviceViews views(byte_views, device);
//   const at::Tensor clips = views.Clips(/*first=*/0, /*count=*/10, at::kBFloat16);
//
// The numbers are those of data::MakeClipViews, in every bit (bfloat16 and float16:
// rounded to the nearest).
#ifndef OP3D_GPU_DEVICE_VIEWS_H_
#define OP3D_GPU_DEVICE_VIEWS_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <vector>

#include "data/loader/byte_views.h"
#include "op3d/gpu/view_plan.h"

namespace op3d::gpu {

class DeviceViews {
 public:
  // All views must have the same number of frames and the same size.  The copy to a GPU is from
  // page-locked memory and asynchronous, on the current stream; `views` may change after the call.
  // Throws c10::Error, as LibTorch's operators, also for the errors of ViewPlan::Add.
  DeviceViews(const std::vector<data::ByteViews>& views, at::Device device);

  // The number of all views of all videos.
  int64_t count() const { return plan_.count(); }

  // Views [first, first + count), [count, 3, frames, size, size]: those of the first video, then of
  // the second ...  Throws c10::Error for views that do not exist.
  at::Tensor Clips(int64_t first, int64_t count, at::ScalarType type) const;

 private:
  // Its videos are gone after the constructor; the block has all that Clips() needs.
  ViewPlan plan_;
  at::Tensor block_;
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_DEVICE_VIEWS_H_
