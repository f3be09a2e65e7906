#include "benchmarks/speed/speed_suite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "benchmarks/speed/speed_report.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::benchmarks {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Google Benchmark's JSON with these rows.
std::string Json(const std::string& rows) {
  return absl::StrCat(
      R"({"context": {"date": "today", "num_cpus": 2, "libtorch": "2.11.0"}, "benchmarks": [)",
      rows, "]}");
}

constexpr char kCpuRow[] =
    R"({"name": "BM_A/30", "run_type": "iteration", "repetitions": 1, "threads": 1, "iterations": 9,
        "real_time": 4, "cpu_time": 3, "time_unit": "us", "packets": 17})";

SpeedWork Part(const std::string& name) {
  SpeedWork part;
  part.name = name;
  part.what = "a test";
  part.yardstick = "gemm";
  part.command = {"/bin/true"};
  return part;
}

TEST(AddBenchmarkRowsTest, TakesCpuTimeInMillisecondsAndCounters) {
  SpeedReport report;
  ASSERT_THAT(AddBenchmarkRows(Json(kCpuRow), Part("knee"), 0.006, &report), IsOk());
  ASSERT_THAT(AddBenchmarkRows(Json(kCpuRow), Part("knee"), 0.001, &report), IsOk());
  ASSERT_EQ(report.rows_size(), 1);
  const SpeedRow& row = report.rows(0);
  EXPECT_EQ(row.part(), "knee");
  EXPECT_EQ(row.name(), "BM_A/30");
  EXPECT_EQ(row.clock(), "cpu");
  EXPECT_THAT(row.ms().values(), ElementsAre(0.003, 0.003));
  EXPECT_EQ(row.yardstick(), "gemm");
  EXPECT_THAT(row.ratio().values(), ElementsAre(testing::DoubleEq(0.5), testing::DoubleEq(3.0)));
  ASSERT_EQ(row.counters().size(), 1);
  EXPECT_EQ(row.counters().at("packets").median(), 17);
  EXPECT_EQ(report.libraries().at("libtorch"), "2.11.0");
  EXPECT_EQ(report.libraries().size(), 1);
}

TEST(AddBenchmarkRowsTest, NamesSayWhichClockAndNoMore) {
  SpeedReport report;
  ASSERT_THAT(
      AddBenchmarkRows(
          Json(R"({"name": "Files/R18/iterations:3/real_time", "real_time": 2, "cpu_time": 1,
                   "time_unit": "s"},
                  {"name": "net/train/manual_time", "real_time": 5, "cpu_time": 1,
                   "time_unit": "ms"},
                  {"name": "net/train_mean", "run_type": "aggregate", "real_time": 5, "cpu_time": 1,
                   "time_unit": "ms"})"),
          Part("p"), 0, &report),
      IsOk());
  ASSERT_EQ(report.rows_size(), 2);
  EXPECT_EQ(report.rows(0).name(), "Files/R18");
  EXPECT_EQ(report.rows(0).clock(), "wall");
  EXPECT_EQ(report.rows(0).ms().median(), 2000);
  EXPECT_FALSE(report.rows(0).has_ratio());
  EXPECT_EQ(report.rows(1).name(), "net/train");
  EXPECT_EQ(report.rows(1).clock(), "cpu");
  EXPECT_EQ(report.rows(1).ms().median(), 5);
}

TEST(AddBenchmarkRowsTest, ARowThatFailedIsNamedAndTheOthersCount) {
  SpeedReport report;
  EXPECT_THAT(AddBenchmarkRows(Json(absl::StrCat(R"({"name": "bad", "error_occurred": true,
                                             "error_message": "no file"}, )",
                                                 kCpuRow)),
                               Part("p"), 1, &report),
              StatusIs(absl::StatusCode::kInternal, "bad: no file"));
  EXPECT_EQ(report.rows_size(), 1);
}

TEST(AddBenchmarkRowsTest, NoRowsAndOtherTextAreErrors) {
  SpeedReport report;
  for (const std::string& text : {Json(""), std::string("\n")}) {
    EXPECT_THAT(AddBenchmarkRows(text, Part("p"), 1, &report),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("no row of the program matches /bin/true")));
  }
  for (const std::string& text : {std::string("{}"), std::string("[]"), Json(kCpuRow).substr(0, 90),
                                  Json(R"({"name": "a", "cpu_time": 1, "time_unit": "years"})")}) {
    EXPECT_THAT(
        AddBenchmarkRows(text, Part("p"), 1, &report),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not Google Benchmark's JSON")))
        << text;
  }
}

class RunSpeedSuiteTest : public testing::Test {
 protected:
  RunSpeedSuiteTest() { suite_.folder = TestFolder("speed_suite"); }

  // A program that writes this text to the file of --benchmark_out or --output, appends its
  // arguments to `calls`, then does `more`.
  SpeedWork Program(const std::string& name, const std::string& text,
                    const std::string& more = "") {
    const std::string path = JoinPath(suite_.folder, name);
    EXPECT_THAT(
        WriteFileAtomically(
            path, absl::StrCat("#!/bin/sh\necho ", name, " >> ", Calls(),
                               "\nfor a in \"$@\"; do case $a in --benchmark_out=*|--output=*) ",
                               "cat > ${a#*=} <<'END'\n", text, "\nEND\n;; esac; done\n", more)),
        IsOk());
    ::chmod(path.c_str(), 0755);
    SpeedWork work = Part(name);
    work.command = {path};
    return work;
  }

  std::string Calls() const { return JoinPath(suite_.folder, "calls"); }

  SpeedSuite suite_;
  SpeedReport report_;
};

TEST_F(RunSpeedSuiteTest, PartsRunInTurnsBetweenTheirYardstick) {
  suite_.yardsticks = {Program("gemm", Json(R"({"name": "g", "real_time": 1, "cpu_time": 2,
                                               "time_unit": "ms"})"))};
  suite_.parts = {Program("knee", Json(kCpuRow)), Program("search", Json(kCpuRow))};
  suite_.turns = 3;
  int saved = 0;
  suite_.save = [&](const SpeedReport& report) {
    EXPECT_FALSE(report.complete());
    return ++saved, absl::OkStatus();
  };
  ASSERT_THAT(RunSpeedSuite(suite_, &report_), IsOk());
  EXPECT_THAT(SpeedSuiteStatus(report_), IsOk());
  EXPECT_EQ(saved, 6);
  EXPECT_TRUE(report_.complete());
  // Neighbours share a measurement.
  const std::string turn = "knee\ngemm\nsearch\ngemm\n";
  EXPECT_EQ(*ReadFile(Calls()), absl::StrCat("gemm\n", turn, turn, turn));
  ASSERT_EQ(report_.rows_size(), 2);
  EXPECT_EQ(report_.rows(0).ratio().values_size(), 3);
  EXPECT_DOUBLE_EQ(report_.rows(0).ratio().median(), 0.003 / 2);
  ASSERT_EQ(report_.yardsticks_size(), 1);
  EXPECT_EQ(report_.yardsticks(0).ms().values_size(), 7);
}

TEST_F(RunSpeedSuiteTest, WhatFailsIsSaidAndTheRestGoesOn) {
  suite_.yardsticks = {Program("gemm", "", "echo no kernel >&2; exit 5")};
  suite_.parts = {Program("crashes", Json(kCpuRow), "echo out of paper; exit 3"),
                  Part("absent"),
                  Part("optional"),
                  Program("empty", ""),
                  Program("without_yardstick", "{}"),
                  Program("good", Json(kCpuRow))};
  for (SpeedWork& part : suite_.parts) part.yardstick.clear();
  suite_.parts[1].command = {"/no/such/program"};
  suite_.parts[2].left_out = "nobody asked";
  suite_.parts[4].yardstick = "gemm";
  suite_.turns = 2;
  ASSERT_THAT(RunSpeedSuite(suite_, &report_), IsOk());
  EXPECT_THAT(SpeedSuiteStatus(report_),
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("4 of 6 parts failed or are missing: crashes, absent, empty, "
                                 "without_yardstick;")));
  EXPECT_EQ(report_.parts(0).state(), SpeedPart::FAILED);
  EXPECT_EQ(report_.parts(0).message(), "exit code 3: out of paper");
  EXPECT_EQ(report_.parts(1).state(), SpeedPart::MISSING);
  EXPECT_THAT(report_.parts(1).message(), HasSubstr("/no/such/program"));
  EXPECT_EQ(report_.parts(2).state(), SpeedPart::LEFT_OUT);
  EXPECT_EQ(report_.parts(4).message(), "its yardstick gemm: exit code 5: no kernel");
  EXPECT_EQ(report_.parts(5).state(), SpeedPart::DONE);
  ASSERT_EQ(report_.rows_size(), 1);
  EXPECT_EQ(report_.rows(0).ms().values_size(), 2);
  // A program that failed is not run again.
  EXPECT_EQ(*ReadFile(Calls()), "crashes\nempty\ngemm\ngood\ngood\n");
}

TEST_F(RunSpeedSuiteTest, AProgramThatHangsIsEnded) {
  suite_.parts = {Program("hangs", "", "sleep 100")};
  suite_.parts[0].yardstick.clear();
  suite_.limit = absl::Milliseconds(100);
  ASSERT_THAT(RunSpeedSuite(suite_, &report_), IsOk());
  EXPECT_THAT(report_.parts(0).message(), HasSubstr("ended after 100ms"));
}

TEST_F(RunSpeedSuiteTest, PeersBringRowsNotesAndVersionsOfTheirOwnTurns) {
  suite_.parts = {Program("peers",
                          R"({"rows": [{"name": "sample/av", "clock": "cpu", "yardstick": "op3d",
                    "ms": {"values": [2, 4]}, "ratio": {"values": [1.5, 2]}}],
          "parts": [{"notes": ["decord gives wrong frames"]}], "libraries": {"av": "18"}})",
                          "exit 1")};
  suite_.parts[0].peers = true;
  suite_.turns = 2;
  ASSERT_THAT(RunSpeedSuite(suite_, &report_), IsOk());
  EXPECT_EQ(*ReadFile(Calls()), "peers\n");
  ASSERT_EQ(report_.rows_size(), 1);
  EXPECT_EQ(report_.rows(0).part(), "peers");
  EXPECT_EQ(report_.rows(0).ratio().median(), 1.75);
  EXPECT_THAT(report_.parts(0).notes(), ElementsAre("decord gives wrong frames"));
  EXPECT_EQ(report_.libraries().at("av"), "18");
  // It wrote what it had and ended with 1.
  EXPECT_EQ(report_.parts(0).state(), SpeedPart::FAILED);
}

TEST_F(RunSpeedSuiteTest, ImpossibleRowsOfPeersAreRefused) {
  suite_.parts = {Program("peers", R"({"rows": [{"name": "a", "ms": {"values": [0]}}]})")};
  suite_.parts[0].peers = true;
  ASSERT_THAT(RunSpeedSuite(suite_, &report_), IsOk());
  EXPECT_THAT(report_.parts(0).message(), AllOf(HasSubstr("row a"), HasSubstr("above 0")));
  EXPECT_EQ(report_.rows_size(), 0);
}

TEST_F(RunSpeedSuiteTest, AFullDiskEndsIt) {
  suite_.parts = {Program("good", Json(kCpuRow))};
  suite_.parts[0].yardstick.clear();
  suite_.save = [](const SpeedReport&) { return absl::ResourceExhaustedError("disk full"); };
  EXPECT_THAT(RunSpeedSuite(suite_, &report_),
              StatusIs(absl::StatusCode::kResourceExhausted, "disk full"));
}

}  // namespace
}  // namespace op3d::benchmarks
