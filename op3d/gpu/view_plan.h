// What kernels/view_kernels.h needs to turn a batch of data::ByteViews into the network's input, as
// one block of bytes to copy to the device.
//
//   ViewPlan plan;
//   for (const data::ByteViews& views : batch) OP3D_RETURN_IF_ERROR(plan.Add(views));
//   plan.Write(here, there);                          // plan.Bytes() bytes; copy them to `there`
//   MakeViews<float> make = {plan.Batch(there, /*first=*/0, plan.count()), luma_sums, out};
//
// The output is that of data::ClipTransform for the same frames, in every bit.
#ifndef OP3D_GPU_VIEW_PLAN_H_
#define OP3D_GPU_VIEW_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "data/loader/byte_views.h"
#include "op3d/gpu/kernels/view_kernels.h"

namespace op3d::gpu {

// Not thread-safe.
class ViewPlan {
 public:
  // Adds all views of a video, which must stay as they are until Write().  InvalidArgument for
  // views of another number of frames or another size than the first ones, and for planes below 10
  // pixels a side; Unimplemented for planes with hue, blur, RandAugment or flow, which only
  // ClipTransform does.  After an error the plan is as before.
  absl::Status Add(const data::ByteViews& video);

  // The number of all views: those of the first video, then of the second ...
  int64_t count() const { return static_cast<int64_t>(views_.size()); }
  int64_t frames() const { return frames_; }
  int size() const { return size_; }
  // True if some view needs ContrastSums.
  bool contrast() const { return contrast_; }

  int64_t Bytes() const;
  // Writes the block to `here`, with pointers for a copy of it at `there`; both are multiples of
  // 16.
  void Write(uint8_t* here, const uint8_t* there) const;
  // Views [first, first + count) of the block at `there`.
  ViewBatch Batch(const void* there, int64_t first, int64_t count) const {
    return {static_cast<const View*>(there) + first, count, frames_, size_};
  }

 private:
  struct Axis {
    int taps = 0;
    size_t first = 0, weights = 0;  // in numbers_
  };
  struct Video {
    const data::ByteViews* views;
    int64_t pixels;   // in bytes from the first video's
    size_t pictures;  // in numbers_
    int planes;       // in planes_; -1 = resized pictures
  };
  struct Planes {
    PlanePictures pictures;                 // without pointers
    int64_t pixels;                         // as a video's
    int64_t luma, chroma;                   // bytes of a picture's Y, and of its U
    size_t position = 0, row_and_mean = 0;  // in numbers_
    size_t first = 0, second = 0;           // in halves_
    Axis columns, rows;
  };
  struct Entry {
    size_t video;
    int64_t clip;
    size_t crop;
  };
  // Where the parts of the block begin.
  struct Places {
    int64_t planes, numbers, halves, pixels;
  };

  absl::Status AddPlanes(const data::PlaneParts& parts);
  Axis AddAxis(const data::Resize::AxisTables& tables);
  size_t AddNumbers(const std::vector<int32_t>& numbers);
  Places places() const;

  int64_t frames_ = 0;
  int size_ = 0;
  bool contrast_ = false;
  int64_t pixel_bytes_ = 0;
  std::vector<Entry> views_;
  std::vector<Video> videos_;
  std::vector<Planes> planes_;
  std::vector<int32_t> numbers_;
  std::vector<int16_t> halves_;
};

}  // namespace op3d::gpu

#endif  // OP3D_GPU_VIEW_PLAN_H_
