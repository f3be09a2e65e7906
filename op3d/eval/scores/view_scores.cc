#include "op3d/eval/scores/view_scores.h"

namespace op3d {

Views<float> ViewScores::head(int64_t head) const {
  const size_t size = logits.size() / static_cast<size_t>(heads);
  Views<float> alone = views();
  alone.heads = 1;
  alone.logits = alone.logits.subspan(static_cast<size_t>(head) * size, size);
  return alone;
}

TestScores Summarise(const ViewScores& scores) {
  TestScores kept;
  kept.heads = scores.heads;
  kept.videos = scores.videos;
  kept.clips = scores.clips;
  kept.crops = scores.crops;
  kept.classes = scores.classes;
  kept.labels = scores.labels;
  kept.names = scores.names;
  kept.broken = scores.skipped;
  kept.broken_examples = scores.examples;
  const int64_t views = scores.clips * scores.crops;
  const int64_t per_head = scores.videos * views * scores.classes;
  kept.scores.resize(per_head);
  kept.head_scores.resize(scores.heads * scores.videos * scores.classes);
  for (int64_t i = 0; i < per_head; ++i) {
    double sum = 0;
    for (int64_t head = 0; head < scores.heads; ++head) sum += scores.logits[head * per_head + i];
    kept.scores[i] = static_cast<float>(sum / static_cast<double>(scores.heads));
  }
  for (int64_t row = 0; row < scores.heads * scores.videos; ++row) {
    for (int64_t c = 0; c < scores.classes; ++c) {
      double sum = 0;
      for (int64_t view = 0; view < views; ++view) {
        sum += scores.logits[(row * views + view) * scores.classes + c];
      }
      kept.head_scores[row * scores.classes + c] =
          static_cast<float>(sum / static_cast<double>(views));
    }
  }
  return kept;
}

}  // namespace op3d
