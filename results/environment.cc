#include "results/environment.h"

#include <sys/resource.h>
#include <unistd.h>

#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"

namespace op3d {
namespace {

std::string OrUnknown(absl::string_view text) {
  const absl::string_view stripped = absl::StripAsciiWhitespace(text);
  return stripped.empty() ? "unknown" : std::string(stripped);
}

// Written by the build (//tools:commit).
std::string Commit() {
  const absl::StatusOr<std::string> path = RunfilePath("tools/commit.txt");
  return path.ok() ? OrUnknown(ReadFile(*path).value_or("")) : "unknown";
}

std::string Host() {
  char name[256] = {};
  return OrUnknown(::gethostname(name, sizeof(name) - 1) == 0 ? name : "");
}

}  // namespace

Environment CollectEnvironment(int threads, absl::string_view device,
                               const std::vector<std::string>& libraries) {
  Environment environment;
  environment.set_started(RecordTime(absl::Now()));
  environment.set_commit(Commit());
  environment.set_host(Host());
  environment.set_cpu(OrUnknown(CpuModel(ReadFile("/proc/cpuinfo").value_or(""))));
  environment.set_cores(static_cast<int>(std::thread::hardware_concurrency()));
  environment.set_threads(threads);
  environment.set_device(std::string(device));
  for (const std::string& library : libraries) environment.add_libraries(library);
  return environment;
}

std::string RecordTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

double PeakMemoryMib() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;  // Linux counts in KiB
}

std::string CpuModel(absl::string_view cpuinfo) {
  for (const absl::string_view line : absl::StrSplit(cpuinfo, '\n')) {
    if (!absl::StartsWith(line, "model name")) continue;
    const std::vector<absl::string_view> sides = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (sides.size() == 2) return std::string(absl::StripAsciiWhitespace(sides[1]));
  }
  return "";
}

}  // namespace op3d
