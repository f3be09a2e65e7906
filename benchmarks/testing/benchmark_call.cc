#include "benchmarks/testing/benchmark_call.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"

namespace op3d::benchmarks {

Ended CallBenchmark(const std::vector<std::string>& flags, const std::function<bool()>& kill_when,
                    int signal) {
  const std::string program = *RunfilePath("benchmarks/benchmark_program");
  const std::string log = JoinPath(::getenv("TEST_TMPDIR"), "log");
  std::vector<std::string> words = {program};
  words.insert(words.end(), flags.begin(), flags.end());
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen(log.c_str(), "w", stdout) == nullptr) ::_exit(126);
    ::dup2(STDOUT_FILENO, STDERR_FILENO);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  int status = 0;
  bool sent = false;
  while (::waitpid(child, &status, kill_when == nullptr ? 0 : WNOHANG) == 0) {
    if (!sent && kill_when()) {
      ::kill(child, signal);
      sent = true;
    }
    absl::SleepFor(absl::Milliseconds(2));
  }
  Ended ended;
  ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ended.text = *ReadFile(log);
  return ended;
}

}  // namespace op3d::benchmarks
