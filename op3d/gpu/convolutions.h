// Convolutions on a GPU: which form, and with which settings of cuDNN.
//
//   SetDeterministic(false);                                     // once, before training
//   const bool clips = RunsAsClips(rows, &shape);                // a 3-D convolution is faster
#ifndef OP3D_GPU_CONVOLUTIONS_H_
#define OP3D_GPU_CONVOLUTIONS_H_

#include <ATen/core/Tensor.h>

#include "op3d/gpu/convolution_choice.h"

namespace op3d::gpu {

// For the whole process.  True: deterministic algorithms, no search for the fastest, and 2-D forms.
// False: cuDNN's search, and forms by measurement.
void SetDeterministic(bool deterministic);

// Whether the convolution of `rows`, which are clips of `shape`, is faster in 3-D.  Always false on the
// CPU.  Fills in shape->type and training.  The first call for a shape takes some milliseconds to seconds;
// results are kept in ConvolutionChoicesPath.  Thread-safe.
bool RunsAsClips(const at::Tensor& rows, ConvolutionShape* shape);

// Seconds of a convolution of noise in one form, with its backward pass if shape.training, on
// `device`: the least of three.  Infinite if it fails.
double MeasureConvolution(const ConvolutionShape& shape, ConvolutionForm form, at::Device device);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CONVOLUTIONS_H_
