// What a run would do and cost, before it is started.
//
//   OP3D_ASSIGN_OR_RETURN(std::string text, DescribeDryRun(options));
#ifndef OP3D_BENCHMARKS_RUN_DRY_RUN_H_
#define OP3D_BENCHMARKS_RUN_DRY_RUN_H_

#include <string>

#include "absl/status/statusor.h"
#include "benchmarks/run/benchmark.h"

namespace op3d::benchmarks {

// States, edges, epochs, clips; time, from measured training and scoring steps of small clips
// (StepCosts); disk; memory.  Refuses what the run would refuse: the output folder, weights that do
// not fit the network, a batch larger than the data.  Reads the dataset's lists; writes nothing but
// the index of its videos, which the run then uses.  The time is the network's: decoding runs at the same time on other threads and
// is usually faster.
absl::StatusOr<std::string> DescribeDryRun(const BenchmarkOptions& options);

// Frames per video that the planned method's search can train in `seconds` of wall-clock time with
// options.threads jobs on this machine, by the same measurements.  Neither decoding nor the paths
// that a proxy's search trains at full size are counted.  InvalidArgument if scoring alone takes
// longer.
absl::StatusOr<double> BudgetFrames(const BenchmarkOptions& options, double seconds);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_RUN_DRY_RUN_H_
