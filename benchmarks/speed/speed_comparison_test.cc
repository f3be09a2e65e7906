#include "benchmarks/speed/speed_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "benchmarks/speed/speed_report.h"

namespace op3d::benchmarks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kTolerance = 0.05;

// A row with these ratios; its times are 10 times them.
void AddRow(const std::string& name, const std::string& yardstick,
            std::initializer_list<double> ratios, SpeedReport* report) {
  SpeedRow& row = *FindOrAddRow("part", name, report);
  row.set_clock("cpu");
  row.set_yardstick(yardstick);
  for (const double ratio : ratios) {
    AddSpeedValue(10 * ratio, row.mutable_ms());
    if (!yardstick.empty()) AddSpeedValue(ratio, row.mutable_ratio());
  }
}

SpeedReport Report(const std::string& yardstick, std::initializer_list<double> ratios) {
  SpeedReport report;
  report.set_complete(true);
  AddRow("row", yardstick, ratios, &report);
  return report;
}

SpeedChange::Verdict Verdict(const SpeedReport& before, const SpeedReport& after) {
  return CompareSpeeds(before, after, kTolerance).changes.at(0).verdict;
}

TEST(SpeedComparisonTest, OnlyDifferencesAboveBothRangesTogetherCount) {
  const SpeedReport before = Report("gemm", {1.0, 1.1, 0.9});
  // Ranges 0.2 and 0.2: medians may differ by 0.4.
  EXPECT_EQ(Verdict(before, Report("gemm", {1.3, 1.4, 1.2})), SpeedChange::kInsideSpread);
  EXPECT_EQ(Verdict(before, Report("gemm", {1.5, 1.6, 1.4})), SpeedChange::kSlower);
  EXPECT_EQ(Verdict(before, Report("gemm", {0.5, 0.45, 0.55})), SpeedChange::kFaster);
}

TEST(SpeedComparisonTest, FiveTurnsWhoseRangesAreApartCount) {
  const SpeedReport before = Report("gemm", {1.0, 0.9, 1.3, 0.95, 1.1});
  // Medians 0.6 apart, ranges 0.4 and 0.5, between them 0.1 and 0.04.
  EXPECT_EQ(Verdict(before, Report("gemm", {1.6, 1.4, 1.9, 1.5, 1.7})), SpeedChange::kSlower);
  EXPECT_EQ(Verdict(before, Report("gemm", {1.6, 1.34, 1.84, 1.5, 1.7})),
            SpeedChange::kInsideSpread);
  EXPECT_EQ(Verdict(before, Report("gemm", {0.7, 0.5, 0.84, 0.6, 0.8})), SpeedChange::kFaster);
  EXPECT_EQ(Verdict(before, Report("gemm", {1.6, 1.4, 1.9, 1.5})), SpeedChange::kInsideSpread);
}

TEST(SpeedComparisonTest, SmallDifferencesDoNotCountWhateverTheSpread) {
  const SpeedReport before = Report("gemm", {1.0, 1.0, 1.0});
  EXPECT_EQ(Verdict(before, Report("gemm", {1.04, 1.04, 1.04})), SpeedChange::kInsideSpread);
  EXPECT_EQ(Verdict(before, Report("gemm", {1.06, 1.06, 1.06})), SpeedChange::kSlower);
}

TEST(SpeedComparisonTest, FewTurnsAreNotJudged) {
  EXPECT_EQ(Verdict(Report("gemm", {1.0, 1.0}), Report("gemm", {9.0, 9.0, 9.0})),
            SpeedChange::kTooFewTurns);
}

TEST(SpeedComparisonTest, APeerThatTakesLongerIsGood) {
  const SpeedComparison comparison =
      CompareSpeeds(Report("op3d", {1.0, 1.0, 1.0}), Report("op3d", {1.5, 1.5, 1.5}), kTolerance);
  EXPECT_EQ(comparison.changes[0].verdict, SpeedChange::kFaster);
  EXPECT_EQ(comparison.faster, 1);
  EXPECT_EQ(comparison.slower, 0);
}

TEST(SpeedComparisonTest, TimesAreComparedWithoutACommonYardstick) {
  const SpeedComparison comparison =
      CompareSpeeds(Report("gemm", {1.0, 1.0, 1.0}), Report("", {2.0, 2.0, 2.0}), kTolerance);
  EXPECT_EQ(comparison.changes[0].measure, "cpu ms");
  EXPECT_DOUBLE_EQ(comparison.changes[0].change, 1);
  EXPECT_EQ(comparison.slower, 1);
}

TEST(SpeedComparisonTest, RowsOfOneReportAreListedAndLargeChangesComeFirst) {
  SpeedReport before = Report("gemm", {1.0, 1.0, 1.0}), after = Report("gemm", {1.0, 1.0, 1.0});
  AddRow("gone", "gemm", {1}, &before);
  AddRow("new", "gemm", {1}, &after);
  for (const auto& [name, ratio] : {std::pair("some", 1.2), {"most", 3.0}}) {
    AddRow(name, "gemm", {1.0, 1.0, 1.0}, &before);
    AddRow(name, "gemm", {ratio, ratio, ratio}, &after);
  }
  const SpeedComparison comparison = CompareSpeeds(before, after, kTolerance);
  EXPECT_THAT(comparison.only_old, ElementsAre("part gone"));
  EXPECT_THAT(comparison.only_new, ElementsAre("part new"));
  const std::string text = DescribeSpeedComparison(comparison);
  EXPECT_LT(text.find("part most"), text.find("part some"));
  EXPECT_LT(text.find("part some"), text.find("part row"));
  EXPECT_THAT(text, HasSubstr("+200.0%  SLOWER"));
  EXPECT_THAT(text, HasSubstr("3 rows compared: 0 faster, 2 slower"));
}

TEST(SpeedComparisonTest, NotesSayWhatElseDiffers) {
  SpeedReport before = Report("gemm", {1}), after = Report("gemm", {1});
  before.set_mode("quick");
  after.set_mode("smoke");
  (*before.mutable_libraries())["libtorch"] = "2.11.0";
  after.set_complete(false);
  EXPECT_THAT(
      CompareSpeeds(before, after, kTolerance).notes,
      ElementsAre("mode: quick before, smoke after", "libtorch: 2.11.0 before, nothing after",
                  "the new report is not complete",
                  "the new report is of a smoke run; its figures mean nothing"));
}

}  // namespace
}  // namespace op3d::benchmarks
