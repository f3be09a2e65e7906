// From the settings' words to a network's options.
#ifndef OP3D_TRAIN_NETWORK_SETTINGS_H_
#define OP3D_TRAIN_NETWORK_SETTINGS_H_

#include <cstdint>

#include "op3d/network/network.h"
#include "op3d/train/train.pb.h"

namespace op3d {

// Field for field; Network::Make checks the values.
NetworkOptions ToNetworkOptions(const NetworkSettings& settings, int64_t classes);

}  // namespace op3d

#endif  // OP3D_TRAIN_NETWORK_SETTINGS_H_
