#include "results/table/published.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::results {
namespace {

TEST(PublishedTest, EveryFigureIsWhole) {
  ASSERT_OK_AND_ASSIGN(const PublishedFigures figures, LoadPublishedFigures());
  EXPECT_GT(figures.figures_size(), 0);
  for (const PublishedFigure& figure : figures.figures()) {
    SCOPED_TRACE(figure.title());
    EXPECT_NE(figure.benchmark(), "");
    EXPECT_NE(figure.title(), "");
    EXPECT_NE(figure.source(), "");
    EXPECT_GT(figure.top1_percent(), 1);  // percent, not a share
    EXPECT_LT(figure.top1_percent(), 100);
    EXPECT_NE(figure.role(), PublishedFigure::ROLE_UNSPECIFIED);
    const bool reproduce = figure.role() == PublishedFigure::REPRODUCE;
    EXPECT_EQ(reproduce, figure.tolerance_points() > 0);
    EXPECT_EQ(reproduce, !figure.tolerance_reason().empty());
    EXPECT_EQ(reproduce, figure.networks_size() > 0);
  }
}

TEST(PublishedTest, TheHeadlineFiguresAreHeldAgainstThePlannedRecipe) {
  ASSERT_OK_AND_ASSIGN(const PublishedFigures figures, LoadPublishedFigures());
  const auto find = [&](const char* benchmark, const char* network, const char* recipe) {
    return FigureToReproduce(figures, benchmark, network, recipe);
  };
  ASSERT_NE(find("kinetics400", "dg_p3d_resnet50", "planned"), nullptr);
  EXPECT_EQ(find("kinetics400", "dg_p3d_resnet50", "planned")->top1_percent(), 80.5);
  // With a larger tolerance more would count as reproduced.
  EXPECT_EQ(find("kinetics400", "dg_p3d_resnet50", "planned")->tolerance_points(), 1);
  ASSERT_NE(find("kinetics600", "dg_p3d_resnet101", "planned"), nullptr);
  EXPECT_EQ(find("kinetics600", "dg_p3d_resnet101", "planned")->top1_percent(), 82.7);
  EXPECT_EQ(find("kinetics600", "dg_p3d_resnet101", "planned")->tolerance_points(), 1);
  EXPECT_EQ(find("kinetics400", "dg_p3d_resnet50", "hand_tuned"), nullptr);
  EXPECT_EQ(find("kinetics400", "dg_p3d_miniature", "planned"), nullptr);
  EXPECT_EQ(find("ucf101", "dg_p3d_resnet50", "planned"), nullptr);
}

}  // namespace
}  // namespace op3d::results
