// Clips of noise as the loader gives them to a GPU: the bytes of resized pictures, or the planes of
// decoded ones.
//
//   OP3D_ASSIGN_OR_RETURN(const auto views,
//                         PlaneSamples(/*clips=*/32, /*frames=*/16, /*side=*/224, device));
//   const at::Tensor clips = DeviceViews(views, device).Clips(0, 32, at::kFloat);
#ifndef OP3D_GPU_CHECK_VIEW_SAMPLES_H_
#define OP3D_GPU_CHECK_VIEW_SAMPLES_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "data/loader/byte_views.h"

namespace op3d::gpu {

// One view of `frames` pictures of `side` x `side` for each clip; the noise is drawn on `device`.
std::vector<data::ByteViews> ByteSamples(int clips, int frames, int side, at::Device device);

// The same from pictures of 340x256, with a training's random crops, colour jitter and flips.
absl::StatusOr<std::vector<data::ByteViews>> PlaneSamples(int clips, int frames, int side,
                                                          at::Device device);

// Of all pixels.
int64_t PixelBytes(const std::vector<data::ByteViews>& views);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CHECK_VIEW_SAMPLES_H_
