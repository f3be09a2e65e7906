// Mixup and cutmix on a micro-batch of clips.
//
//   RandomStream stream(seed, "train.mixing", {epoch, micro_batch});
//   const ClipMixing mixing = DrawMixing(settings, batch, &stream);
//   MixClips(mixing, &batch);
//   std::vector<float> targets = SoftTargets(batch.labels, classes, mixing, training);
//
// The partner of clip i is clip i - 1, and the last clip for the first.  Torch-free.
#ifndef OP3D_TRAIN_STEP_CLIP_MIXING_H_
#define OP3D_TRAIN_STEP_CLIP_MIXING_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "data/loader/batch.h"
#include "op3d/base/random_stream.h"
#include "op3d/train/settings/train.pb.h"

namespace op3d {

struct ClipMixing {
  enum Kind { kNone, kMixup, kCutmix };
  Kind kind = kNone;
  // Share of the clip's own target, [0, 1]; the rest is its partner's.
  double share = 1;
  // Cutmix: the pasted rectangle in pixels, [top, bottom) x [left, right).
  int top = 0, left = 0, bottom = 0, right = 0;
};

// InvalidArgument for a setting out of its range, naming it.
absl::Status CheckMixing(const TrainingSettings& settings);

// Whether some micro-batches are mixed.
bool Mixes(const MixingSettings& settings);

// kNone if it is not set, or for a single clip.  Cutmix' rectangle has sqrt(1 - share) of each
// side around a uniform centre, clipped at the borders; `share` is then that of the pixels kept.
ClipMixing DrawMixing(const MixingSettings& settings, const data::Batch& batch,
                      RandomStream* stream);

// Replaces the clips (views = 1).
void MixClips(const ClipMixing& mixing, data::Batch* batch);

// [labels, classes]: smoothed by `settings`, then mixed.
std::vector<float> SoftTargets(const std::vector<int64_t>& labels, int64_t classes,
                               const ClipMixing& mixing, const TrainingSettings& settings);

}  // namespace op3d

#endif  // OP3D_TRAIN_STEP_CLIP_MIXING_H_
