// What the CUDA runtime says about the machine's GPUs, without LibTorch.
//
// Only for --config=cuda.  Never fails: what cannot be found stays at its default.  Uses no memory of a
// GPU.  Thread-safe.
#ifndef OP3D_GPU_KERNELS_DEVICE_FACTS_H_
#define OP3D_GPU_KERNELS_DEVICE_FACTS_H_

#include <cstdint>

namespace op3d::gpu {

struct DeviceFacts {
  // 13000 for CUDA 13.0: the newest that the driver supports (0 = no driver), and the one that this
  // program was built with.
  int driver = 0;
  int runtime = 0;
  // The runtime's error, 0 = none, and its sentence.
  int error = 0;
  const char* error_text = "";
  int devices = 0;
  // Of the first device.
  char name[256] = {};
  int major = 0, minor = 0;
  int64_t total_bytes = 0;
};

DeviceFacts ReadDeviceFacts();

}  // namespace op3d::gpu

#endif  // OP3D_GPU_KERNELS_DEVICE_FACTS_H_
