// Checks the direction of dependencies on Bazel's own graph: a component may use those before it.
//
// Reads `bazel query 'deps(...)' --output=graph` (a genquery action) edge by edge.

#include <gmock/gmock.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::benchmarks {
namespace {

struct Edge {
  std::string from, to;
};

// The position of a label's component in the order; -1 if it has none.
int Room(absl::string_view label) {
  struct Place {
    const char* prefix;
    int room;
  };
  // The first matching prefix counts.
  constexpr Place kHouse[] = {
      {"//op3d/base", 0},      {"//data", 1},     {"//op3d/torch", 2},       {"//op3d/network", 2},
      {"//op3d/gpu/check", 4}, {"//op3d/gpu", 2}, {"//op3d/distributed", 3}, {"//op3d/train", 3},
      {"//op3d/eval", 3},      {"//op3d", 4},     {"//planner", 5},          {"//results", 6},
      {"//benchmarks", 7},     {"//programs", 8}};
  for (const Place& place : kHouse) {
    if (absl::StartsWith(label, place.prefix)) return place.room;
  }
  return -1;
}

bool IsProto(absl::string_view label) {
  return absl::EndsWith(label, "_proto") || absl::EndsWith(label, ".proto");
}

// "//planner/search:journal" -> "//planner/search".
std::string Package(absl::string_view label) {
  return std::string(label.substr(0, label.find(':')));
}

// The packages that make tensors; others use LibTorch only through them.
bool MakesTensors(absl::string_view label) {
  constexpr const char* kPackages[] = {
      "//op3d/torch", "//op3d/network",    "//op3d/network/layers", "//op3d/network/torchscript",
      "//op3d/gpu",   "//op3d/gpu/check",  "//op3d/distributed",    "//op3d/eval",
      "//op3d/train", "//op3d/train/cost", "//op3d/train/step"};
  return label == "//programs:predict" ||
         std::count(std::begin(kPackages), std::end(kPackages), Package(label)) > 0;
}

bool MaySee(absl::string_view from, absl::string_view to) {
  const int user = Room(from), used = Room(to);
  if (user < 0) return true;
  if (absl::StartsWith(to, "@ffmpeg//")) return Package(from) == "//data/video/ffmpeg";
  if (to == "//data/video/ffmpeg:ffmpeg") return absl::StartsWith(from, "//data/video");
  if (absl::StartsWith(to, "@libtorch//")) return MakesTensors(from);
  if (used < 0) return true;
  // Of the components before it, results may use protos, the shipped datasets' facts, and pure
  // functions of the metrics and the planner, but never a trainer or a video.
  if (user == 6 && used != 6 && !IsProto(to)) {
    return used == 0 || absl::StartsWith(to, "//planner/") ||
           absl::StartsWith(to, "//data/datasets:") || absl::StartsWith(to, "//op3d/eval/scores:");
  }
  // Protos are the components' contracts: a later component's record may contain an earlier one's,
  // not the other way round.
  return used <= user;
}

std::vector<Edge> ReadGraph() {
  const absl::StatusOr<std::string> path = RunfilePath("benchmarks/house_graph");
  const absl::StatusOr<std::string> text = ReadFile(*path);
  std::vector<Edge> edges;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::vector<std::string> sides = absl::StrSplit(line, " -> ");
    if (sides.size() != 2) continue;
    const auto label = [](absl::string_view side) {
      side = absl::StripAsciiWhitespace(side);
      return std::string(absl::StripSuffix(absl::StripPrefix(side, "\""), "\""));
    };
    edges.push_back({label(sides[0]), label(sides[1])});
  }
  return edges;
}

TEST(DependencyTest, RoomsUseOnlyWhatStandsBeforeThem) {
  const std::vector<Edge> edges = ReadGraph();
  ASSERT_GT(edges.size(), 300);  // the whole house was read
  std::vector<std::string> against;
  for (const Edge& edge : edges) {
    if (!MaySee(edge.from, edge.to)) against.push_back(absl::StrCat(edge.from, " -> ", edge.to));
  }
  EXPECT_THAT(against, testing::IsEmpty());
}

// All dependencies of `target`.
std::set<std::string> Dependencies(const std::vector<Edge>& edges, const std::string& target) {
  std::multimap<std::string, std::string> uses;
  for (const Edge& edge : edges) uses.emplace(edge.from, edge.to);
  std::set<std::string> found;
  std::vector<std::string> open = {target};
  while (!open.empty()) {
    const std::string label = open.back();
    open.pop_back();
    if (!found.insert(label).second) continue;
    const auto [begin, end] = uses.equal_range(label);
    for (auto use = begin; use != end; ++use) open.push_back(use->second);
  }
  return found;
}

// `plan` reads lists of datasets, which may be at a URL, with FFmpeg's connections.
TEST(DependencyTest, ThePlannersProgramsAreFreeOfLibTorch) {
  const std::vector<Edge> edges = ReadGraph();
  for (const char* program : {"//programs:plan", "//programs:knee"}) {
    const std::set<std::string> used = Dependencies(edges, program);
    EXPECT_TRUE(used.count("//planner/knee:knee_estimator")) << program;
    for (const std::string& label : used) {
      EXPECT_FALSE(absl::StartsWith(label, "@libtorch")) << program << " uses " << label;
      if (program == std::string("//programs:knee")) {
        EXPECT_FALSE(absl::StartsWith(label, "@ffmpeg")) << program << " uses " << label;
      }
    }
  }
  // The same search finds it where it is a dependency.
  EXPECT_TRUE(Dependencies(edges, "//benchmarks:kinetics400").count("@libtorch//:torch"));
}

// Neither directly nor through other targets.
TEST(DependencyTest, DataPlannerAndResultsAreFreeOfLibTorch) {
  const std::vector<Edge> edges = ReadGraph();
  std::set<std::string> labels;
  for (const Edge& edge : edges) labels.insert(edge.from);
  std::vector<std::string> against;
  for (const std::string& label : labels) {
    const int room = Room(label);
    const bool free = room == 0 || room == 1 || room == 6 ||
                      (room == 5 && label != "//planner/runner:training_runner");
    if (free && Dependencies(edges, label).count("@libtorch//:torch")) against.push_back(label);
  }
  EXPECT_THAT(against, testing::IsEmpty());
}

TEST(DependencyTest, NoTwoPackagesUseEachOther) {
  std::set<std::pair<std::string, std::string>> pairs;
  for (const Edge& edge : ReadGraph()) {
    const std::string from = Package(edge.from), to = Package(edge.to);
    if (Room(edge.from) >= 0 && Room(edge.to) >= 0 && from != to) pairs.emplace(from, to);
  }
  ASSERT_GT(pairs.size(), 100);  // the whole house was read
  std::vector<Edge> packages;
  for (const auto& [from, to] : pairs) packages.push_back({from, to});
  std::vector<std::string> circles;
  for (const Edge& edge : packages) {
    if (Dependencies(packages, edge.to).count(edge.from)) {
      circles.push_back(absl::StrCat(edge.from, " -> ", edge.to));
    }
  }
  EXPECT_THAT(circles, testing::IsEmpty());
}

TEST(DependencyTest, TheRuleItselfSaysNo) {
  EXPECT_FALSE(MaySee("//data/loader:loader", "//planner/search:search"));
  EXPECT_FALSE(MaySee("//op3d/network:network", "@ffmpeg//:avcodec"));
  EXPECT_FALSE(MaySee("//data/video/file:video_file", "@ffmpeg//:avcodec"));
  EXPECT_FALSE(MaySee("//data/index:scan_record", "//data/video/ffmpeg:ffmpeg"));
  EXPECT_FALSE(MaySee("//data/loader:loader", "@libtorch//:torch"));
  EXPECT_FALSE(MaySee("//op3d/train/run:training_run", "@libtorch//:torch"));
  EXPECT_FALSE(MaySee("//op3d/train/run:run_settings", "//planner/plans:plan_io"));
  EXPECT_FALSE(MaySee("//results:table", "@libtorch//:torch"));
  EXPECT_FALSE(MaySee("//planner/search:search", "@libtorch//:torch"));
  EXPECT_FALSE(MaySee("//planner/search:search_folder", "//results/record:record"));
  EXPECT_FALSE(MaySee("//results:table", "//op3d/train/step:optimizer"));
  EXPECT_FALSE(MaySee("//results/report:mistakes", "//op3d/eval:scorer"));
  EXPECT_TRUE(MaySee("//results/report:mistakes", "//op3d/eval/scores:metrics"));
  EXPECT_TRUE(MaySee("//benchmarks/run:benchmark", "//results/record:record"));
  EXPECT_TRUE(MaySee("//planner/runner:training_runner", "//op3d/train:state_trainer"));
  EXPECT_TRUE(MaySee("//programs:train", "//planner/plans:plan_io"));
}

}  // namespace
}  // namespace op3d::benchmarks
