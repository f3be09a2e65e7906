// Which form of a convolution is faster on a GPU, measured once for each shape and kept in a file.
//
//   ConvolutionChoices choices("NVIDIA H200", "/home/me/.cache/op3d/convolutions_NVIDIA_H200.json");
//   if (choices.Choose(shape, measure) == ConvolutionForm::kClips) { ... }
//
// A 1xKxK convolution is a 2-D one on images or a 3-D one on clips, a Kx1x1 convolution a 2-D one on
// sequences or a 3-D one; cuDNN has other kernels for each.  Without LibTorch.
#ifndef OP3D_GPU_CONVOLUTION_CHOICE_H_
#define OP3D_GPU_CONVOLUTION_CHOICE_H_

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "absl/functional/function_ref.h"

namespace op3d::gpu {

enum class ConvolutionForm { kImages, kClips };

struct ConvolutionShape {
  // Clips, T, H, W, channels.
  std::array<int64_t, 5> input = {};
  int64_t out_channels = 0;
  std::array<int64_t, 3> kernel = {}, stride = {}, padding = {};
  int64_t groups = 1;
  // "fp32", "tf32", "bf16", "fp16".
  std::string type;
  // With its backward pass.
  bool training = false;

  // "8x16x56x56x64 64 1x3x3 1x1x1 0x1x1 1 bf16 training"
  std::string Key() const;
};

// Thread-safe.
class ConvolutionChoices {
 public:
  // Reads the choices for `device` from `path`; empty: none are kept.  A file that is missing, damaged
  // or of another device is like an empty one.
  ConvolutionChoices(const std::string& device, const std::string& path);

  // A choice that depends on a measurement may differ from run to run: kImages always, nothing is measured.
  void SetDeterministic(bool deterministic);

  // The known choice; for a new shape `seconds` is called with both forms, the faster one is
  // kept and written to the file (a failure to write changes nothing).  A form that cannot run
  // takes infinitely long.  If one is NaN, which means that it could not be measured now, or both are
  // infinite, this process uses kImages and the file stays as it is.
  ConvolutionForm Choose(const ConvolutionShape& shape,
                         absl::FunctionRef<double(ConvolutionForm)> seconds);

 private:
  struct Measured {
    double images_seconds, clips_seconds;
  };
  void Read();
  void Write() const;

  const std::string device_;
  const std::string path_;
  std::mutex mutex_;
  bool deterministic_ = false;
  std::map<std::string, Measured> known_;
  std::set<std::string> unknown_;
};

// The file for a device: in $OP3D_GPU_CACHE, else in $XDG_CACHE_HOME/op3d, else in ~/.cache/op3d;
// empty if there is none of them.
std::string ConvolutionChoicesPath(const std::string& device);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CONVOLUTION_CHOICE_H_
