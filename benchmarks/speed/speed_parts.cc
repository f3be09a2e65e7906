#include "benchmarks/speed/speed_parts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/bazel.h"
#include "op3d/base/status_macros.h"

namespace op3d::benchmarks {
namespace {

constexpr char kNetworkProgram[] = "benchmarks/speed/network_benchmark";
constexpr char kDataProgram[] = "benchmarks/speed/data_benchmark";
constexpr char kVideoProgram[] = "data/video/video_benchmark";
constexpr char kNoPeers[] =
    "it needs --peers_python, a Python with the peers; its script's first lines say how to make "
    "one";

struct PartRow {
  absl::string_view name;
  absl::string_view what;
  // In the workspace.
  absl::string_view program;
  // Empty for the peers' parts: their yardstick is op3d in their own turns.
  absl::string_view yardstick;
  // Google Benchmark's filters of the smoke, quick and full mode.
  const char* filters[3];
};

// Neighbours share the measurement of a yardstick, so the parts are sorted by it.
constexpr PartRow kParts[] = {
    {"data",
     "clips and views from files",
     kDataProgram,
     "decode",
     {"Scan|DecodeAll", "TrainingSample|Views|Scan|DecodeAll|Loader", "."}},
    {"video",
     "scanning, opening and reading a video",
     kVideoProgram,
     "decode",
     {"Scan|Open", "Scan|Open|Clip16|DecodeAll", "Scan|Open|Clip16|DecodeAll"}},
    {"index",
     "loading and writing the index of 250,000 videos",
     "data/index/index_benchmark",
     "gemm",
     {".", ".", "."}},
    {"network",
     "training steps and evaluation",
     kNetworkProgram,
     "gemm",
     {"miniature/(train|evaluate)/16x16x32",
      "miniature/(train|evaluate)/16x16x32|resnet(18|50)/(train|evaluate)/2x16x112/fp32",
      "^dg_p3d.*/fp32"}},
    {"training",
     "training from video files, checkpoints",
     "benchmarks/speed/training_benchmark",
     "gemm",
     {"Files/Miniature", "Files/R18", "/R(18|50)"}},
    {"knee", "estimates of knees", "planner/knee/knee_benchmark", "gemm", {"/11$", ".", "."}},
    {"search",
     "a search without its training",
     "planner/search/search_benchmark",
     "gemm",
     {"states:9/", "states:(9|1000)/|Epoch", "."}},
    {"data_peers",
     "the usual Python decoders on the same files",
     "benchmarks/speed/data_peers.py",
     "",
     {}},
    {"network_peers", "the same network in PyTorch", "benchmarks/speed/network_peers.py", "", {}},
};

// What the network's part adds to its filter where the processor has instructions for bf16.
constexpr absl::string_view kBfloat16Filters[] = {"", "|resnet18/(train|evaluate)/2x16x112/bf16",
                                                  "|^dg_p3d.*/bf16"};

bool IsPeers(const PartRow& row) { return row.yardstick.empty(); }

// The program's path; its path in the workspace if it is not there, which the suite reports.
std::string ProgramPath(absl::string_view program) {
  return RunfilePath(program).value_or(std::string(program));
}

std::string Filter(const PartRow& row, const SpeedSelection& selection) {
  const int mode = static_cast<int>(selection.mode);
  const bool bfloat16 = row.name == "network" && selection.bfloat16;
  return absl::StrCat(row.filters[mode], bfloat16 ? kBfloat16Filters[mode] : "");
}

std::string MinTime(const SpeedSelection& selection) {
  constexpr double kSeconds[] = {0, 0.2, 1};
  return absl::StrCat("--benchmark_min_time=", selection.min_seconds > 0
                                                   ? selection.min_seconds
                                                   : kSeconds[static_cast<int>(selection.mode)]);
}

std::vector<std::string> Command(const PartRow& row, const SpeedSelection& selection) {
  std::vector<std::string> videos = selection.videos;
  if (videos.empty()) videos = {selection.clip};
  const std::string path = ProgramPath(row.program);
  if (IsPeers(row)) {
    std::vector<std::string> command = {selection.peers_python, path};
    if (selection.mode == SpeedMode::kSmoke) command.push_back("--smoke");
    const bool data = row.name == "data_peers";
    command.push_back(ProgramPath(data ? kDataProgram : kNetworkProgram));
    if (data) command.insert(command.end(), videos.begin(), videos.end());
    return command;
  }
  std::vector<std::string> command = {path, MinTime(selection),
                                      absl::StrCat("--benchmark_filter=", Filter(row, selection))};
  if (row.program == kVideoProgram) command.push_back(absl::StrCat("--clip=", videos[0]));
  if (row.program == kDataProgram || row.name == "training") {
    command.push_back(absl::StrCat("--videos=", absl::StrJoin(videos, ",")));
  }
  if (row.name == "training") {
    command.push_back(absl::StrCat("--steps=", selection.mode == SpeedMode::kFull ? 4 : 2));
  }
  return command;
}

absl::Status CheckParts(const SpeedSelection& selection) {
  std::set<std::string> seen;
  for (const std::string& name : selection.parts) {
    const auto row = std::find_if(std::begin(kParts), std::end(kParts),
                                  [&](const PartRow& each) { return each.name == name; });
    if (row == std::end(kParts)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--parts: there is no part '", name, "'; there are ", SpeedPartNames()));
    }
    if (!seen.insert(name).second) {
      return absl::InvalidArgumentError(absl::StrCat("--parts names ", name, " twice"));
    }
    if (IsPeers(*row) && selection.peers_python.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("--parts=", name, ": ", kNoPeers));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string SpeedModeName(SpeedMode mode) {
  static const char* const kNames[] = {"smoke", "quick", "full"};
  return kNames[static_cast<int>(mode)];
}

absl::StatusOr<SpeedMode> ParseSpeedMode(absl::string_view name) {
  for (const SpeedMode mode : {SpeedMode::kSmoke, SpeedMode::kQuick, SpeedMode::kFull}) {
    if (name == SpeedModeName(mode)) return mode;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--mode=", name, "; it must be smoke, quick or full"));
}

std::string SpeedPartNames() {
  return absl::StrJoin(
      kParts, ", ", [](std::string* out, const PartRow& row) { absl::StrAppend(out, row.name); });
}

absl::StatusOr<SpeedSuite> SelectSpeedParts(const SpeedSelection& selection) {
  OP3D_RETURN_IF_ERROR(CheckParts(selection));
  SpeedSuite suite;
  suite.turns = selection.mode == SpeedMode::kSmoke ? 1 : 5;
  const std::string min_time =
      absl::StrCat("--benchmark_min_time=", selection.mode == SpeedMode::kSmoke ? 0 : 0.5);
  suite.yardsticks = {
      {"gemm",
       "product of two 1536 x 1536 matrices in fp32 by LibTorch, one thread",
       {ProgramPath(kNetworkProgram), min_time, "--benchmark_filter=^gemm/fp32"}},
      {"decode",
       "all frames of a made clip (H.264, 340 x 256, 250 frames) by FFmpeg's libraries alone, one "
       "thread",
       {ProgramPath(kVideoProgram), min_time, "--benchmark_filter=Libavcodec",
        absl::StrCat("--clip=", selection.clip)}}};
  for (const PartRow& row : kParts) {
    const bool named = std::find(selection.parts.begin(), selection.parts.end(), row.name) !=
                       selection.parts.end();
    const bool by_default =
        selection.parts.empty() && (!IsPeers(row) || selection.mode == SpeedMode::kFull);
    if (!named && !by_default) continue;
    SpeedWork work = {std::string(row.name), std::string(row.what), Command(row, selection),
                      std::string(row.yardstick), IsPeers(row)};
    if (IsPeers(row) && selection.peers_python.empty()) work.left_out = kNoPeers;
    suite.parts.push_back(std::move(work));
  }
  return suite;
}

}  // namespace op3d::benchmarks
