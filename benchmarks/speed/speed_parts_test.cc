#include "benchmarks/speed/speed_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::benchmarks {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Names(const SpeedSuite& suite) {
  std::vector<std::string> names;
  for (const SpeedWork& part : suite.parts) names.push_back(part.name);
  return names;
}

// Whether the only part's filter takes the row.
bool Takes(const SpeedSelection& selection, const std::string& row) {
  const auto suite = SelectSpeedParts(selection);
  for (const std::string& argument : suite->parts.at(0).command) {
    constexpr absl::string_view kFlag = "--benchmark_filter=";
    if (!absl::StartsWith(argument, kFlag)) continue;
    return std::regex_search(row, std::regex(argument.substr(kFlag.size()), std::regex::extended));
  }
  ADD_FAILURE() << "no filter";
  return false;
}

TEST(SpeedPartsTest, PeersRunByDefaultInFullModeAlone) {
  SpeedSelection selection;
  EXPECT_THAT(Names(*SelectSpeedParts(selection)),
              ElementsAre("data", "video", "index", "network", "training", "knee", "search"));
  selection.mode = SpeedMode::kFull;
  const auto full = SelectSpeedParts(selection);
  ASSERT_EQ(full->parts.size(), 9);
  EXPECT_THAT(full->parts[8].left_out, HasSubstr("--peers_python"));
  selection.peers_python = "/venv/bin/python";
  EXPECT_EQ(SelectSpeedParts(selection)->parts[8].left_out, "");
}

TEST(SpeedPartsTest, NamedPartsKeepTheirOrder) {
  SpeedSelection selection;
  selection.parts = {"search", "network_peers", "data"};
  selection.peers_python = "/venv/bin/python";
  const auto suite = SelectSpeedParts(selection);
  EXPECT_THAT(Names(*suite), ElementsAre("data", "search", "network_peers"));
  EXPECT_EQ(suite->parts[2].command[0], "/venv/bin/python");
  EXPECT_TRUE(suite->parts[2].peers);
}

TEST(SpeedPartsTest, EveryYardstickIsThere) {
  const auto suite = SelectSpeedParts({});
  for (const SpeedWork& part : suite->parts) {
    EXPECT_THAT(suite->yardsticks, Contains(testing::Field(&SpeedWork::name, part.yardstick)));
  }
}

TEST(SpeedPartsTest, Bfloat16NeedsAProcessorThatHasIt) {
  for (const SpeedMode mode : {SpeedMode::kQuick, SpeedMode::kFull}) {
    SpeedSelection selection;
    selection.mode = mode;
    selection.parts = {"network"};
    const std::string row = "dg_p3d_resnet18/train/2x16x112/";
    EXPECT_TRUE(Takes(selection, row + "fp32/manual_time"));
    EXPECT_FALSE(Takes(selection, row + "bf16/manual_time"));
    selection.bfloat16 = true;
    EXPECT_TRUE(Takes(selection, row + "fp32/manual_time"));
    EXPECT_TRUE(Takes(selection, row + "bf16/manual_time"));
    EXPECT_FALSE(Takes(selection, "gemm/fp32/manual_time"));
  }
}

TEST(SpeedPartsTest, VideosAndSecondsReachThePrograms) {
  SpeedSelection selection;
  selection.parts = {"data"};
  selection.clip = "/tmp/made.mp4";
  selection.min_seconds = 3;
  EXPECT_THAT(SelectSpeedParts(selection)->parts[0].command, Contains("--videos=/tmp/made.mp4"));
  selection.videos = {"/a.mp4", "/b.avi"};
  const auto suite = SelectSpeedParts(selection);
  EXPECT_THAT(suite->parts[0].command, Contains("--videos=/a.mp4,/b.avi"));
  EXPECT_THAT(suite->parts[0].command, Contains("--benchmark_min_time=3"));
  // Always the same file, so that yardsticks of two runs are equal.
  EXPECT_THAT(suite->yardsticks[1].command, Contains("--clip=/tmp/made.mp4"));
}

TEST(SpeedPartsTest, ModesHaveNames) {
  for (const SpeedMode mode : {SpeedMode::kSmoke, SpeedMode::kQuick, SpeedMode::kFull}) {
    EXPECT_EQ(*ParseSpeedMode(SpeedModeName(mode)), mode);
  }
  EXPECT_THAT(ParseSpeedMode("QUICK"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                HasSubstr("must be smoke, quick or full")));
}

}  // namespace
}  // namespace op3d::benchmarks
