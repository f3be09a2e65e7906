#include "op3d/distributed/testing/rank_processes.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/io/subprocess.h"

namespace op3d {

int FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  int port = 0;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  ::close(fd);
  return port;
}

std::vector<EndedRank> RunRanks(int size, const std::string& filter,
                                const std::map<std::string, std::string>& variables,
                                const std::function<void(const std::vector<int>&)>& while_running) {
  const std::string folder = TestFolder("ranks");
  const std::string port = absl::StrCat(FreePort());
  const absl::Time start = absl::Now();
  std::vector<std::unique_ptr<Subprocess>> children;
  for (int rank = 0; rank < size; ++rank) {
    SubprocessOptions options;
    options.command = {"/proc/self/exe", "--gtest_filter=" + filter,
                       "--gtest_also_run_disabled_tests"};
    options.log = JoinPath(folder, absl::StrCat(rank));
    options.variables = {{"RANK", absl::StrCat(rank)},
                         {"WORLD_SIZE", absl::StrCat(size)},
                         {"MASTER_ADDR", "127.0.0.1"},
                         {"MASTER_PORT", port},
                         {"TEST_SHARD_STATUS_FILE", std::nullopt},
                         {"XML_OUTPUT_FILE", std::nullopt},
                         {"TEST_PREMATURE_EXIT_FILE", std::nullopt}};
    for (const auto& [name, value] : variables) options.variables[name] = value;
    children.push_back(*Subprocess::Start(options));
  }
  std::vector<EndedRank> ended(size);
  std::vector<int> running(size);
  for (int rank = 0; rank < size; ++rank) running[rank] = children[rank]->pid();
  while (std::count(running.begin(), running.end(), 0) < size) {
    for (int rank = 0; rank < size; ++rank) {
      if (running[rank] == 0 || !children[rank]->Ended()) continue;
      running[rank] = 0;
      ended[rank].code = children[rank]->Wait();
      ended[rank].text = ReadFile(JoinPath(folder, absl::StrCat(rank))).value_or("");
      ended[rank].time = absl::Now() - start;
    }
    if (while_running) while_running(running);
    absl::SleepFor(absl::Milliseconds(5));
  }
  return ended;
}

}  // namespace op3d
