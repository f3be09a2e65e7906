#include "results/record/environment.h"

#include <elf.h>
#include <errno.h>  // program_invocation_short_name
#include <link.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
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

// The libraries whose code decides results, by the start of their names.
constexpr absl::string_view kDecisive[] = {"libtorch",   "libc10",    "libcudnn",
                                           "libavcodec", "libavutil", "libavformat",
                                           "libswscale", "libcublas", "libnccl"};

// The note of type NT_GNU_BUILD_ID among those of a segment.
std::string BuildIdIn(const char* notes, size_t size) {
  constexpr size_t kHeader = sizeof(ElfW(Nhdr));
  const auto padded = [](size_t length) { return (length + 3) / 4 * 4; };
  for (size_t at = 0; at + kHeader <= size;) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes + at, kHeader);
    const size_t name = at + kHeader, content = name + padded(note.n_namesz);
    if (content + note.n_descsz > size) return "";
    const absl::string_view owner(notes + name, note.n_namesz);
    if (note.n_type == NT_GNU_BUILD_ID && owner == absl::string_view("GNU\0", 4)) {
      return absl::BytesToHexString(absl::string_view(notes + content, note.n_descsz));
    }
    at = content + padded(note.n_descsz);
  }
  return "";
}

// Called by the loader for the program, whose name is empty, and each library.
int AddBinary(dl_phdr_info* info, size_t, void* environment) {
  const std::string file = std::filesystem::path(info->dlpi_name).filename().string();
  const bool program = info->dlpi_name[0] == '\0';
  const bool decisive = absl::c_any_of(
      kDecisive, [&](absl::string_view start) { return absl::StartsWith(file, start); });
  if (!program && !decisive) return 0;
  Environment::Binary& binary = *static_cast<Environment*>(environment)->add_binaries();
  binary.set_file(program ? ::program_invocation_short_name : file);
  for (int i = 0; i < info->dlpi_phnum && binary.build_id().empty(); ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    binary.set_build_id(BuildIdIn(reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr),
                                  segment.p_memsz));
  }
  return 0;
}

// The value of "Model: ..." and the version of the kernel's driver, if there is one.
void AddGpus(Environment* environment) {
  constexpr char kDriver[] = "/proc/driver/nvidia";
  const std::string version = ReadFile(absl::StrCat(kDriver, "/version")).value_or("");
  for (const absl::string_view line : absl::StrSplit(version, '\n')) {
    if (!absl::StrContains(line, "NVRM")) continue;
    const size_t colon = line.find(':');
    environment->set_driver(
        std::string(absl::StripAsciiWhitespace(line.substr(colon == line.npos ? 0 : colon + 1))));
  }
  const std::string gpus = absl::StrCat(kDriver, "/gpus");
  for (const std::string& gpu : ListFolder(gpus).value_or(std::vector<std::string>())) {
    const std::string facts = ReadFile(absl::StrCat(gpus, "/", gpu, "/information")).value_or("");
    for (absl::string_view line : absl::StrSplit(facts, '\n')) {
      if (!absl::ConsumePrefix(&line, "Model:")) continue;
      environment->add_gpus(std::string(absl::StripAsciiWhitespace(line)));
    }
  }
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
  environment.set_modified(BuildIsModified());
  AddGpus(&environment);
  ::dl_iterate_phdr(AddBinary, &environment);
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
