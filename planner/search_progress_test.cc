#include "planner/search_progress.h"

#include <gtest/gtest.h>

#include <limits>

#include "op3d/base/status_matchers.h"
#include "planner/pool.h"

namespace op3d {
namespace {

using ::testing::HasSubstr;

constexpr auto kDataLoss = absl::StatusCode::kDataLoss;

StoppingRule Rule() {
  StoppingRule rule;
  rule.set_attempt_epochs(2);
  rule.set_max_epochs_from_initial(5);
  rule.set_max_epochs(3);
  return rule;
}

JournalEntry Point(const std::string& edge, int epoch, double performance) {
  JournalEntry entry;
  entry.mutable_point()->set_edge(edge);
  entry.mutable_point()->mutable_point()->set_epoch(epoch);
  entry.mutable_point()->mutable_point()->set_performance(performance);
  return entry;
}

JournalEntry Finished(const std::string& from, const std::string& to, int epochs, double score) {
  JournalEntry entry;
  entry.mutable_finished()->set_from(from);
  entry.mutable_finished()->set_to(to);
  entry.mutable_finished()->set_epochs(epochs);
  entry.mutable_finished()->set_score(score);
  return entry;
}

TEST(SearchProgressTest, FollowsASearch) {
  ASSERT_OK_AND_ASSIGN(SearchProgress progress,
                       SearchProgress::Make(MakePool(PoolOptions()), Rule()));
  EXPECT_EQ(progress.edges_total(), 14);
  EXPECT_EQ(progress.epochs_at_worst(), 2 * 5 + 12 * 3);
  EXPECT_EQ(progress.next_edge(), 0);
  EXPECT_EQ(progress.max_epochs(0), 5);
  EXPECT_EQ(progress.max_epochs(2), 3);
  JournalEntry opened;
  opened.mutable_opened()->set_process(1);
  EXPECT_THAT(progress.Apply(opened), IsOk());
  EXPECT_EQ(progress.processes(), 1);
  // Falls at once: kept is epoch 0.
  for (int epoch = 0; epoch <= 2; ++epoch) {
    EXPECT_THAT(progress.Apply(Point("S0-S1", epoch, 0.5 - 0.1 * epoch)), IsOk());
  }
  EXPECT_EQ(progress.epochs_trained(), 2);
  ASSERT_OK_AND_ASSIGN(const StoppingDecision decision, progress.Decide(0));
  EXPECT_TRUE(decision.stop);
  EXPECT_EQ(decision.epochs, 0);
  EXPECT_THAT(progress.Apply(Finished("S0", "S1", 0, 0.5)), IsOk());
  EXPECT_EQ(progress.edges_finished(), 1);
  EXPECT_EQ(progress.next_edge(), 1);
  EXPECT_EQ(progress.epochs_at_worst(), 2 + 5 + 12 * 3);  // three epochs were saved
  EXPECT_EQ(progress.outcomes()[0]->curve_size(), 3);
  EXPECT_EQ(progress.scores()[0]->score, 0.5);
  EXPECT_THAT(progress.Outcome(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("1 of 14 edges")));
}

TEST(SearchProgressTest, RefusesWhatCannotHaveHappened) {
  ASSERT_OK_AND_ASSIGN(SearchProgress progress,
                       SearchProgress::Make(MakePool(PoolOptions()), Rule()));
  EXPECT_THAT(progress.Apply(JournalEntry()), StatusIs(kDataLoss, HasSubstr("kind")));
  EXPECT_THAT(progress.Apply(Point("S1-S2", 0, 0)),
              StatusIs(kDataLoss, HasSubstr("a point of S1-S2, which is finished, unknown, or")));
  EXPECT_THAT(progress.Apply(Point("S0-S7", 0, 0)), StatusIs(kDataLoss, HasSubstr("S0-S7")));
  EXPECT_THAT(progress.Apply(Point("S0-S1", 1, 0)),
              StatusIs(kDataLoss, HasSubstr("epoch 1 of S0-S1, where epoch 0 is due")));
  EXPECT_THAT(progress.Apply(Point("S0-S1", 0, std::numeric_limits<double>::quiet_NaN())),
              StatusIs(kDataLoss, HasSubstr("is nan")));
  EXPECT_THAT(progress.Apply(Finished("S0", "S1", 0, 0)),
              StatusIs(kDataLoss, HasSubstr("S0-S1 keeps epoch 0 of -1")));
  EXPECT_THAT(progress.Apply(Point("S0-S1", 0, 0)), IsOk());
  EXPECT_THAT(progress.Apply(Point("S0-S1", 1, 0.1)), IsOk());
  EXPECT_THAT(progress.Apply(Finished("S1", "S2", 0, 0)),
              StatusIs(kDataLoss, HasSubstr("S1-S2 is finished out of turn")));
  EXPECT_THAT(progress.Apply(Finished("S0", "S1", 2, 0)),
              StatusIs(kDataLoss, HasSubstr("keeps epoch 2 of 1")));
}

TEST(SearchProgressTest, RefusesABadGraphOrRule) {
  EXPECT_THAT(SearchProgress::Make(TransitionGraph(), Rule()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("initial state")));
  EXPECT_THAT(SearchProgress::Make(MakePool(PoolOptions()), StoppingRule()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("attempt_epochs")));
}

}  // namespace
}  // namespace op3d
