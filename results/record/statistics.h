// The uncertainty of shares and means: the few formulas that tables and verdicts need.
//
//   WilsonInterval(0.9, 270);                        // {0.858, 0.930}
//   MeanInterval({0.90, 0.93, 0.91}, 270);           // over videos and seeds
//
// All intervals are 95 % intervals.  All functions are pure and thread-safe.
#ifndef OP3D_RESULTS_RECORD_STATISTICS_H_
#define OP3D_RESULTS_RECORD_STATISTICS_H_

#include <vector>

#include "absl/types/span.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

struct ShareInterval {
  double low = 0, high = 0;
};

// The quantile of Student's t distribution for this probability, in
// (0, 1); `degrees` of freedom at least 1.  StudentQuantile(0.975, 2) is 4.303.
double StudentQuantile(double probability, double degrees);

// 0 without values.
double Mean(absl::Span<const double> values);
// Divided by n - 1; 0 for fewer than 2 values.
double SampleVariance(absl::Span<const double> values);

// Mean +- t s / sqrt(n).  At least 2 values.
ShareInterval StudentInterval(absl::Span<const double> values);

// Wilson's score interval of a share in [0, 1] over `videos` videos; {0, 1} without videos.
// Source: Wilson, Probable inference, the law of succession, and statistical inference, 1927.
ShareInterval WilsonInterval(double share, int videos);

// The interval of the mean of shares that one recipe reached with several seeds on the same videos:
// the two sources of chance are added, Student's t over the seeds and the normal one over the
// videos.  Wilson's for one share.  Clamped to [0, 1].
ShareInterval MeanInterval(absl::Span<const double> shares, int videos);

// The tests of two models on the same videos with the same seed.
struct Pair {
  const TestResult* a = nullptr;
  const TestResult* b = nullptr;
};

// The squared standard error, due to the choice of videos, of the mean over `pairs` of
// top-1 of a minus top-1 of b; all tests are on the same videos.  Exact, video by video, if every
// test lists its right videos; otherwise as if the two were tested on different videos, which is
// larger.
double VideoVariance(absl::Span<const Pair> pairs);

// The variance due to both the videos and the seeds: two-way layout of seeds x videos, in which
// each of the two counts once.  Without the right videos, or with one seed, the two are added.
// Source: Owen, The pigeonhole bootstrap, 2007, section 3.
double MeanDifferenceVariance(absl::Span<const Pair> pairs);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_RECORD_STATISTICS_H_
