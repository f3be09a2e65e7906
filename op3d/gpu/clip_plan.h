// The tables that kernels/clip_kernels.h needs to turn a batch of decoded clips into the network's
// input, as one block of bytes to copy to the device.
//
//   ClipBatchPlan plan(/*frames=*/16, /*size=*/224);
//   OP3D_RETURN_IF_ERROR(plan.AddTraining(picture, draw, settings));      // one call a clip
//   // copy all planes to `planes` and plan.Bytes(tables, planes) to `tables` on the device
//   ClipBatch batch = plan.Batch(tables);
//
// The output is what data::ClipTransform makes of the same frames, to the byte before normalising.
#ifndef OP3D_GPU_CLIP_PLAN_H_
#define OP3D_GPU_CLIP_PLAN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "data/transform/clip_transform.h"
#include "op3d/gpu/kernels/clip_kernels.h"

namespace op3d::gpu {

// How the frames of a clip lie in memory: frame after frame, each Y [height, width], then U and V
// with both sides halved and rounded up, all tightly packed.
struct PlanarPicture {
  int width = 0;
  int height = 0;
  // As in data::YuvToRgb::Make.
  std::array<int, 4> matrix = {};
  bool full_range = false;

  int64_t ChromaBytes() const { return int64_t{(width + 1) / 2} * ((height + 1) / 2); }
  int64_t FrameBytes() const { return int64_t{width} * height + 2 * ChromaBytes(); }
};

// Not thread-safe.
class ClipBatchPlan {
 public:
  // `frames` of every clip, and the side of the output in pixels; both at least 1.
  ClipBatchPlan(int frames, int size) : frames_(frames), size_(size) {}

  // A training clip.  InvalidArgument as ClipTransform::ForTraining, for pictures below 10 pixels a
  // side, and for another crop size than this one's; Unimplemented for hue, blur and RandAugment, which
  // ClipTransform does.
  absl::Status AddTraining(const PlanarPicture& picture, const data::TrainDraw& draw,
                           const TransformSettings& settings);

  // The crop `place` of a picture whose short side becomes `short_side` pixels.
  absl::Status AddEvaluation(const PlanarPicture& picture, int short_side, data::CropPlace place);

  int64_t clips() const { return static_cast<int64_t>(clips_.size()); }
  // True if some clip needs ContrastSums.
  bool contrast() const { return contrast_; }
  // Of all clips' planes, one clip after another in the order of the calls.
  int64_t PlaneBytes() const { return plane_bytes_; }

  // The plans and tables, with pointers for copies at `tables` (a multiple of 16) and `planes`.
  // Always of the size TableBytes().
  std::vector<uint8_t> Bytes(const void* tables, const uint8_t* planes) const;
  int64_t TableBytes() const;
  ClipBatch Batch(const void* tables) const {
    return {static_cast<const ClipPlan*>(tables), clips(), frames_, size_};
  }

 private:
  struct Axis {
    int taps;
    size_t first, weights;  // in numbers_
  };
  struct Clip {
    ClipPlan plan;  // without pointers
    PlanarPicture picture;
    int64_t planes;                 // in bytes from the first clip's
    size_t position, row_and_mean;  // in numbers_
    size_t first, second;           // in halves_
    Axis columns, rows;
  };

  // `window` of `source` resized to `width` x `height` becomes the output.
  absl::Status Add(const PlanarPicture& picture, const data::Box& source, int width, int height,
                   const data::Box& window, const ClipPlan& plan);
  Axis AddAxis(const std::vector<int>& first, const std::vector<int32_t>& weights, int taps,
               int start);
  size_t AddNumbers(const std::vector<int32_t>& numbers);

  int frames_;
  int size_;
  bool contrast_ = false;
  int64_t plane_bytes_ = 0;
  std::vector<Clip> clips_;
  std::vector<int32_t> numbers_;
  std::vector<int16_t> halves_;
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CLIP_PLAN_H_
