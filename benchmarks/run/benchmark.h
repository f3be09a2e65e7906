// One reproduction, from video to table: search, train the plan and the hand-tuned recipes, test
// them, record everything.
//
//   BenchmarkOptions options;
//   options.settings = *ResolveSettings(request);
//   options.dataset_root = "/data/kinetics400";
//   options.output_dir = "results/runs/kinetics400-2026-05-01";
//   OP3D_ASSIGN_OR_RETURN(RunRecord record, RunBenchmark(options));
//
// Stopped at any moment and started again with the same options, it goes on where it was and the
// record comes out equal but for its times.
#ifndef OP3D_BENCHMARKS_RUN_BENCHMARK_H_
#define OP3D_BENCHMARKS_RUN_BENCHMARK_H_

#include <string>

#include "absl/status/statusor.h"
#include "results/record/run_record.pb.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

struct BenchmarkOptions {
  BenchmarkSettings settings;
  std::string dataset_root;
  // Everything the run writes.
  std::string output_dir;
  // Where what scanning the videos found is kept between runs; empty = nowhere.
  std::string index_file;
  // "cpu" or "cuda".
  std::string device = "cpu";
  // Jobs side by side (pools, recipes) and loader threads; at least 1.  No result depends on it.
  int threads = 2;
};

// Errors are those of its parts; a message says what to do.  Cancelled after SIGINT or SIGTERM,
// with everything saved that is needed to go on.
absl::StatusOr<RunRecord> RunBenchmark(const BenchmarkOptions& options);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_RUN_BENCHMARK_H_
