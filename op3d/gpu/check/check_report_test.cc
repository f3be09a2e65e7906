#include "op3d/gpu/check/check_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "op3d/base/file.h"

namespace op3d::gpu {
namespace {

using ::testing::TempDir;

nlohmann::json Read(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  return text.ok() ? nlohmann::json::parse(*text) : nlohmann::json(text.status().ToString());
}

TEST(CheckReportTest, TheRecordIsWrittenAfterEachCheckAndFigure) {
  const std::string path = TempDir() + "/record.json";
  CheckReport report;
  ASSERT_TRUE(report.RecordTo(path).ok());
  EXPECT_EQ(Read(path)["complete"], false);
  report.Part("first");
  report.Limit("a", 2, 3, {{"cosine", 0.5}});
  EXPECT_EQ(Read(path)["checks"][0]["cosine"], 0.5);
  report.Figure("training", {{"seconds", 1.5}});
  EXPECT_EQ(Read(path)["figures"]["training"][0]["seconds"], 1.5);
  report.Note("commit", "0123");
  EXPECT_EQ(Read(path)["commit"], "0123");
  EXPECT_EQ(Read(path)["complete"], false);
  EXPECT_TRUE(Read(path)["part_seconds"].contains("first"));
  ASSERT_TRUE(report.Complete().ok());
  EXPECT_EQ(Read(path)["complete"], true);
  EXPECT_EQ(Read(path)["passed"], true);
}

TEST(CheckReportTest, CountsFailures) {
  CheckReport report;
  report.Limit("nan", std::numeric_limits<double>::quiet_NaN(), 1);
  report.Limit("above", 2, 1);
  report.Same("bits", "2 of 8 numbers differ");
  report.Keep("fine", absl::OkStatus());
  report.Keep("part", absl::InternalError("no \xff memory"));
  report.Expect("passed", true);
  EXPECT_EQ(report.failed(), 4);
  const nlohmann::json record = report.ToJson();
  EXPECT_EQ(record["checks"].size(), 5u);
  EXPECT_EQ(record["checks"][2]["detail"], "2 of 8 numbers differ");
  EXPECT_EQ(record["passed"], false);
}

TEST(CheckReportTest, AnErrorOfWritingIsReported) {
  CheckReport report;
  EXPECT_FALSE(report.RecordTo("/no/such/folder/record.json").ok());
  report.Expect("goes on", true);
  EXPECT_FALSE(report.Complete().ok());
}

}  // namespace
}  // namespace op3d::gpu
