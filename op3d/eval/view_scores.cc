#include "op3d/eval/view_scores.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "op3d/base/safetensors.h"

namespace op3d {
namespace {

template <typename T>
absl::string_view Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

Views<float> ViewScores::head(int64_t head) const {
  const size_t size = logits.size() / static_cast<size_t>(heads);
  Views<float> alone = views();
  alone.heads = 1;
  alone.logits = alone.logits.subspan(static_cast<size_t>(head) * size, size);
  return alone;
}

absl::StatusOr<std::string> SerializeScores(const ViewScores& scores) {
  const int64_t views = scores.clips * scores.crops;
  const int64_t per_head = scores.videos * views * scores.classes;
  std::vector<float> mean(per_head), heads(scores.heads * scores.videos * scores.classes);
  for (int64_t i = 0; i < per_head; ++i) {
    double sum = 0;
    for (int64_t head = 0; head < scores.heads; ++head) sum += scores.logits[head * per_head + i];
    mean[i] = static_cast<float>(sum / static_cast<double>(scores.heads));
  }
  for (int64_t row = 0; row < scores.heads * scores.videos; ++row) {
    for (int64_t c = 0; c < scores.classes; ++c) {
      double sum = 0;
      for (int64_t view = 0; view < views; ++view) {
        sum += scores.logits[(row * views + view) * scores.classes + c];
      }
      heads[row * scores.classes + c] = static_cast<float>(sum / static_cast<double>(views));
    }
  }
  return SerializeSafetensors(
      {{"heads", DType::kF32, {scores.heads, scores.videos, scores.classes}, Bytes(heads)},
       {"labels", DType::kI64, {scores.videos}, Bytes(scores.labels)},
       {"scores", DType::kF32, {scores.videos, views, scores.classes}, Bytes(mean)}},
      {{"clips", absl::StrCat(scores.clips)}, {"crops", absl::StrCat(scores.crops)}});
}

}  // namespace op3d
