// Whether two tensors have the same bits, and if not, how many numbers differ and which is the
// first.
//
//   report.Same("sum of rows", BitDifference(on_device, on_cpu));
//   // "3 of 4096 numbers differ, the first is number 17: 0.25 instead of 0.125; by at most 0.125"
#ifndef OP3D_GPU_CHECK_BIT_DIFFERENCE_H_
#define OP3D_GPU_CHECK_BIT_DIFFERENCE_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace op3d::gpu {

// Empty for equal bits: not a number equals itself, 0 and -0 differ.  Throws c10::Error, as
// LibTorch's operators.
std::string BitDifference(const at::Tensor& device, const at::Tensor& cpu);

struct NamedPair {
  std::string name;
  at::Tensor device, cpu;
};

// Of all the pairs, each difference with its name; undefined tensors equal each other alone.
std::string BitDifferences(const std::vector<NamedPair>& pairs);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CHECK_BIT_DIFFERENCE_H_
