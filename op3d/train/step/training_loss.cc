#include "op3d/train/step/training_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/status_macros.h"
#include "op3d/gpu/device_views.h"
#include "op3d/train/step/clip_mixing.h"

namespace op3d {

at::Tensor TrainingLoss(const std::vector<at::Tensor>& heads, const at::Tensor& labels) {
  at::Tensor loss = at::cross_entropy_loss(heads[0], labels);
  for (size_t i = 1; i < heads.size(); ++i) loss = loss + at::cross_entropy_loss(heads[i], labels);
  return loss;
}

namespace {

at::Tensor ClipsOf(data::Batch* batch, at::Device device) {
  if (!batch->byte_views.empty()) {
    return gpu::DeviceViews(batch->byte_views, device).Clips(0, batch->size, at::kFloat);
  }
  return at::from_blob(batch->clips.data(),
                       {batch->size, 3, batch->frames, batch->height, batch->width},
                       at::TensorOptions(at::kFloat));
}

}  // namespace

MicroBatch MixMicroBatch(const TrainingSettings& settings, const MicroBatchLossOptions& options,
                         const MicroBatchPlace& place, at::Device device, data::Batch* batch) {
  RandomStream stream(options.seed, absl::StrCat(options.purpose, ".mixing"),
                      {place.epoch, place.index});
  const ClipMixing mixing = DrawMixing(settings.mixing(), *batch, &stream);
  MixClips(mixing, batch);
  MicroBatch mixed;
  mixed.clips = ClipsOf(batch, device);
  const bool some_mixed = settings.has_mixing() && options.equal_labels;
  if (mixing.kind == ClipMixing::kNone && settings.label_smoothing() == 0 && !some_mixed) {
    mixed.labels = at::from_blob(batch->labels.data(), {batch->size}, at::TensorOptions(at::kLong));
    return mixed;
  }
  std::vector<float> targets = SoftTargets(batch->labels, options.classes, mixing, settings);
  mixed.labels = at::from_blob(targets.data(), {batch->size, options.classes},
                               at::TensorOptions(at::kFloat))
                     .clone();  // outlives `targets`
  return mixed;
}

uint64_t DropoutSeed(const MicroBatchLossOptions& options, const MicroBatchPlace& place) {
  return RandomStream(options.seed, absl::StrCat(options.purpose, ".dropout"),
                      {place.epoch, place.index})();
}

absl::StatusOr<at::Tensor> MicroBatchLoss(const MicroBatchLossOptions& options,
                                          const MicroBatchPlace& place, const MicroBatch& batch,
                                          Network* network) {
  network->SeedDropout(DropoutSeed(options, place));
  OP3D_ASSIGN_OR_RETURN(const std::vector<at::Tensor> heads, network->Forward(batch.clips));
  return TrainingLoss(heads, batch.labels);
}

}  // namespace op3d
