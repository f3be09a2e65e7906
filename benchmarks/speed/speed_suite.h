// Runs benchmark programs in turns and collects their rows, each relative to a yardstick that is
// measured just before and after its program.
//
//   SpeedSuite suite;
//   suite.yardsticks = {{"gemm", "a matrix product", {program, "--benchmark_filter=^gemm/fp32"}}};
//   suite.parts = {{"knee", "estimates of knees", {knee_benchmark}, "gemm"}};
//   suite.turns = 5;
//   suite.folder = scratch_folder;
//   SpeedReport report;
//   OP3D_RETURN_IF_ERROR(RunSpeedSuite(suite, &report));
//   return SpeedSuiteStatus(report);
#ifndef OP3D_BENCHMARKS_SPEED_SPEED_SUITE_H_
#define OP3D_BENCHMARKS_SPEED_SPEED_SUITE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "benchmarks/speed/speed_report.pb.h"

namespace op3d::benchmarks {

// A program that measures something.
struct SpeedWork {
  // A word; unique in the suite.
  std::string name;
  // For people.
  std::string what;
  // The program and its arguments.  It gets --benchmark_out=FILE and --benchmark_out_format=json in
  // addition (Google Benchmark); with `peers`, --output=FILE and --turns=N.
  std::vector<std::string> command;
  // The name of a yardstick; empty = none.
  std::string yardstick{};
  // It runs once, compares peers with op3d in turns of its own and writes a SpeedReport.
  bool peers = false;
  // Not empty: it is not run, and this is why.
  std::string left_out{};
};

struct SpeedSuite {
  // Programs with one row each.
  std::vector<SpeedWork> yardsticks;
  std::vector<SpeedWork> parts;
  // At least 1.
  int turns = 1;
  // A program that takes longer is ended, and its part has failed.
  absl::Duration limit = absl::Hours(1);
  // An existing folder for logs and temporary files.
  std::string folder;
  // Called with what is known so far after every part of every turn; may be empty.
  std::function<absl::Status(const SpeedReport&)> save;
};

// Adds yardsticks, parts, rows and libraries to `report` and sets its turns and `complete`.  A part
// that fails or whose program is missing is printed to stderr, noted in the report and not run
// again; the rest goes on.  Cancelled after a signal, with what was measured in `report`; an
// error of `save`.
absl::Status RunSpeedSuite(const SpeedSuite& suite, SpeedReport* report);

// OK if all parts were measured or left out; otherwise Aborted, naming those that failed or are
// missing.
absl::Status SpeedSuiteStatus(const SpeedReport& report);

// Adds a turn's rows from Google Benchmark's JSON to `part`'s rows: the time of "/real_time" rows
// is wall time, of "/manual_time" rows their own, else CPU time.  `yardstick_ms` > 0 is the time to
// divide by; 0 = none.  Rows that failed are left out, and Internal names them.  InvalidArgument if
// `json` is not what the program writes or has no rows.
absl::Status AddBenchmarkRows(absl::string_view json, const SpeedWork& part, double yardstick_ms,
                              SpeedReport* report);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_SPEED_SPEED_SUITE_H_
