#include "op3d/gpu/device_views.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <cstring>

#include "op3d/gpu/kernel_runner.h"
#include "op3d/gpu/kernels/clip_kernels.h"

namespace op3d::gpu {
namespace {

int64_t ViewsOf(const data::ByteViews& views) {
  if (views.frames < 1) return 0;
  return static_cast<int64_t>(views.pictures.size()) / views.frames *
         static_cast<int64_t>(views.crops.size());
}

int64_t Rounded(size_t bytes) { return (static_cast<int64_t>(bytes) + 15) / 16 * 16; }

template <typename T>
NormaliseBytes<T> Kernel(const at::Tensor& block, int64_t first, int64_t frames, int32_t size,
                         const at::Tensor& out) {
  return {static_cast<const ByteView*>(block.const_data_ptr()) + first, out.size(0), frames, size,
          static_cast<T*>(out.data_ptr())};
}

}  // namespace

DeviceViews::DeviceViews(const std::vector<data::ByteViews>& views, at::Device device) {
  int64_t bytes = 0;
  for (const data::ByteViews& video : views) {
    const int64_t count = ViewsOf(video);
    if (count == 0) continue;
    if (count_ == 0) {
      frames_ = video.frames;
      size_ = video.crops[0].width;
    }
    for (const data::Box& crop : video.crops) {
      TORCH_CHECK(video.frames == frames_ && crop.width == size_ && crop.height == size_,
                  "views of ", video.frames, "x", crop.height, "x", crop.width, " among those of ",
                  frames_, "x", size_, "x", size_);
    }
    count_ += count;
    bytes += Rounded(video.pixels.size()) + Rounded(video.pictures.size() * sizeof(int32_t));
  }
  int64_t offset = Rounded(static_cast<size_t>(count_) * sizeof(ByteView));
  bytes += offset;
  const at::TensorOptions kind = at::TensorOptions(at::kByte);
  block_ = at::empty({bytes}, kind.device(device));
  // The allocator keeps a pinned block until the copies from it are finished.
  const at::Tensor staging =
      device.is_cpu() ? block_ : at::empty({bytes}, kind.pinned_memory(device.is_cuda()));
  auto* const here = static_cast<uint8_t*>(staging.data_ptr());
  const auto* const there = static_cast<const uint8_t*>(block_.const_data_ptr());
  int64_t view = 0;
  for (const data::ByteViews& video : views) {
    const int64_t count = ViewsOf(video);
    if (count == 0) continue;
    const uint8_t* const pixels = there + offset;
    std::memcpy(here + offset, video.pixels.data(), video.pixels.size());
    offset += Rounded(video.pixels.size());
    const auto* const pictures = reinterpret_cast<const int32_t*>(there + offset);
    const size_t table = video.pictures.size() * sizeof(int32_t);
    std::memcpy(here + offset, video.pictures.data(), table);
    offset += Rounded(table);
    const auto crops = static_cast<int64_t>(video.crops.size());
    for (int64_t i = 0; i < count; ++i) {
      const data::Box& crop = video.crops[static_cast<size_t>(i % crops)];
      const ByteView entry = {pixels,
                              pictures + i / crops * frames_,
                              video.width,
                              video.height,
                              crop.left,
                              crop.top,
                              video.mirror ? 1 : 0,
                              video.content == data::FrameContent::kFlow ? 1 : 0};
      std::memcpy(here + view++ * static_cast<int64_t>(sizeof(ByteView)), &entry, sizeof(entry));
    }
  }
  if (!device.is_cpu()) block_.copy_(staging, /*non_blocking=*/true);
}

at::Tensor DeviceViews::Clips(int64_t first, int64_t count, at::ScalarType type) const {
  TORCH_CHECK(first >= 0 && count >= 0 && first + count <= count_, "views ", first, " to ",
              first + count, " of ", count_);
  const bool half = type == at::kBFloat16;
  const at::Tensor out = at::empty({count, 3, frames_, size_, size_},
                                   block_.options().dtype(half ? type : at::kFloat));
  if (half) {
    RunPoints(Kernel<Bf16>(block_, first, frames_, size_, out), block_.device());
  } else {
    RunPoints(Kernel<float>(block_, first, frames_, size_, out), block_.device());
  }
  return out.to(type);
}

}  // namespace op3d::gpu
