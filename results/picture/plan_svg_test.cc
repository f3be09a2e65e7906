#include "results/picture/plan_svg.h"

#include <gmock/gmock.h>

#include "results/testing/fixture_record.h"
#include "results/testing/markup_checker.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;

TEST(PlanSvgTest, ShowsEveryStep) {
  Plan plan = MakeFixtureRecord().plan();
  const std::string text = DrawPlan(plan).ToFile();
  EXPECT_EQ(MarkupProblem(text), "");
  EXPECT_THAT(text, HasSubstr(">rate 0.04</text>"));
  EXPECT_THAT(text, HasSubstr(">S11</text>"));
}

TEST(PlanSvgTest, LongPlansTakeMoreRowsAndEmptyOnesSaySo) {
  Plan plan;
  EXPECT_THAT(DrawPlan(plan).ToFile(), HasSubstr("trains nothing"));
  plan.add_steps()->mutable_state()->set_name("<x>");
  const double one_row = DrawPlan(plan).height();
  for (int i = 0; i < 6; ++i) plan.add_steps()->set_epochs(0);
  EXPECT_GT(DrawPlan(plan).height(), one_row);
  EXPECT_EQ(MarkupProblem(DrawPlan(plan).ToFile()), "");
}

}  // namespace
}  // namespace op3d::results
