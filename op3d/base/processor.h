// The processor of this machine, as Linux names it.
//
//   const Processor processor = ParseCpuinfo(ReadFile("/proc/cpuinfo").value_or(""));
//   processor.model_name;                       // "AMD EPYC 9654 96-Core Processor"
//   if (!processor.Has("avx2")) return absl::UnimplementedError("this program needs AVX2");
#ifndef OP3D_BASE_PROCESSOR_H_
#define OP3D_BASE_PROCESSOR_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace op3d {

// Unknown values are empty or -1.
struct Processor {
  // "AuthenticAMD", "GenuineIntel".
  std::string vendor;
  // A virtual machine may give only a part of the name; then the numbers below identify the model.
  std::string model_name;
  int family = -1;
  int model = -1;
  int stepping = -1;
  // All flags, in the order of the file.
  std::vector<std::string> flags;

  bool Has(absl::string_view flag) const;

  // "AMD EPYC (AuthenticAMD, family 25, model 17, stepping 1)"; "" if nothing is known.
  std::string Description() const;

  // Those of `flags` that decide which kernels run: for vectors (sse4_2, avx, avx2, avx512f, ...),
  // matrices (amx_tile, ...) and fused products (fma).
  std::vector<std::string> ArithmeticFlags() const;
};

// The first processor in the text of /proc/cpuinfo; an empty one if there is none.
Processor ParseCpuinfo(absl::string_view cpuinfo);

}  // namespace op3d

#endif  // OP3D_BASE_PROCESSOR_H_
