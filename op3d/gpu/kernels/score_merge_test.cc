#include "op3d/gpu/kernels/score_merge.h"

#include <vector>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/eval/scores/metrics.h"
#include "op3d/gpu/kernels/cpu_driver.h"

namespace op3d::gpu {
namespace {

TEST(MergeScoresTest, GivesTheBitsOfTheMeanOfLogits) {
  for (const auto& [heads, videos, clips, crops, classes] :
       std::vector<std::array<int64_t, 5>>{{2, 3, 10, 3, 7}, {1, 1, 1, 1, 1}, {1, 2, 3, 1, 400}}) {
    RandomStream stream(1, "scores", {});
    std::vector<float> logits(static_cast<size_t>(heads * videos * clips * crops * classes));
    for (float& logit : logits) logit = static_cast<float>(stream.Uniform(-9, 9));
    std::vector<double> merged(static_cast<size_t>(videos * classes));
    RunPointsOnCpu(MergeScores{logits.data(), heads, videos, clips, crops, classes, merged.data()});
    ASSERT_OK_AND_ASSIGN(const VideoScores scores,
                         MeanOfLogits(Views<float>{heads, videos, clips, crops, classes, logits}));
    EXPECT_EQ(merged, scores.values);
  }
}

TEST(MergeScoresTest, NoVideosAreNoWork) {
  RunPointsOnCpu(MergeScores{nullptr, 1, 0, 1, 1, 5, nullptr});
}

}  // namespace
}  // namespace op3d::gpu
