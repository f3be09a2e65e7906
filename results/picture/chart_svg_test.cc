#include "results/picture/chart_svg.h"

#include <gmock/gmock.h>

#include <cmath>

#include "absl/strings/str_cat.h"
#include "results/picture/axes.h"
#include "results/testing/markup_checker.h"

namespace op3d::results {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(AxesTest, TicksAreRoundNumbersInside) {
  EXPECT_THAT(Ticks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(Ticks(0.11, 0.19, 4), ElementsAre(testing::DoubleEq(0.12), testing::DoubleEq(0.14),
                                                testing::DoubleEq(0.16), testing::DoubleEq(0.18)));
  EXPECT_THAT(Ticks(-1, 1, 2), ElementsAre(-1, 0, 1));
  EXPECT_FALSE(std::signbit(Ticks(-0.1, 10, 5)[0]));
}

TEST(ChartTest, DrawsEverySeriesAndItsAxes) {
  Chart chart;
  chart.title = "a < b";
  chart.heading = "S0 to A";
  chart.x_label = "epochs";
  chart.y_label = "top-1, %";
  chart.series = {{kBlue, {{0, 10}, {5, 50}}}, {kOrange, {{0, 10}, {5, 60}}, true, true, "4 3"}};
  chart.marks = {{{5, 60}, "1"}};
  const std::string picture = DrawChart(chart).ToFile();
  EXPECT_EQ(MarkupProblem(picture), "");
  for (const char* part : {"a &lt; b", "S0 to A", ">epochs<", ">top-1, %<", ">1<", ">60<",
                           "stroke-dasharray=\"4 3\""}) {
    EXPECT_THAT(picture, HasSubstr(part));
  }
}

TEST(ChartTest, OddFiguresAreLeftOut) {
  Chart chart;
  EXPECT_THAT(DrawChart(chart).ToFile(), HasSubstr("no figures"));
  chart.log_x = true;
  chart.series = {{kBlue, {{0, 1}, {-1, 2}, {std::nan(""), 3}, {1, std::nan("")}}}};
  EXPECT_THAT(DrawChart(chart).ToFile(), HasSubstr("no figures"));
  chart.series[0].points.push_back({1000, 3});
  const std::string one = DrawChart(chart).ToFile();
  EXPECT_EQ(MarkupProblem(one), "");
  EXPECT_THAT(one, Not(HasSubstr("no figures")));
  EXPECT_THAT(one, HasSubstr(">1000<"));
}

TEST(ParetoFrontTest, KeepsWhatNothingCheaperBeats) {
  EXPECT_THAT(ParetoFront({}), ElementsAre());
  EXPECT_THAT(ParetoFront({{1, 5}}), ElementsAre(0));
  // Dearer and no better, equally dear and worse, equal: only the first counts.
  EXPECT_THAT(ParetoFront({{3, 7}, {1, 5}, {2, 5}, {1, 4}, {3, 7}, {2, 6}}), ElementsAre(1, 5, 0));
}

}  // namespace
}  // namespace op3d::results
