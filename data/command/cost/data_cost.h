// What making a training clip costs, and what it would cost from a copy of the dataset.
//
//   OP3D_ASSIGN_OR_RETURN(DataCost cost, MeasureDataCost(videos, {1, 16, 1}, loader, transform));
//   std::puts(DescribeDataCost(cost, {/*step_seconds=*/0.05, /*gpu_loaders=*/0, root, "ucf101"})
//                 .c_str());
#ifndef OP3D_DATA_COMMAND_COST_DATA_COST_H_
#define OP3D_DATA_COMMAND_COST_DATA_COST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "data/datasets/dataset.pb.h"
#include "data/sampling/sampling.h"

namespace op3d::data {

struct DataCost {
  // The number of frames of a clip, and of the videos of which clips were made.
  int frames = 0;
  int videos = 0;
  // One thread's processor time per clip: as the videos are, from a transcoded copy, and from a
  // pack.  The copies' are 0 if they were not measured.
  double seconds = 0;
  double transcoded_seconds = 0;
  double packed_seconds = 0;
  // The copies' short side in pixels, and what all the videos take on the disk as copies.
  int short_side = 0;
  int64_t transcoded_bytes = 0;
  int64_t packed_bytes = 0;
  // All decoded frames fit into loader.frame_cache_mib: `seconds` is from there, as in all epochs
  // but the first.
  bool kept = false;
  // The same seconds for a GPU that makes the clips from decoded pictures
  // (TrainLoaderOptions.planes); a pack has none.  0 = not measured, then the CPU's are used.
  double gpu_seconds = 0;
  double gpu_transcoded_seconds = 0;
};

// Makes training clips of up to six videos, evenly spaced over the list, and of copies of up to
// three of them, which are made in a temporary folder and removed.  Takes a second or a few.
// Errors of the loader; where no copy can be made, what depends on copies stays 0.
absl::StatusOr<DataCost> MeasureDataCost(const std::vector<Video>& videos, const ClipShape& shape,
                                         const LoaderSettings& loader,
                                         const TransformSettings& transform);

struct DataCostContext {
  // Of a training step, one clip's share.
  double step_seconds = 0;
  // Loader threads that work beside a GPU; 0: the network is computed by the same processors.
  int gpu_loaders = 0;
  // For the commands that make copies.
  std::string root;
  std::string dataset;
  // Without a GPU, for a training on one elsewhere: loader threads beside it, and the clips per
  // second that it would train, an estimate.  0: nothing is said of it.
  int threads = 0;
  double gpu_clips = 0;
  // A GPU gets clips that the CPU has made, because mixup or cutmix mixes them.
  bool mixes = false;
};

// The part of a training's time that clips take: of all processor time, or with a GPU the time it
// waits for the loaders.  In [0, 1].
double DataShare(double clip_seconds, const DataCostContext& context);

// A line; a second one if the loaders cannot feed the GPU (it would wait more than 5 % of its
// time), or without a GPU what one would need: clips per second and threads, also with copies.  If
// DataShare is above 5 %, one more for each copy with its time, disk and command.  If the cost was
// not measured (a video does not decode), the reason: the rest of an estimate still holds.
std::string DescribeDataCost(const absl::StatusOr<DataCost>& cost, const DataCostContext& context);

}  // namespace op3d::data

#endif  // OP3D_DATA_COMMAND_COST_DATA_COST_H_
