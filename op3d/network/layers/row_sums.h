// Sums of feature maps in one pass over memory.
#ifndef OP3D_NETWORK_LAYERS_ROW_SUMS_H_
#define OP3D_NETWORK_LAYERS_ROW_SUMS_H_

#include <ATen/core/Tensor.h>

namespace op3d {

// The function after a sum or a normalisation.
enum class Activation { kNone, kRelu };

// output = activation(a + b + p), elementwise, summed in this order.  `a` and `b` are [rows, C] of
// one type, `b` may be undefined; `per_clip` is [clips, C] of any type, may be undefined, and each
// of its rows is added to rows / clips rows of the sum.  `*output` is `a` itself (computed in
// place), or undefined (it becomes a new tensor).  Records no gradients.
void SumRows(const at::Tensor& a, const at::Tensor& b, const at::Tensor& per_clip,
             Activation activation, at::Tensor* output);

}  // namespace op3d

#endif  // OP3D_NETWORK_LAYERS_ROW_SUMS_H_
