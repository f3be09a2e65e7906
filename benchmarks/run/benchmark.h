// One reproduction, from video to table: search, train the plan and the hand-tuned recipes, test
// them, record everything.
//
//   BenchmarkOptions options;
//   options.settings = settings;                      // benchmarks/settings/settings_resolution.h
//   options.dataset_root = "/data/kinetics400";
//   options.output_dir = "results/runs/kinetics400-2026-05-01";
//   OP3D_ASSIGN_OR_RETURN(RunRecord record, RunBenchmark(options));
//
// If it is stopped at any moment and started again with the same options, it resumes, and the
// record is equal except for its times.
#ifndef OP3D_BENCHMARKS_RUN_BENCHMARK_H_
#define OP3D_BENCHMARKS_RUN_BENCHMARK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "op3d/distributed/process_group.h"
#include "results/record/run_record.pb.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

struct BenchmarkOptions {
  BenchmarkSettings settings;
  std::string dataset_root;
  // What other programs take as --dataset; empty = the settings' name.
  std::string dataset;
  // Everything the run writes.
  std::string output_dir;
  // The index file with the results of scanning the videos; empty = none.
  std::string index_file;
  // "cpu" or "cuda".
  std::string device = "cpu";
  // Number of jobs at the same time (pools, recipes) and of loader threads; at least 1.  No result
  // depends on it.
  int threads = 2;
  // The number of child processes that train and test at once, each with its own part of the
  // threads; 0 = this process does it.  No result depends on it (benchmarks/parts/jobs.h).
  int jobs = 0;
  // A prefix of the children's command, in which {job} is the child's number.
  std::string launcher;
  // With jobs: this program and its flags for a child, a command of the shell.
  std::string child_command;
};

// What child number `number` of a run with `jobs` does: serves `service` (benchmarks/parts/jobs.h) of the
// run in options.output_dir, whose settings it reads there, until its input ends.  With several
// processes, `group`, which train together.  NotFound, saying what to do, if there is no run.
absl::Status ServeRun(const BenchmarkOptions& options, const std::string& service,
                      const std::string& identity, int number, ProcessGroup* group);

// Errors are those of its parts; a message says what to do.  Cancelled after SIGINT or SIGTERM,
// after saving everything that is needed to resume.
absl::StatusOr<RunRecord> RunBenchmark(const BenchmarkOptions& options);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_RUN_BENCHMARK_H_
