#include "op3d/train/settings/network_settings.h"

#include <memory>

#include "op3d/base/status_macros.h"
#include "op3d/gpu/convolutions.h"
#include "op3d/torch/precision.h"

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

std::string PrecisionOf(const TrainingSettings& settings) {
  return settings.precision().empty() ? PrecisionName(Precision::kFloat32) : settings.precision();
}

absl::Status SetArithmetic(const TrainingSettings& settings, int clip_frames, Network* network) {
  OP3D_ASSIGN_OR_RETURN(const Precision precision, ParsePrecision(settings.precision()));
  if (precision == Precision::kFloat64) {
    return absl::InvalidArgumentError(
        "training.precision is fp64; a training computes in fp32, bf16 or, on a GPU, tf32 or fp16");
  }
  OP3D_RETURN_IF_ERROR(network->SetPrecision(precision));
  if (network->device().is_cuda()) {
    gpu::SetDeterministic(settings.arithmetic() == TrainingSettings::PORTABLE);
  }
  const int least = settings.activation_checkpointing_frames();
  network->SetRecompute(least > 0 && clip_frames >= least);
  return absl::OkStatus();
}

absl::Status CheckInitialWeights(const NetworkSettings& settings, int64_t classes,
                                 const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Network> network,
                        Network::MakeUnfilled(ToNetworkOptions(settings, classes)));
  return path.empty() ? absl::OkStatus() : network->StartFrom(path).status();
}

}  // namespace op3d
