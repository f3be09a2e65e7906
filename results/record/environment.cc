#include "results/record/environment.h"

#include <sys/resource.h>
#include <unistd.h>

#include <thread>

#include "absl/strings/ascii.h"
#include "op3d/base/file.h"
#include "op3d/base/processor.h"
#include "op3d/base/program/commit.h"

namespace op3d::results {
namespace {

std::string OrUnknown(absl::string_view text) {
  const absl::string_view stripped = absl::StripAsciiWhitespace(text);
  return stripped.empty() ? "unknown" : std::string(stripped);
}

std::string Host() {
  char name[256] = {};
  return OrUnknown(::gethostname(name, sizeof(name) - 1) == 0 ? name : "");
}

ProcessorModel ToProcessorModel(const Processor& processor) {
  ProcessorModel model;
  model.set_vendor(OrUnknown(processor.vendor));
  model.set_family(processor.family);
  model.set_model(processor.model);
  model.set_stepping(processor.stepping);
  for (const std::string& flag : processor.ArithmeticFlags()) model.add_flags(flag);
  return model;
}

}  // namespace

Environment CollectEnvironment(int threads, absl::string_view device, absl::string_view arithmetic,
                               const std::vector<std::string>& libraries) {
  Environment environment;
  environment.set_started(RecordTime(absl::Now()));
  environment.set_commit(BuildCommit());
  environment.set_host(Host());
  const Processor processor = ParseCpuinfo(ReadFile("/proc/cpuinfo").value_or(""));
  environment.set_cpu(OrUnknown(processor.model_name));
  *environment.mutable_processor() = ToProcessorModel(processor);
  environment.set_arithmetic(std::string(arithmetic));
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

}  // namespace op3d::results
