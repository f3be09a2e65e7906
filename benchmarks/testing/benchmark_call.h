// For tests: calls the main program as a user does.
//
//   const Ended ended = CallBenchmark({"--benchmark=kinetics400", "--threads=1", "--dry_run"});
//   EXPECT_EQ(ended.exit_code, 0) << ended.text;
#ifndef OP3D_BENCHMARKS_TESTING_BENCHMARK_CALL_H_
#define OP3D_BENCHMARKS_TESTING_BENCHMARK_CALL_H_

#include <functional>
#include <string>
#include <vector>

namespace op3d::benchmarks {

struct Ended {
  // -1: killed by a signal.
  int exit_code = -1;
  // stdout and stderr.
  std::string text;
};

// Runs //benchmarks:benchmark_program, which the test must have as `data`, to its end.  With
// `kill_when`, which is called every few milliseconds, sends it `signal` when that returns true.
Ended CallBenchmark(const std::vector<std::string>& flags,
                    const std::function<bool()>& kill_when = nullptr, int signal = 0);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_TESTING_BENCHMARK_CALL_H_
