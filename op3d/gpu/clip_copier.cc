#include "op3d/gpu/clip_copier.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace op3d::gpu {

ClipCopier::ClipCopier(at::Device device) : device_(device) {
  if (!device_.is_cuda()) return;
  const c10::impl::VirtualGuardImpl impl(device_.type());
  if (!device_.has_index()) device_ = impl.getDevice();
  stream_ = impl.getStreamFromGlobalPool(device_);
}

void ClipCopier::Start(const at::Tensor& clips) {
  TORCH_CHECK(started_ - taken_ < 2, "two copies of clips were started and not taken");
  Slot& slot = slots_[started_++ % 2];
  const bool fits = slot.device.defined() && slot.device.sizes() == clips.sizes() &&
                    slot.device.scalar_type() == clips.scalar_type();
  if (!stream_.has_value()) {
    if (!fits) slot.device = at::empty_like(clips);
    slot.device.copy_(clips);
    return;
  }
  if (slot.copied.has_value()) slot.copied->synchronize();
  if (!fits) {
    slot.pinned = at::empty(clips.sizes(), clips.options().pinned_memory(true));
    slot.device = at::empty(clips.sizes(), clips.options().device(device_));
    // If it is freed while a copy runs, the allocator waits for the copy.
    slot.device.record_stream(*stream_);
  }
  const bool taken_last = taken_ > 0 && taken_ == started_ - 2;
  if (!fits || taken_last) {
    // The current stream's work so far may use the memory: earlier work because it is the allocator's, or
    // the computation on the clips that were taken from this slot last.
    slot.released.emplace(device_.type());
    slot.released->record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
  }
  slot.pinned.copy_(clips);
  if (slot.released.has_value()) slot.released->block(*stream_);
  {
    const c10::StreamGuard guard(*stream_);
    slot.device.copy_(slot.pinned, /*non_blocking=*/true);
  }
  slot.copied.emplace(device_.type());
  slot.copied->record(*stream_);
}

at::Tensor ClipCopier::Take() {
  TORCH_CHECK(taken_ < started_, "no copy of clips was started");
  Slot& slot = slots_[taken_ % 2];
  if (stream_.has_value()) {
    const c10::Stream current = c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
    if (taken_ > 0) {
      // What was started so far is all that uses the other buffer.
      Slot& other = slots_[(taken_ - 1) % 2];
      other.released.emplace(device_.type());
      other.released->record(current);
    }
    slot.copied->block(current);
  }
  ++taken_;
  return slot.device;
}

}  // namespace op3d::gpu
