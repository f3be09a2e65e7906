#include "planner/curve_csv.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "op3d/base/status_matchers.h"

namespace op3d {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(CurveCsvTest, ReadsItsColumns) {
  ASSERT_OK_AND_ASSIGN(const std::vector<double> curve,
                       ParseCurveCsv("epoch,performance\n0,0.1\n1,2.5e-1\n", "c.csv"));
  EXPECT_THAT(curve, ElementsAre(0.1, 0.25));
}

TEST(CurveCsvTest, PassesOverOtherColumnsEmptyLinesAndLineEnds) {
  ASSERT_OK_AND_ASSIGN(
      const std::vector<double> curve,
      ParseCurveCsv("\xef\xbb\xbfloss, performance ,epoch\r\n\r\n9,0.1,0\r\n8,0.2,1", "c.csv"));
  EXPECT_THAT(curve, ElementsAre(0.1, 0.2));
}

TEST(CurveCsvTest, WarnsOfWhatIsNegative) {
  std::vector<std::string> warnings;
  ASSERT_OK_AND_ASSIGN(
      const std::vector<double> curve,
      ParseCurveCsv("epoch,performance\n0,0.1\n\n1,-0.25\n2,0\n", "c.csv", &warnings));
  EXPECT_THAT(curve, ElementsAre(0.1, -0.25, 0));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("c.csv:4: the performance of epoch 1 is -0.25")));
}

TEST(CurveCsvTest, NamesFileAndLineOfAFault) {
  const auto refused = [](const char* text, const char* what) {
    EXPECT_THAT(ParseCurveCsv(text, "c.csv"), StatusIs(kInvalid, HasSubstr(what))) << text;
  };
  refused("", "c.csv holds no epoch");
  refused("epoch,performance\n", "c.csv holds no epoch");
  refused("0,0.1\n1,0.2\n", "c.csv:1: there is no column \"epoch\"");
  refused("epoch,score\n0,0.1\n", "c.csv:1: there is no column \"performance\"");
  refused("epoch,performance\n0,0.1\n1,high\n", "c.csv:3: the performance is \"high\"");
  refused("epoch,performance\n0,0.1\n1,nan\n", "c.csv:3: the performance of epoch 1 is nan");
  refused("epoch,performance\n0,-inf\n", "c.csv:2: the performance of epoch 0 is -inf");
  refused("epoch,performance\n0,1e999\n", "c.csv:2: the performance of epoch 0 is inf");
  refused("epoch,performance\n0\n", "c.csv:2: the performance is \"\"");
  refused("epoch,performance\n1,0.1\n", "c.csv:2: epoch 1 where epoch 0 is due");
  refused("epoch,performance\n0,0.1\n2,0.1\n", "c.csv:3: epoch 2 where epoch 1 is due");
  refused("epoch,performance\n0,0.1\n0.5,0.1\n", "c.csv:3: epoch 0.5");
}

}  // namespace
}  // namespace op3d
