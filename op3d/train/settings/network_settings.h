// From settings to a network's options.
#ifndef OP3D_TRAIN_SETTINGS_NETWORK_SETTINGS_H_
#define OP3D_TRAIN_SETTINGS_NETWORK_SETTINGS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "op3d/network/network.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

// "fp32" if it is not set.
std::string PrecisionOf(const TrainingSettings& settings);

// Applies precision and activation checkpointing to `network`, which is already on its device, for
// clips of `clip_frames` frames.  InvalidArgument for a precision that cannot be used for training:
// an unknown word, fp64, tf32 on a CPU (fp16 on one is for tests; programs refuse it before), and
// auto, which must have been resolved (training_precision.h).
absl::Status SetArithmetic(const TrainingSettings& settings, int clip_frames, Network* network);

// Field for field; Network::Make checks the values.
NetworkOptions ToNetworkOptions(const NetworkSettings& settings, int64_t classes);

// Checks whether a training can start from the weights in `path` ("" = initial values, which
// always work): errors of Network::Make() and Network::StartFrom().
absl::Status CheckInitialWeights(const NetworkSettings& settings, int64_t classes,
                                 const std::string& path);

}  // namespace op3d

#endif  // OP3D_TRAIN_SETTINGS_NETWORK_SETTINGS_H_
