#include "op3d/train/network_settings.h"

namespace op3d {

NetworkOptions ToNetworkOptions(const NetworkSettings& settings, int64_t classes) {
  NetworkOptions options;
  options.name = settings.name();
  options.classes = classes;
  options.dropout = settings.dropout();
  options.width = settings.width();
  options.early_stride = settings.early_stride();
  options.dual_pool = settings.dual_pool();
  options.without_temporal_head = settings.without_temporal_head();
  options.without_spatial_head = settings.without_spatial_head();
  options.without_global_context = settings.without_global_context();
  return options;
}

}  // namespace op3d
