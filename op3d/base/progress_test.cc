#include "op3d/base/progress.h"

#include <gmock/gmock.h>

namespace op3d {
namespace {

TEST(ProgressTest, LineShowsShareRateAndTimeLeft) {
  EXPECT_EQ(ProgressLine("scan", 50, 0, 200, "videos", 10, "2 broken"),
            "scan  [#####...............]  25 %  50/200 videos  5.0/s  30 s left  2 broken");
  EXPECT_EQ(ProgressLine("scan", 50, 0, 0, "videos", 2, ""), "scan  50 videos  25/s");
}

TEST(ProgressTest, WhatAnEarlierProcessDidIsNoSpeed) {
  EXPECT_EQ(ProgressLine("train", 60, 50, 100, "epochs", 10, ""),
            "train  [############........]  60 %  60/100 epochs  1.0/s  40 s left");
}

TEST(ProgressTest, MoreThanAllStaysFull) {
  EXPECT_THAT(ProgressLine("x", 5, 0, 4, "clips", 1, ""), testing::HasSubstr("100 %"));
}

TEST(ProgressTest, SecondsReadAsAPersonSaysThem) {
  EXPECT_EQ(FormatSeconds(0.04), "0.0 s");
  EXPECT_EQ(FormatSeconds(59.4), "59 s");
  EXPECT_EQ(FormatSeconds(185), "3 min 5 s");
  EXPECT_EQ(FormatSeconds(7800), "2 h 10 min");
  EXPECT_EQ(FormatSeconds(12.4 * 86400), "12 days");
}

TEST(ProgressTest, ALogFileGetsTheFinalLine) {
  testing::internal::CaptureStderr();
  { Progress("scan", 3, "videos").Add(3); }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("3/3 videos"));
}

}  // namespace
}  // namespace op3d
