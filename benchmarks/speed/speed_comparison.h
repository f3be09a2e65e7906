// Two reports of //benchmarks:speed, row by row: what became faster or slower by more than the noise.
//
//   const SpeedComparison comparison = CompareSpeeds(old_report, new_report, /*tolerance=*/0.05);
//   std::fputs(DescribeSpeedComparison(comparison).c_str(), stdout);
//   if (comparison.slower > 0) return absl::AbortedError("rows became slower");
#ifndef OP3D_BENCHMARKS_SPEED_SPEED_COMPARISON_H_
#define OP3D_BENCHMARKS_SPEED_SPEED_COMPARISON_H_

#include <string>
#include <vector>

#include "benchmarks/speed/speed_report.pb.h"

namespace op3d::benchmarks {

struct SpeedChange {
  enum Verdict {
    // The medians differ by no more than the tolerance, or by no more than both ranges (most - least)
    // together; with five turns or more only if the ranges are no farther apart than the tolerance.
    kInsideSpread,
    kFaster,
    kSlower,
    // One of the two has fewer than three values, so their spread is unknown.
    kTooFewTurns,
  };
  std::string part;
  std::string name;
  // What is compared: "ratio to gemm", or "cpu ms" and "wall ms" where the two have no common
  // yardstick.
  std::string measure;
  SpeedSpread old_figure;
  SpeedSpread new_figure;
  // New median / old median - 1: 0.1 = 10 % more time.  Of a peer's ratio to op3d: more time of the
  // peer, which is better for op3d.
  double change = 0;
  Verdict verdict = kInsideSpread;
};

struct SpeedComparison {
  std::vector<SpeedChange> changes;
  // "part name".
  std::vector<std::string> only_old;
  std::vector<std::string> only_new;
  // What else differs: mode, processor, versions.
  std::vector<std::string> notes;
  int faster = 0;
  int slower = 0;
};

// Rows of the same part and name, in the new report's order.  A row's ratio to its yardstick is
// compared where both have one, because it depends less on the machine and its load than times.
// Equal speeds with noise of 10 % are called different for about one row of 100 with three turns, one of
// 1,000 with five.  Other work of a row (peers' own rows of op3d) is compared like the others.
SpeedComparison CompareSpeeds(const SpeedReport& old_report, const SpeedReport& new_report,
                              double tolerance);

// A table, the largest changes outside the spread first.
std::string DescribeSpeedComparison(const SpeedComparison& comparison);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_SPEED_SPEED_COMPARISON_H_
