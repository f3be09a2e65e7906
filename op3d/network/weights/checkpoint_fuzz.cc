// For any bytes the result must be a checkpoint or a status.
#include <cstdint>
#include <string>

#include "op3d/network/weights/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes = size == 0 ? "" : std::string(reinterpret_cast<const char*>(data), size);
  const auto checkpoint = op3d::Checkpoint::Parse(bytes, "input");
  if (!checkpoint.ok()) return 0;
  size_t sum = 0;
  for (const op3d::TensorView& tensor : checkpoint->Weights()) {
    for (const char byte : tensor.data) sum += static_cast<uint8_t>(byte);
  }
  // Every byte of every view was read; the sum prevents the compiler from removing that.
  return sum == SIZE_MAX ? 1 : 0;
}
