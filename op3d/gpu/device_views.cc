#include "op3d/gpu/device_views.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <type_traits>

#include "op3d/gpu/kernel_runner.h"
#include "op3d/gpu/kernels/view_kernels.h"

namespace op3d::gpu {

DeviceViews::DeviceViews(const std::vector<data::ByteViews>& views, at::Device device) {
  for (const data::ByteViews& video : views) {
    const absl::Status added = plan_.Add(video);
    TORCH_CHECK(added.ok(), std::string(added.message()));
  }
  const at::TensorOptions kind = at::TensorOptions(at::kByte);
  block_ = at::empty({plan_.Bytes()}, kind.device(device));
  // The allocator keeps a pinned block until the copies from it are finished.
  const at::Tensor staging =
      device.is_cpu() ? block_ : at::empty({plan_.Bytes()}, kind.pinned_memory(device.is_cuda()));
  plan_.Write(static_cast<uint8_t*>(staging.data_ptr()),
              static_cast<const uint8_t*>(block_.const_data_ptr()));
  if (!device.is_cpu()) block_.copy_(staging, /*non_blocking=*/true);
}

at::Tensor DeviceViews::Clips(int64_t first, int64_t count, at::ScalarType type) const {
  TORCH_CHECK(first >= 0 && count >= 0 && first + count <= plan_.count(), "views ", first, " to ",
              first + count, " of ", plan_.count());
  const ViewBatch batch = plan_.Batch(block_.const_data_ptr(), first, count);
  at::Tensor sums;
  const int64_t* luma_sums = nullptr;
  if (plan_.contrast()) {
    sums = at::empty({count * batch.frames}, block_.options().dtype(at::kLong));
    RunTiles(ContrastSums{batch, sums.data_ptr<int64_t>()}, block_.device());
    luma_sums = sums.const_data_ptr<int64_t>();
  }
  const bool own = type == at::kBFloat16 || type == at::kHalf;
  const at::Tensor out = at::empty({count, 3, batch.frames, batch.size, batch.size},
                                   block_.options().dtype(own ? type : at::kFloat));
  const auto make = [&](auto* to) {
    using T = std::remove_pointer_t<decltype(to)>;
    RunPoints(MakeViews<T>{batch, luma_sums, to}, block_.device());
  };
  if (type == at::kBFloat16) {
    make(static_cast<Bf16*>(out.data_ptr()));
  } else if (type == at::kHalf) {
    make(static_cast<Fp16*>(out.data_ptr()));
  } else {
    make(out.data_ptr<float>());
  }
  return out.to(type);
}

}  // namespace op3d::gpu
