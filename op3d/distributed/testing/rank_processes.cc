#include "op3d/distributed/testing/rank_processes.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"

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
  std::vector<int> children;
  for (int rank = 0; rank < size; ++rank) {
    std::map<std::string, std::string> environment = {{"RANK", absl::StrCat(rank)},
                                                      {"WORLD_SIZE", absl::StrCat(size)},
                                                      {"MASTER_ADDR", "127.0.0.1"},
                                                      {"MASTER_PORT", port}};
    for (const auto& [name, value] : variables) environment[name] = value;
    const std::string log = JoinPath(folder, absl::StrCat(rank));
    const std::string flag = "--gtest_filter=" + filter;
    const int child = ::fork();
    if (child == 0) {
      const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      ::dup2(fd, STDOUT_FILENO);
      ::dup2(fd, STDERR_FILENO);
      for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
      ::unsetenv("TEST_SHARD_STATUS_FILE");
      ::unsetenv("XML_OUTPUT_FILE");
      ::unsetenv("TEST_PREMATURE_EXIT_FILE");
      ::execl("/proc/self/exe", "ranks", flag.c_str(), "--gtest_also_run_disabled_tests", nullptr);
      ::_exit(127);
    }
    children.push_back(child);
  }
  std::vector<EndedRank> ended(size);
  int running = size;
  while (running > 0) {
    for (int rank = 0; rank < size; ++rank) {
      int status = 0;
      if (children[rank] == 0 || ::waitpid(children[rank], &status, WNOHANG) == 0) continue;
      children[rank] = 0;
      --running;
      ended[rank].code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
      ended[rank].text = ReadFile(JoinPath(folder, absl::StrCat(rank))).value_or("");
      ended[rank].time = absl::Now() - start;
    }
    if (while_running) while_running(children);
    absl::SleepFor(absl::Milliseconds(5));
  }
  return ended;
}

}  // namespace op3d
