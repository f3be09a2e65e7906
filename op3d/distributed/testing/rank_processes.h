// For tests: several ranks on this machine.  A test runs its own program once per rank, with a
// filter that selects the tests written for ranks (DISABLED_, so that they do not run alone).
//
//   for (const EndedRank& ended : RunRanks(2, "*DISABLED_Sums")) {
//     EXPECT_EQ(ended.code, 0) << ended.text;
//   }
#ifndef OP3D_DISTRIBUTED_TESTING_RANK_PROCESSES_H_
#define OP3D_DISTRIBUTED_TESTING_RANK_PROCESSES_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace op3d {

struct EndedRank {
  // The exit code; if a signal ended it, minus the signal's number.
  int code = 0;
  // stdout and stderr.
  std::string text;
  // From the start of all to its end.
  absl::Duration time;
};

// An unused TCP port.
int FreePort();

// Runs the ranks at once and waits for all.  `variables` are added to everybody's environment;
// `while_running` is called every few milliseconds with the ranks' process ids.
std::vector<EndedRank> RunRanks(
    int size, const std::string& filter, const std::map<std::string, std::string>& variables = {},
    const std::function<void(const std::vector<int>&)>& while_running = nullptr);

}  // namespace op3d

#endif  // OP3D_DISTRIBUTED_TESTING_RANK_PROCESSES_H_
