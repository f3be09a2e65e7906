#include "op3d/train/step/clip_mixing.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

void Blend(const float* partner, float share, int64_t values, float* clip) {
  for (int64_t i = 0; i < values; ++i) clip[i] = share * clip[i] + (1 - share) * partner[i];
}

void Paste(const float* partner, const ClipMixing& mixing, const data::Batch& batch, float* clip) {
  const int64_t planes = int64_t{3} * batch.frames;
  for (int64_t plane = 0; plane < planes; ++plane) {
    for (int y = mixing.top; y < mixing.bottom; ++y) {
      const int64_t row = (plane * batch.height + y) * batch.width;
      std::copy(partner + row + mixing.left, partner + row + mixing.right,
                clip + row + mixing.left);
    }
  }
}

}  // namespace

absl::Status CheckMixing(const TrainingSettings& settings) {
  const double smoothing = settings.label_smoothing();
  OP3D_RETURN_IF_ERROR(
      Require(smoothing >= 0 && smoothing < 1, "training.label_smoothing", smoothing, "in [0, 1)"));
  const MixingSettings& mixing = settings.mixing();
  OP3D_RETURN_IF_ERROR(Require(mixing.mixup_alpha() >= 0 && std::isfinite(mixing.mixup_alpha()),
                               "training.mixing.mixup_alpha", mixing.mixup_alpha(), "at least 0"));
  OP3D_RETURN_IF_ERROR(Require(mixing.cutmix_alpha() >= 0 && std::isfinite(mixing.cutmix_alpha()),
                               "training.mixing.cutmix_alpha", mixing.cutmix_alpha(),
                               "at least 0"));
  return RequireIn("training.mixing.probability", mixing.probability(), 0, 1);
}

bool Mixes(const MixingSettings& settings) {
  return settings.mixup_alpha() != 0 || settings.cutmix_alpha() != 0;
}

ClipMixing DrawMixing(const MixingSettings& settings, const data::Batch& batch,
                      RandomStream* stream) {
  ClipMixing mixing;
  const double mixup = settings.mixup_alpha(), cutmix = settings.cutmix_alpha();
  if (!Mixes(settings) || batch.size < 2) return mixing;
  if (settings.probability() > 0 && !stream->Bernoulli(settings.probability())) return mixing;
  const bool paste = cutmix > 0 && (mixup == 0 || stream->Bernoulli(0.5));
  mixing.share = stream->Beta(paste ? cutmix : mixup);
  if (!paste) {
    mixing.kind = ClipMixing::kMixup;
    return mixing;
  }
  mixing.kind = ClipMixing::kCutmix;
  const double half = 0.5 * std::sqrt(1 - mixing.share);
  const int half_height = static_cast<int>(half * batch.height);
  const int half_width = static_cast<int>(half * batch.width);
  const int y = static_cast<int>(stream->UniformInt(batch.height));
  const int x = static_cast<int>(stream->UniformInt(batch.width));
  mixing.top = std::max(0, y - half_height);
  mixing.bottom = std::min(batch.height, y + half_height);
  mixing.left = std::max(0, x - half_width);
  mixing.right = std::min(batch.width, x + half_width);
  const double pasted =
      static_cast<double>(mixing.bottom - mixing.top) * (mixing.right - mixing.left);
  mixing.share = 1 - pasted / (static_cast<double>(batch.height) * batch.width);
  return mixing;
}

void MixClips(const ClipMixing& mixing, data::Batch* batch) {
  if (mixing.kind == ClipMixing::kNone) return;
  const int64_t values = int64_t{3} * batch->frames * batch->height * batch->width;
  float* const clips = batch->clips.data();
  const std::vector<float> last(clips + (batch->size - 1) * values, clips + batch->size * values);
  // In reverse order, so that every partner is still unchanged.
  for (int64_t i = batch->size - 1; i >= 0; --i) {
    const float* partner = i == 0 ? last.data() : clips + (i - 1) * values;
    if (mixing.kind == ClipMixing::kMixup) {
      Blend(partner, static_cast<float>(mixing.share), values, clips + i * values);
    } else {
      Paste(partner, mixing, *batch, clips + i * values);
    }
  }
}

std::vector<float> SoftTargets(const std::vector<int64_t>& labels, int64_t classes,
                               const ClipMixing& mixing, const TrainingSettings& settings) {
  const double smoothing = settings.label_smoothing();
  const int64_t sharing =
      settings.released_label_smoothing() ? std::max<int64_t>(1, classes - 1) : classes;
  const double others = smoothing / static_cast<double>(sharing);
  const size_t count = labels.size();
  std::vector<float> targets(count * classes, static_cast<float>(others));
  for (size_t i = 0; i < count; ++i) {
    const size_t partner = i == 0 ? count - 1 : i - 1;
    const auto add = [&](int64_t label, double share) {
      // Both may be the same class.
      targets[i * classes + label] += static_cast<float>(share * (1 - smoothing));
    };
    add(labels[i], mixing.share);
    if (mixing.kind != ClipMixing::kNone) add(labels[partner], 1 - mixing.share);
  }
  return targets;
}

}  // namespace op3d
