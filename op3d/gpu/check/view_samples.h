// Clips of noise as the loader gives them to a GPU: the bytes of resized pictures, or the planes of
// decoded ones.
//
//   OP3D_ASSIGN_OR_RETURN(const data::ByteViews views,
//                         PlaneSample(/*number=*/0, 340, 256, /*frames=*/16, /*side=*/224, device));
//   const at::Tensor clip = DeviceViews({views}, device).Clips(0, 1, at::kFloat);
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

// One clip of `frames` decoded pictures of `width` x `height`, with the random crop to `side` x `side`,
// colour jitter and flip of a training; `number` chooses them.
absl::StatusOr<data::ByteViews> PlaneSample(int number, int width, int height, int frames, int side,
                                            at::Device device);

// Of all pixels.
int64_t PixelBytes(const std::vector<data::ByteViews>& views);

}  // namespace op3d::gpu

#endif  // OP3D_GPU_CHECK_VIEW_SAMPLES_H_
