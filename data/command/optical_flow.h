// Optical flow between the frames of a video, computed by OpenCV.
//
//   OP3D_ASSIGN_OR_RETURN(const OpticalFlow flow, OpticalFlow::Load("dis"));
//   FlowField field;
//   OP3D_RETURN_IF_ERROR(flow.Compute(GreyOf(first), GreyOf(second), &field));
//   EncodeFlow(field, /*bound=*/20, &x, &y);                 // two grey pictures
//
// OpenCV is in a shared library that is loaded at run time: no program links it, and a build
// without it lacks only this command.
#ifndef OP3D_DATA_COMMAND_OPTICAL_FLOW_H_
#define OP3D_DATA_COMMAND_OPTICAL_FLOW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/video/image/image.h"

namespace op3d::data {

struct GreyImage {
  // In pixels.
  int width = 0;
  int height = 0;
  // [height, width], rows tightly packed.
  std::vector<uint8_t> pixels;
};

// The brightness, 0.299 red + 0.587 green + 0.114 blue.
GreyImage GreyOf(const RgbImage& image);

struct FlowField {
  // In pixels.
  int width = 0;
  int height = 0;
  // [height, width, 2]: how far each pixel of the first picture moves right and down until the
  // second one, in pixels.
  std::vector<float> moves;
};

// Thread-safe.  Each call uses one thread and gives the same bits every time on one machine.
class OpticalFlow {
 public:
  // "dis" (dense inverse search, OpenCV's medium preset) or "farneback" (OpenCV's defaults).
  // InvalidArgument for another; Unimplemented when this build has no OpenCV: says what to install.
  static absl::StatusOr<OpticalFlow> Load(const std::string& method);

  const std::string& method() const { return method_; }

  // From `first` to `second`, which have the same size.  InvalidArgument: different sizes, or
  // pictures too small for the method (less than 16 pixels on a side).  Internal: an OpenCV error.
  absl::Status Compute(const GreyImage& first, const GreyImage& second, FlowField* field) const;

 private:
  using Function = int (*)(const char*, const uint8_t*, const uint8_t*, int, int, float*, char*,
                           int);
  OpticalFlow(std::string method, Function function)
      : method_(std::move(method)), function_(function) {}
  std::string method_;
  Function function_;
};

// As grey pictures: -bound becomes 0, no motion 128, bound 255; larger motions are clipped.
// `bound` in pixels, above 0.
void EncodeFlow(const FlowField& field, double bound, GreyImage* x, GreyImage* y);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_OPTICAL_FLOW_H_
