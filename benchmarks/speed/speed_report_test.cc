#include "benchmarks/speed/speed_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::benchmarks {
namespace {

using testing::AllOf;
using testing::HasSubstr;

SpeedReport Report() {
  SpeedReport report;
  report.set_format(kSpeedReportFormat);
  report.set_version(kSpeedReportVersion);
  report.set_mode("quick");
  report.set_turns(3);
  report.set_complete(true);
  SpeedYardstick& yardstick = *report.add_yardsticks();
  yardstick.set_name("gemm");
  AddSpeedValue(70, yardstick.mutable_ms());
  report.add_parts()->set_name("knee");
  SpeedRow& row = *FindOrAddRow("knee", "BM_EstimateKnee/30", &report);
  row.set_clock("cpu");
  row.set_yardstick("gemm");
  for (const double ms : {0.07, 0.14, 0.035}) {
    AddSpeedValue(ms, row.mutable_ms());
    AddSpeedValue(ms / 70, row.mutable_ratio());
  }
  return report;
}

// The status of reading this text.
absl::Status ReadText(const std::string& text) {
  const std::string path = JoinPath(TestFolder("speed_report_text"), "report.json");
  EXPECT_THAT(WriteFileAtomically(path, text), IsOk());
  return ReadSpeedReport(path).status();
}

std::string Text() {
  const std::string path = JoinPath(TestFolder("speed_report"), "report.json");
  EXPECT_THAT(WriteSpeedReport(Report(), path), IsOk());
  return *ReadFile(path);
}

TEST(SpeedReportTest, MedianAndRangeOfOddAndEvenNumbersOfValues) {
  SpeedSpread spread;
  for (const double value : {3.0, 1.0, 10.0}) AddSpeedValue(value, &spread);
  EXPECT_EQ(spread.median(), 3);
  EXPECT_EQ(spread.least(), 1);
  EXPECT_EQ(spread.most(), 10);
  AddSpeedValue(5, &spread);
  EXPECT_EQ(spread.median(), 4);
}

TEST(SpeedReportTest, ReadsWhatItWrites) {
  const std::string path = JoinPath(TestFolder("speed_round_trip"), "report.json");
  ASSERT_THAT(WriteSpeedReport(Report(), path), IsOk());
  const auto read = ReadSpeedReport(path);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->SerializeAsString(), Report().SerializeAsString());
}

TEST(SpeedReportTest, FiguresComeFromTheValuesNotFromAnEditedMedian) {
  const std::string path = JoinPath(TestFolder("speed_edited"), "report.json");
  ASSERT_THAT(WriteFileAtomically(
                  path, absl::StrReplaceAll(Text(), {{"\"median\": 0.07,", "\"median\": 9,"}})),
              IsOk());
  EXPECT_EQ(ReadSpeedReport(path)->rows(0).ms().median(), 0.07);
}

TEST(SpeedReportTest, FieldsOfALaterProgramAreIgnoredButNotALaterVersion) {
  EXPECT_THAT(ReadText(absl::StrReplaceAll(Text(), {{"\"turns\"", "\"new_field\": 1, \"turns\""}})),
              IsOk());
  EXPECT_THAT(ReadText(absl::StrReplaceAll(Text(), {{"\"version\": 1", "\"version\": 2"}})),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("report.json"), HasSubstr("its version is 2"))));
}

TEST(SpeedReportTest, RefusesWhatIsNotAReport) {
  const std::string text = Text();
  for (const auto& [bad, why] : std::initializer_list<std::pair<std::string, std::string>>{
           {"", "report.json"},
           {"{}", "its format is ''"},
           {"[1, 2]", "report.json"},
           {text.substr(0, text.size() / 2), "report.json"},
           {absl::StrReplaceAll(text, {{"op3d_speed", "other"}}), "its format is 'other'"},
           {absl::StrReplaceAll(text, {{"0.14", "0"}}),
            "a value is 0; it must be finite and above 0"},
           {absl::StrReplaceAll(text, {{"0.14", "\"NaN\""}}), "a value is nan"},
           {absl::StrReplaceAll(text, {{"0.14", "\"fast\""}}), "report.json"},
           {absl::StrReplaceAll(text, {{"\"DONE\"", "7"}}), "there is no state 7"},
           {absl::StrReplaceAll(text, {{"\"BM_EstimateKnee/30\"", "\"\""}}),
            "without a part or a name"},
       }) {
    EXPECT_THAT(ReadText(bad), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why))) << bad;
  }
}

TEST(SpeedReportTest, RefusesARowTwiceAndARowWithoutValues) {
  const std::string path = JoinPath(TestFolder("speed_rows"), "report.json");
  SpeedReport report = Report();
  *report.add_rows() = report.rows(0);
  ASSERT_THAT(WriteSpeedReport(report, path), IsOk());
  EXPECT_THAT(ReadSpeedReport(path),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is there twice")));
  report = Report();
  report.mutable_rows(0)->clear_ms();
  ASSERT_THAT(WriteSpeedReport(report, path), IsOk());
  EXPECT_THAT(ReadSpeedReport(path),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("there are no values")));
}

TEST(SpeedReportTest, AMissingFileIsNamed) {
  EXPECT_THAT(ReadSpeedReport("/no/such.json"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such.json")));
}

TEST(SpeedReportTest, TheTextShowsRowsRangesAndFailures) {
  SpeedReport report = Report();
  SpeedPart& failed = *report.add_parts();
  failed.set_name("search");
  failed.set_state(SpeedPart::FAILED);
  failed.set_message("exit code 3");
  const std::string text = DescribeSpeedReport(report);
  EXPECT_THAT(text, HasSubstr("70 us  (35 us - 140 us)"));
  EXPECT_THAT(text, HasSubstr("0.001  (0.0005 - 0.002) of gemm"));
  EXPECT_THAT(text, HasSubstr("search  FAILED: exit code 3"));
}

// The report in the repository, with which others are compared.
TEST(SpeedReportTest, ReadsTheRecordedReport) {
  ASSERT_OK_AND_ASSIGN(const SpeedReport report,
                       ReadSpeedReport(*RunfilePath("benchmarks/speed/quick_2_cores.json")));
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(report.turns(), 5);
  EXPECT_EQ(report.mode(), "quick");
  EXPECT_FALSE(report.environment().modified());
  EXPECT_GT(report.rows_size(), 40);
}

}  // namespace
}  // namespace op3d::benchmarks
