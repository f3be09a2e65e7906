// The cost of a run, before it begins.
//
//   Progress::Print(*DescribeResources(options, data));       // memory and disk, two lines
#ifndef OP3D_TRAIN_RUN_RUN_COST_H_
#define OP3D_TRAIN_RUN_RUN_COST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/train/edge/edge_protocol.h"
#include "op3d/train/run/run_options.h"
#include "op3d/train/run/training_data.h"

namespace op3d {

// Expected memory of this process and disk use, compared with what is free, with a warning if it is
// not enough.  Takes a step on a small clip for each clip length.
absl::StatusOr<std::string> DescribeResources(const RunOptions& options, const TrainingData& data);

// What RunTraining would do and cost: videos, states, epochs, steps, estimated time, memory, disk.
// Refuses what RunTraining would refuse: the output folder, weights that do not fit, a batch that
// is larger than the data.  Writes nothing but the index of the videos.
absl::StatusOr<std::string> DescribeRun(const RunOptions& options);

// Compares the estimated memory of every state with `have` bytes of a GPU.  Of a state that needs
// more, training.fit_memory lowers batch_size and raises accumulation in `settings`, and a sentence
// for the user is returned; without it, or if nothing fits: ResourceExhausted, naming what would.
// The precision must be decided ("auto" is refused).
absl::StatusOr<std::vector<std::string>> FitStates(int64_t have, TrainingRunSettings* settings);

// The cost of an edge of a search into `state` that is trained for `epochs` epochs, if the weights
// of the newest `kept_epochs` stay on the disk (0 = of all): from one measured step and the
// estimated memory.  The time is the network's, without decoding.  Errors of Network.
absl::StatusOr<EdgeCost> EstimateEdge(const RunOptions& options, const TrainingData& data,
                                      const StateSettings& state, int epochs, int kept_epochs);

}  // namespace op3d

#endif  // OP3D_TRAIN_RUN_RUN_COST_H_
