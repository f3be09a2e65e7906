#include "results/record/roles.h"

#include <gmock/gmock.h>

#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

TEST(RolesTest, EveryRoleHasATitleAndAKey) {
  const auto* roles = RecipeResult::Role_descriptor();
  for (int i = 0; i < roles->value_count(); ++i) {
    const auto role = static_cast<RecipeResult::Role>(roles->value(i)->number());
    EXPECT_EQ(RoleTitle(role).empty(), role == RecipeResult::ROLE_UNSPECIFIED);
    EXPECT_EQ(RoleKey(role).empty(), role == RecipeResult::ROLE_UNSPECIFIED);
  }
  EXPECT_EQ(RoleKey(RecipeResult::BEST_FIXED), "best_fixed");
}

TEST(RolesTest, OldRecordsHaveNone) {
  const RunRecord record = MakeFixtureRecord();
  EXPECT_FALSE(HasRoles(record));
  EXPECT_EQ(StrongestRival(record), nullptr);
  EXPECT_EQ(TotalFrames(record.recipes(0)), record.recipes(0).frames());
}

TEST(RolesTest, TheStrongestRivalIsTheHighestOfThoseThatCount) {
  const RunRecord record = MakeRolesFixtureRecord();
  EXPECT_TRUE(HasRoles(record));
  EXPECT_EQ(StrongestRival(record)->role(), RecipeResult::LONG_RUN);
  EXPECT_EQ(TestedRow(record, RecipeResult::BEST_FIXED)->name(), "best_fixed");
  EXPECT_EQ(TestedRow(record, RecipeResult::MULTIGRID), nullptr);
  EXPECT_GT(TotalFrames(record.recipes(0)), record.recipes(0).frames());
  RunRecord other = record;
  for (RecipeResult& recipe : *other.mutable_recipes()) {
    // A single fixed schedule is not a rival, because nobody could have known which to use.
    if (recipe.role() == RecipeResult::FIXED) recipe.mutable_test()->set_top1(1);
    if (recipe.role() == RecipeResult::LONG_RUN) recipe.clear_test();
  }
  EXPECT_EQ(StrongestRival(other)->role(), RecipeResult::BEST_FIXED);
}

}  // namespace
}  // namespace op3d::results
