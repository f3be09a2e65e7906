#include "benchmarks/testing/benchmark_call.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "absl/time/time.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/io/subprocess.h"

namespace op3d::benchmarks {

Ended CallBenchmark(const std::vector<std::string>& flags, const std::function<bool()>& kill_when,
                    int signal) {
  const std::string program = *RunfilePath("benchmarks/benchmark_program");
  const std::string log = JoinPath(::getenv("TEST_TMPDIR"), "log");
  SubprocessOptions options;
  options.command = {program};
  options.command.insert(options.command.end(), flags.begin(), flags.end());
  options.log = log;
  const std::unique_ptr<Subprocess> child = *Subprocess::Start(options);
  bool sent = kill_when == nullptr;
  while (!child->WaitFor(absl::Milliseconds(2))) {
    if (sent || !kill_when()) continue;
    child->Signal(signal);
    sent = true;
  }
  Ended ended;
  ended.exit_code = std::max(child->Wait(), -1);
  ended.text = *ReadFile(log);
  return ended;
}

}  // namespace op3d::benchmarks
