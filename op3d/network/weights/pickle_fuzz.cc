// Fuzzes pickles directly, without a container.
#include <cstdint>
#include <string>

#include "op3d/network/weights/pickle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes = size == 0 ? "" : std::string(reinterpret_cast<const char*>(data), size);
  op3d::Pickle::Parse(bytes).status().IgnoreError();
  return 0;
}
