#include "results/record/headline.h"

#include <gmock/gmock.h>

#include "results/record/record.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
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
            "seed, 270 test videos: by chance alone a figure varies by 1.5 points (one standard "
            "error). A miniature is synthetic video and a small network: its figures say nothing "
            "about real video.");
}

TEST(HeadlineTest, TheStrongestRivalIsNamedAndTheNoise) {
  RunRecord record = MakeRolesFixtureRecord();
  EXPECT_EQ(PlannedRecipe(record)->role(), RecipeResult::PLANNED_MODEL);
  EXPECT_EQ(BaselineRecipe(record)->role(), RecipeResult::LONG_RUN);
  EXPECT_EQ(Headline(record),
            "On the miniature of Kinetics-400 the planned model reached 95.9 % top-1, 1.1 points "
            "more than the strongest rival, one long run (94.8 %) at equal total frames: ahead, "
            "but within the noise (95 %: -2.1 to +4.3 points).");
  EXPECT_THAT(Caution(record), Not(HasSubstr("Ahead of the plan")));
  // All the same videos plus one more is more than the noise; only different videos count.
  const auto row = [&record](RecipeResult::Role role) {
    for (RecipeResult& recipe : *record.mutable_recipes()) {
      if (recipe.role() == role) return &recipe;
    }
    return static_cast<RecipeResult*>(nullptr);
  };
  row(RecipeResult::LONG_RUN)->clear_test();
  EXPECT_THAT(Headline(record),
              HasSubstr("the strongest rival, the best of 9 fixed schedules (93.3 %)"));
  TestResult* best = row(RecipeResult::BEST_FIXED)->mutable_test();
  *best = row(RecipeResult::PLANNED_MODEL)->test();
  EXPECT_THAT(Headline(record), HasSubstr("as much as the strongest rival"));
  EXPECT_THAT(Headline(record), HasSubstr(": level (95 %: -0.7 to +0.7 points)."));
  std::vector<int64_t> ranks(270, 0);
  std::fill_n(ranks.begin(), 11, 1);
  row(RecipeResult::PLANNED_MODEL)->mutable_test()->set_right(PackRight(ranks));
  std::fill_n(ranks.begin(), 19, 1);
  best->set_right(PackRight(ranks));
  best->set_top1(251.0 / 270);
  EXPECT_THAT(Headline(record), HasSubstr("3.0 points more than"));
  EXPECT_THAT(Headline(record), HasSubstr(": ahead beyond the noise (95 %: +0.9 to +5.0 points)."));
  // One video says nothing about chance.
  RunRecord one = record;
  for (RecipeResult& recipe : *one.mutable_recipes()) {
    if (!recipe.has_test()) continue;
    recipe.mutable_test()->clear_right();
    recipe.mutable_test()->set_videos(1);
    recipe.mutable_test()->set_top1(recipe.role() == RecipeResult::PLANNED_MODEL ? 1 : 0);
  }
  EXPECT_THAT(Headline(one), HasSubstr("but within the noise"));
  // A lower score.
  row(RecipeResult::BEST_FIXED)->set_total_frames(3 * 280800);
  row(RecipeResult::PLANNED_MODEL)->mutable_test()->set_top1(0.5);
  row(RecipeResult::PLANNED_MODEL)->mutable_test()->clear_right();
  EXPECT_THAT(Headline(record), HasSubstr("on 50 % of the frames, search included: behind beyond"));
  EXPECT_THAT(Caution(record), HasSubstr("Ahead of the plan: \"planned: trained again\""));
  EXPECT_THAT(Caution(record), Not(HasSubstr("fixed:")));
  // No rival; the published method alone.
  RunRecord alone = MakeRolesFixtureRecord();
  alone.mutable_recipes()->DeleteSubrange(3, alone.recipes_size() - 3);
  alone.mutable_recipes()->DeleteSubrange(0, 2);
  EXPECT_EQ(Headline(alone),
            "On the miniature of Kinetics-400 the published method's model reached 91.9 % top-1; "
            "no rival has been tested.");
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
  EXPECT_THAT(text, HasSubstr("On your own data (ucf101) the planned recipe reached 80.0 %"));
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
}  // namespace op3d::results
