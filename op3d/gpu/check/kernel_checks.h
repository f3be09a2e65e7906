// Every kernel on the device against the same kernel in a loop on the CPU: equal bits, also at the
// edges.
#ifndef OP3D_GPU_CHECK_KERNEL_CHECKS_H_
#define OP3D_GPU_CHECK_KERNEL_CHECKS_H_

#include <string>

#include "op3d/gpu/check/check_report.h"

namespace op3d::gpu {

// `device`: "cuda", or "cpu" to try the checks themselves.  A kernel that does not run is a failed
// check.
void CheckKernels(const std::string& device, CheckReport* report);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CHECK_KERNEL_CHECKS_H_
