#include <cuda_runtime.h>

#include <cstring>

#include "op3d/gpu/kernels/device_facts.h"

namespace op3d::gpu {
DeviceFacts ReadDeviceFacts() {
  DeviceFacts facts;
  cudaDriverGetVersion(&facts.driver);
  cudaRuntimeGetVersion(&facts.runtime);
  cudaError_t error = cudaGetDeviceCount(&facts.devices);
  cudaDeviceProp properties = {};
  if (error == cudaSuccess && facts.devices > 0) {
    error = cudaGetDeviceProperties(&properties, 0);
    std::strncpy(facts.name, properties.name, sizeof(facts.name) - 1);
    facts.major = properties.major;
    facts.minor = properties.minor;
    facts.total_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  }
  if (error != cudaSuccess) {
    facts.error = static_cast<int>(error);
    facts.error_text = cudaGetErrorString(error);
    facts.devices = 0;
    cudaGetLastError();  // forgets the error
  }
  return facts;
}

}  // namespace op3d::gpu
