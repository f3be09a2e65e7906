// From the settings' words to a network's options.
#ifndef OP3D_TRAIN_SETTINGS_NETWORK_SETTINGS_H_
#define OP3D_TRAIN_SETTINGS_NETWORK_SETTINGS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "op3d/network/network.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

// "fp32" where nothing is set.
std::string PrecisionOf(const TrainingSettings& settings);

// Lets `network`, on its device already, compute clips of `clip_frames` frames as the settings
// want: precision and activation checkpointing.  InvalidArgument for a precision that trains
// nothing: another word, fp64, tf32 on a CPU, and auto, which must have been decided
// (training_precision.h).
absl::Status SetArithmetic(const TrainingSettings& settings, int clip_frames, Network* network);

// Field for field; Network::Make checks the values.
NetworkOptions ToNetworkOptions(const NetworkSettings& settings, int64_t classes);

// What a training from the weights in `path` would say when it begins ("" = initial values, which
// always do): errors as Network::Make() and Network::StartFrom().
absl::Status CheckInitialWeights(const NetworkSettings& settings, int64_t classes,
                                 const std::string& path);

}  // namespace op3d

#endif  // OP3D_TRAIN_SETTINGS_NETWORK_SETTINGS_H_
