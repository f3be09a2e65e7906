// For any bytes the result must be tensors inside them, or a status.
#include <cstdint>
#include <string>

#include "op3d/base/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes = size == 0 ? "" : std::string(reinterpret_cast<const char*>(data), size);
  const auto file = op3d::Safetensors::Parse(bytes, "input");
  if (!file.ok()) return 0;
  size_t sum = 0;
  for (const op3d::TensorView& tensor : file->tensors()) {
    for (const char byte : tensor.data) sum += static_cast<uint8_t>(byte);
  }
  // The parsed tensors can be written, and read again.
  const auto written = op3d::SerializeSafetensors(file->tensors(), file->metadata());
  if (!written.ok() || !op3d::Safetensors::Parse(*written, "again").ok()) __builtin_trap();
  // The sum prevents the compiler from removing the reads.
  return sum == SIZE_MAX ? 1 : 0;
}
