// Measures the speed of data, network, training and planner, relative to yardsticks of the same
// run, and compares two measurements.
//
//   ./bazelw run //benchmarks:speed -- --output=speed.json
//   ./bazelw run //benchmarks:speed -- --compare=speed.json
//   ./bazelw run //benchmarks:speed -- new.json --compare=speed.json
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "benchmarks/speed/speed_comparison.h"
#include "benchmarks/speed/speed_parts.h"
#include "benchmarks/speed/speed_report.h"
#include "benchmarks/speed/speed_suite.h"
#include "data/video/testing/wave_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/io/subprocess.h"
#include "op3d/base/processor.h"
#include "op3d/base/program/program.h"
#include "op3d/base/progress.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"
#include "results/record/environment.h"

ABSL_FLAG(std::string, mode, "quick",
          "quick: the rows that matter most, in a few minutes on a quiet machine; full: all rows, "
          "about an hour; smoke: a moment, to see that everything runs");
ABSL_FLAG(std::vector<std::string>, parts, {},
          "parts to run, with commas between, of data, video, index, network, training, knee, "
          "search, data_peers, network_peers; empty = all, the peers only in full mode");
ABSL_FLAG(int, turns, 0, "how often every part is run, in turns; 0 = the mode's own: 5, smoke 1");
ABSL_FLAG(double, min_seconds, 0,
          "least seconds that a row is measured; 0 = the mode's own: quick 0.2, full 1");
ABSL_FLAG(double, part_minutes, 60, "a program that takes longer is ended and its part has failed");
ABSL_FLAG(std::vector<std::string>, videos, {},
          "videos to read, with commas between; empty = a made one");
ABSL_FLAG(std::string, peers_python, "",
          "the python of a virtual environment with the peers, for data_peers and network_peers; "
          "benchmarks/speed/data_peers.py says how to make it; empty = these parts are left out");
ABSL_FLAG(
    std::string, output, "",
    "the JSON file to write; default: results/runs/speed-<mode>-<time>.json in the workspace");
ABSL_FLAG(std::string, compare, "",
          "an older report; prints what became faster or slower and ends with 1 if a row became "
          "slower by more than both spreads and the tolerance");
ABSL_FLAG(double, tolerance, 0.05,
          "with --compare: relative changes up to this are never called faster or slower");
ABSL_FLAG(bool, list, false, "print the rows that would be measured; measure nothing");

namespace op3d::benchmarks {
namespace {

// A new folder that is removed at the end.
class ScratchFolder {
 public:
  static absl::StatusOr<ScratchFolder> Make() {
    std::error_code error;
    const std::string parent = std::filesystem::temp_directory_path(error).string();
    if (error) return absl::FailedPreconditionError(absl::StrCat("TMPDIR: ", error.message()));
    OP3D_ASSIGN_OR_RETURN(const int64_t free_bytes, FreeBytes(parent));
    constexpr int64_t kNeeded = int64_t{512} << 20;
    if (free_bytes < kNeeded) {
      return absl::ResourceExhaustedError(absl::StrCat(
          parent, " has ", free_bytes >> 20, " MiB free; the programs need ", kNeeded >> 20,
          " MiB for temporary files; set TMPDIR to a folder with more"));
    }
    std::string path = JoinPath(parent, "op3d_speed_XXXXXX");
    if (::mkdtemp(path.data()) == nullptr) return ErrnoStatus(errno, "cannot make", path);
    return ScratchFolder(path);
  }
  ScratchFolder(ScratchFolder&& other) : path_(std::move(other.path_)) { other.path_.clear(); }
  ~ScratchFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(const std::string& path) : path_(path) {}
  std::string path_;
};

double Load() {
  double load = -1;
  const std::string text = ReadFile("/proc/loadavg").value_or("");
  return absl::SimpleAtod(text.substr(0, text.find(' ')), &load) ? load : -1;
}

int32_t MemoryMib() {
  const std::vector<std::string> words =
      absl::StrSplit(ReadFile("/proc/meminfo").value_or(""), ' ', absl::SkipEmpty());
  int64_t kib = 0;
  return words.size() > 1 && absl::SimpleAtoi(words[1], &kib) ? static_cast<int32_t>(kib / 1024)
                                                              : 0;
}

SpeedReport StartReport(const SpeedSelection& selection, double min_seconds) {
  SpeedReport report;
  report.set_format(kSpeedReportFormat);
  report.set_version(kSpeedReportVersion);
  report.set_mode(SpeedModeName(selection.mode));
  *report.mutable_environment() = results::CollectEnvironment(0, "cpu", "native", {});
  SpeedMachine& machine = *report.mutable_machine();
  machine.set_memory_mib(MemoryMib());
  utsname name = {};
  if (::uname(&name) == 0) machine.set_kernel(absl::StrCat(name.sysname, " ", name.release));
  machine.set_load_before(Load());
  machine.set_load_after(-1);
  (*report.mutable_libraries())["compiler"] = __VERSION__;
  auto& settings = *report.mutable_settings();
  if (min_seconds > 0) settings["min_seconds"] = absl::StrCat(min_seconds);
  settings["videos"] =
      selection.videos.empty()
          ? "made"
          : absl::StrJoin(selection.videos, ",", [](std::string* out, const auto& path) {
              absl::StrAppend(out, std::filesystem::path(path).filename().string());
            });
  return report;
}

absl::StatusOr<SpeedSelection> SelectionFromFlags() {
  SpeedSelection selection;
  OP3D_ASSIGN_OR_RETURN(selection.mode, ParseSpeedMode(absl::GetFlag(FLAGS_mode)));
  OP3D_RETURN_IF_ERROR(RequireIn("--turns", absl::GetFlag(FLAGS_turns), 0, 100));
  selection.min_seconds = absl::GetFlag(FLAGS_min_seconds);
  OP3D_RETURN_IF_ERROR(RequireIn("--min_seconds", selection.min_seconds, 0.0, 600.0));
  const double minutes = absl::GetFlag(FLAGS_part_minutes);
  OP3D_RETURN_IF_ERROR(
      Require(minutes > 0 && minutes <= 1e5, "--part_minutes", minutes, "in (0, 100000]"));
  selection.parts = absl::GetFlag(FLAGS_parts);
  for (const std::string& video : absl::GetFlag(FLAGS_videos)) {
    selection.videos.push_back(std::filesystem::absolute(UserPath(video)).string());
    if (!FileExists(selection.videos.back())) {
      return absl::NotFoundError(absl::StrCat("--videos: there is no file ", video));
    }
  }
  selection.peers_python = UserPath(absl::GetFlag(FLAGS_peers_python));
  if (!selection.peers_python.empty() && !FileExists(selection.peers_python)) {
    return absl::NotFoundError(
        absl::StrCat("--peers_python: there is no file ", absl::GetFlag(FLAGS_peers_python)));
  }
  const Processor processor = ParseCpuinfo(ReadFile("/proc/cpuinfo").value_or(""));
  selection.bfloat16 = processor.Has("avx512_bf16") || processor.Has("amx_bf16");
  return selection;
}

absl::StatusOr<std::string> OutputFromFlags(SpeedMode mode) {
  std::string path = UserPath(absl::GetFlag(FLAGS_output));
  if (path.empty()) {
    const std::string time =
        absl::FormatTime("%Y-%m-%d-%H%M%S", absl::Now(), absl::LocalTimeZone());
    path = JoinPath(WorkspaceFolder(),
                    absl::StrCat("results/runs/speed-", SpeedModeName(mode), "-", time, ".json"));
  }
  if (FileExists(path) || FolderExists(path)) {
    return absl::AlreadyExistsError(
        absl::StrCat("--output=", path, " exists; remove it or give another name"));
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (!folder.empty()) OP3D_RETURN_IF_ERROR(MakeFolders(folder));
  return path;
}

absl::Status List(const SpeedSuite& suite, const std::string& folder) {
  for (const SpeedWork& work : suite.parts) {
    if (work.peers) {
      std::printf("%s  the script's own rows\n", work.name.c_str());
      continue;
    }
    SubprocessOptions options;
    options.command = work.command;
    options.command.push_back("--benchmark_list_tests=true");
    options.pipes = true;  // its stderr is not part of the list
    options.variables = {{"TEST_TMPDIR", folder}};
    OP3D_ASSIGN_OR_RETURN(const auto child, Subprocess::Start(options));
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(child->output(), buffer, sizeof(buffer))) > 0;) {
      text.append(buffer, got);
    }
    const int code = child->Wait();
    if (code != 0) {
      return absl::AbortedError(absl::StrCat("part ", work.name, " ended with ", code, ": ", text));
    }
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
      std::printf("%s  %s\n", work.name.c_str(), std::string(line).c_str());
    }
  }
  return absl::OkStatus();
}

// OK unless a row became slower.
absl::Status Compare(const SpeedReport& old_report, const SpeedReport& new_report) {
  const SpeedComparison comparison =
      CompareSpeeds(old_report, new_report, absl::GetFlag(FLAGS_tolerance));
  std::fputs(DescribeSpeedComparison(comparison).c_str(), stdout);
  if (comparison.changes.empty()) {
    return absl::InvalidArgumentError("the two reports have no row in common");
  }
  if (comparison.slower == 0) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(comparison.slower, " rows became slower"));
}

absl::Status Measure(const SpeedReport* old_report) {
  OP3D_ASSIGN_OR_RETURN(SpeedSelection selection, SelectionFromFlags());
  OP3D_ASSIGN_OR_RETURN(const ScratchFolder scratch, ScratchFolder::Make());
  selection.clip = JoinPath(scratch.path(), "made.mp4");
  OP3D_ASSIGN_OR_RETURN(SpeedSuite suite, SelectSpeedParts(selection));
  if (absl::GetFlag(FLAGS_turns) > 0) suite.turns = absl::GetFlag(FLAGS_turns);
  suite.limit = absl::Minutes(absl::GetFlag(FLAGS_part_minutes));
  suite.folder = scratch.path();
  // Before any program runs, because making it takes the processor.
  const bool needs_clip =
      std::any_of(suite.parts.begin(), suite.parts.end(), [&](const SpeedWork& work) {
        return work.yardstick == "decode" ||
               absl::StrContains(absl::StrJoin(work.command, " "), selection.clip);
      });
  if (needs_clip) data::WriteWaveClip(scratch.path(), "made.mp4", 250, /*seed=*/1);
  if (absl::GetFlag(FLAGS_list)) return List(suite, scratch.path());
  OP3D_ASSIGN_OR_RETURN(const std::string output, OutputFromFlags(selection.mode));
  suite.save = [&](const SpeedReport& report) { return WriteSpeedReport(report, output); };

  SpeedReport report = StartReport(selection, selection.min_seconds);
  if (report.machine().load_before() > 0.5) {
    Progress::Print(absl::StrCat("the load is ", report.machine().load_before(),
                                 ": something else uses the processor; the spreads will be wide"));
  }
  const absl::Status status = RunSpeedSuite(suite, &report);
  report.mutable_machine()->set_load_after(Load());
  report.mutable_environment()->set_finished(results::RecordTime(absl::Now()));
  OP3D_RETURN_IF_ERROR(WriteSpeedReport(report, output));
  if (absl::IsCancelled(status)) {
    return absl::CancelledError(absl::StrCat(status.message(), "; ", output,
                                             " holds what was measured; to measure all of it, "
                                             "start again with another --output"));
  }
  OP3D_RETURN_IF_ERROR(status);
  std::fputs(DescribeSpeedReport(report).c_str(), stdout);
  Progress::Print(absl::StrCat("wrote ", output));
  const absl::Status parts = SpeedSuiteStatus(report);
  if (old_report == nullptr) return parts;
  std::fputs("\n", stdout);
  const absl::Status compared = Compare(*old_report, report);
  return parts.ok() ? compared : parts;
}

absl::Status Run(absl::Span<const std::string> words) {
  const bool compares = FlagIsGiven("compare");
  if (words.size() > 1) return RequireWords(words, 1, "speed [REPORT.json] [--compare=OLD.json]");
  if (FlagIsGiven("tolerance") && !compares) {
    return absl::InvalidArgumentError("--tolerance has no effect here: it goes with --compare");
  }
  OP3D_RETURN_IF_ERROR(RequireIn("--tolerance", absl::GetFlag(FLAGS_tolerance), 0.0, 10.0));
  for (const char* flag : {"mode", "parts", "turns", "min_seconds", "part_minutes", "videos",
                           "peers_python", "output", "list"}) {
    if (!words.empty() && FlagIsGiven(flag)) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag, " has no effect here: ", words[0],
                                                     " is read and nothing is measured"));
    }
  }
  if (compares && absl::GetFlag(FLAGS_list)) {
    return absl::InvalidArgumentError("--compare has no effect with --list");
  }
  SpeedReport old_report;
  if (compares) {
    OP3D_ASSIGN_OR_RETURN(old_report, ReadSpeedReport(UserPath(absl::GetFlag(FLAGS_compare))));
  }
  if (words.empty()) return Measure(compares ? &old_report : nullptr);
  OP3D_ASSIGN_OR_RETURN(const SpeedReport report, ReadSpeedReport(UserPath(words[0])));
  if (compares) return Compare(old_report, report);
  std::fputs(DescribeSpeedReport(report).c_str(), stdout);
  return SpeedSuiteStatus(report);
}

}  // namespace
}  // namespace op3d::benchmarks

int main(int argc, char** argv) {
  return op3d::RunProgram(
      argc, argv,
      "measures the speed of data, network, training and planner and writes one JSON file: every "
      "row's time and its ratio to a yardstick of the same run (a matrix product, FFmpeg's own "
      "decoding), median and range over turns.  With a report as its word it measures nothing, but "
      "prints it or compares it.  Exit 0 = done, 1 = a part failed or is missing, or with "
      "--compare a row became slower; 2 = wrong use.\n\n"
      "  ./bazelw run //benchmarks:speed -- --output=before.json\n"
      "  ./bazelw run //benchmarks:speed -- --output=after.json --compare=before.json",
      [](absl::Span<const std::string> words) { return op3d::benchmarks::Run(words); });
}
