// Copies clips to a GPU while it computes: two page-locked buffers, two buffers on the device, and a
// stream of their own.
//
//   ClipCopier copier(device);
//   copier.Start(first);
//   while (more) {
//     const at::Tensor clips = copier.Take();     // waits on the device, not on the host
//     Use(clips);                                 // starts the computation
//     copier.Start(next);                         // is copied meanwhile
//   }
//
// On the CPU it copies at once.  Not thread-safe.
#ifndef OP3D_GPU_CLIP_COPIER_H_
#define OP3D_GPU_CLIP_COPIER_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <array>
#include <cstdint>
#include <optional>

namespace op3d::gpu {

class ClipCopier {
 public:
  explicit ClipCopier(at::Device device);

  // Begins to copy `clips`, which are on the CPU and may change after the call.  Throws c10::Error if
  // two copies were started and not taken.
  void Start(const at::Tensor& clips);

  // The copy that was started first.  Its memory is overwritten by the Start of the copy after the next one,
  // after the computations that were started on the current stream before the next Take or, without one,
  // before that Start.  Throws c10::Error if none was started.
  at::Tensor Take();

 private:
  struct Slot {
    at::Tensor pinned, device;
    std::optional<c10::Event> copied, released;
  };

  at::Device device_;
  std::optional<c10::Stream> stream_;
  std::array<Slot, 2> slots_;
  int64_t started_ = 0, taken_ = 0;
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CLIP_COPIER_H_
