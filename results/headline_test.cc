#include "results/headline.h"

#include <gmock/gmock.h>

#include "results/fixture_record.h"

namespace op3d {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HeadlineTest, PlannedAgainstHandTuned) {
  const RunRecord record = MakeFixtureRecord();
  EXPECT_EQ(PlannedRecipe(record)->name(), "planned");
  EXPECT_EQ(BaselineRecipe(record)->name(), "hand_tuned");
  EXPECT_EQ(Headline(record),
            "On the miniature of Kinetics-400 the planned recipe reached 93.3 % top-1, 7.0 points "
            "more than the hand-tuned one (86.3 %) on equally many frames.");
  EXPECT_EQ(Caution(record),
            "Ahead of the plan: \"hand-tuned: 64-frame cosine, equal frames\" with 95.6 %. One "
            "seed, 270 test videos: chance alone moves a figure by 1.5 points (one standard "
            "error). A miniature is synthetic video and a small network: its figures say nothing "
            "about real video.");
}

TEST(HeadlineTest, FullScaleSaysNothingOfMiniatures) {
  RunRecord record = MakeFullFixtureRecord("kinetics600", 0.8);
  record.mutable_recipes(1)->set_frames(2 * record.recipes(0).frames());
  const std::string text = Headline(record);
  EXPECT_THAT(text, HasSubstr("On Kinetics-600 the planned recipe reached 80.0 % top-1"));
  EXPECT_THAT(text, HasSubstr("6.3 points less than"));
  EXPECT_THAT(text, HasSubstr("on 50 % of its frames"));
  EXPECT_THAT(text + Caution(record), Not(HasSubstr("miniature")));
}

TEST(HeadlineTest, OnesOwnDataKeepsItsName) {
  RunRecord record = MakeFullFixtureRecord("ucf101", 0.8);
  record.mutable_settings()->set_scale(BenchmarkSettings::OWN);
  const std::string text = Headline(record) + Caution(record);
  EXPECT_THAT(text, HasSubstr("On one's own data (ucf101) the planned recipe reached 80.0 %"));
  EXPECT_THAT(text, Not(HasSubstr("miniature")));
}

TEST(HeadlineTest, UnfinishedRuns) {
  RunRecord record = MakeFixtureRecord();
  record.mutable_recipes()->DeleteSubrange(1, 2);
  EXPECT_EQ(BaselineRecipe(record), nullptr);
  EXPECT_THAT(Headline(record), HasSubstr("reached 93.3 % top-1."));
  record.clear_recipes();
  EXPECT_THAT(Headline(record), HasSubstr("it has not been tested yet"));
  EXPECT_EQ(Caution(record), "");
  record.clear_plan();
  EXPECT_THAT(Headline(record), HasSubstr("nothing has been planned or tested yet"));
}

TEST(HeadlineTest, StandardErrorIsTheBinomialOne) {
  EXPECT_DOUBLE_EQ(StandardError(0.5, 100), 0.05);
  EXPECT_EQ(StandardError(0.5, 0), 0);
}

}  // namespace
}  // namespace op3d
