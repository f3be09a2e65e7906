#include "planner/knee/curve_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::planner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

CurveFile Read(const std::string& text, const std::string& which = "") {
  const auto curve = ParseCurveFile(text, "c", which);
  EXPECT_THAT(curve, IsOk()) << text;
  return curve.value_or(CurveFile());
}

TEST(CurveFileTest, ReadsItsColumns) {
  const CurveFile curve = Read("epoch,performance\n0,0.1\n1,2.5e-1\n");
  EXPECT_THAT(curve.performance, ElementsAre(0.1, 0.25));
  EXPECT_EQ(curve.first, 0);
  EXPECT_EQ(curve.spacing, 1);
  EXPECT_FALSE(curve.steps);
}

TEST(CurveFileTest, PassesOverOtherColumnsEmptyLinesAndLineEnds) {
  EXPECT_THAT(Read("\xef\xbb\xbfloss, Performance ,epoch\r\n\r\n9,0.1,0\r\n8,0.2,1").performance,
              ElementsAre(0.1, 0.2));
}

TEST(CurveFileTest, ReadsWhatTensorBoardDownloads) {
  const CurveFile curve =
      Read("Wall time,Step,Value\n1.7e9,390,0.1\n1.7e9,780,0.2\n1.7e9,1170,0.3\n");
  EXPECT_THAT(curve.performance, ElementsAre(0.1, 0.2, 0.3));
  EXPECT_EQ(curve.first, 390);
  EXPECT_EQ(curve.spacing, 390);
  EXPECT_TRUE(curve.steps);
  EXPECT_THAT(Read("\"Wall time\",\"Step\",\"Value\"\n1,7,0.1\n").performance, ElementsAre(0.1));
}

TEST(CurveFileTest, ReadsFromAnyStart) {
  const CurveFile curve = Read("epoch,performance\n5,0.1\n7,0.2\n9,0.3\n");
  EXPECT_EQ(curve.first, 5);
  EXPECT_EQ(curve.spacing, 2);
}

TEST(CurveFileTest, ReadsLogsAndJournals) {
  const std::string log =
      "{\"event\":\"started\"}\n"
      "{\"event\":\"step\",\"state\":1,\"epoch\":1,\"step\":1,\"loss\":2}\n"
      "{\"event\":\"epoch\",\"state\":1,\"epoch\":1,\"loss\":2,\"performance\":0.1}\n"
      "{\"event\":\"epoch\",\"state\":1,\"epoch\":2,\"loss\":2,\"performance\":0.2}\n";
  EXPECT_THAT(Read(log).performance, ElementsAre(0.1, 0.2));
  const std::string two =
      log + "{\"event\":\"epoch\",\"state\":2,\"epoch\":1,\"performance\":0.3}\n";
  EXPECT_THAT(Read(two, "2").performance, ElementsAre(0.3));
  EXPECT_THAT(ParseCurveFile(two, "log.jsonl"),
              StatusIs(kInvalid, HasSubstr("log.jsonl holds 2 curves: 1, 2; say which, as "
                                           "--curve='1'")));
  EXPECT_THAT(ParseCurveFile(two, "log.jsonl", "3"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"3\"; there are: 1, 2")));
  const std::string search =
      R"({"event":"search_epoch","pool":"cs","edge":"S0-S1","epoch":1,"performance":0.5})";
  EXPECT_THAT(Read(search, "S0-S1").performance, ElementsAre(0.5));
  const std::string journal =
      R"({"header":{"version":1},"crc32":"0"})"
      "\n"
      R"({"point":{"edge":"S0-S1","point":{"epoch":0,"performance":0.25}},"crc32":"1"})";
  EXPECT_THAT(Read(journal).performance, ElementsAre(0.25));
  EXPECT_THAT(ParseCurveFile(journal + "\nx", "j"), StatusIs(kInvalid, HasSubstr("j:3: no JSON")));
}

TEST(CurveFileTest, WarnsOfWhatIsNoShare) {
  std::vector<std::string> warnings;
  ASSERT_OK_AND_ASSIGN(
      const CurveFile curve,
      ParseCurveFile("epoch,performance\n0,0.1\n\n1,-0.25\n2,17.5\n3,20\n", "c", "", &warnings));
  EXPECT_THAT(curve.performance, ElementsAre(0.1, -0.25, 17.5, 20));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("c:4: the performance of epoch 1 is -0.25, below 0"),
                                    HasSubstr("c:5: the performance of epoch 2 is 17.5, above 1")));
}

TEST(CurveFileTest, NamesFileAndLineOfAFault) {
  const auto refused = [](const char* text, const char* what) {
    EXPECT_THAT(ParseCurveFile(text, "c.csv"), StatusIs(kInvalid, HasSubstr(what))) << text;
  };
  refused("", "c.csv holds no epoch");
  refused("epoch,performance\n", "c.csv holds no epoch");
  refused("{\"event\":\"started\"}\n", "c.csv holds no epoch");
  refused("0,0.1\n1,0.2\n", "c.csv:1: there is no column \"epoch\"");
  refused("epoch;performance\n0;0,1\n", "\"epoch;performance\"; the first line must be");
  refused("epoch,score\n0,0.1\n", "c.csv:1: there is no column \"performance\"");
  refused("epoch,performance\n0,0.1\n1,high\n", "c.csv:3: the performance is \"high\"");
  refused("epoch,performance\n0,17 %\n", "not a number; leave the % out");
  refused("epoch,performance\n0,0.1\n1,nan\n", "c.csv:3: the performance of epoch 1 is nan");
  refused("epoch,performance\n0,-inf\n", "c.csv:2: the performance of epoch 0 is -inf");
  refused("epoch,performance\n0,1e999\n", "c.csv:2: the performance of epoch 0 is inf");
  refused("epoch,performance\n0\n", "c.csv:2: the performance is \"\"");
  refused("epoch,performance\n-1,0.1\n", "c.csv:2: the epoch is -1");
  refused("epoch,performance\n0,0.1\n1,0.1\n3,0.1\n",
          "c.csv:4: epoch 3 where epoch 2 is due: epochs begin at 0 and rise by 1");
  refused("Step,Value\n0,0.1\n10,0.1\n10,0.1\n",
          "c.csv:4: step 10 comes after step 10: steps must");
  refused("epoch,performance\n1,0.1\n0,0.1\n", "c.csv:3: epoch 0 comes after epoch 1");
  refused("epoch,performance\n0,0.1\n0.5,0.1\n", "c.csv:3: the epoch is 0.5");
  EXPECT_THAT(ParseCurveFile("epoch,performance\n0,0.1\n", "c.csv", "S0-S1"),
              StatusIs(kInvalid, HasSubstr("one curve; leave --curve=S0-S1 out")));
}

}  // namespace
}  // namespace op3d::planner
