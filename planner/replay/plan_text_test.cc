#include "planner/replay/plan_text.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"

namespace op3d::planner {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// S0 -> A, S0 -> B, A -> B.
TransitionGraph Graph() {
  TransitionGraph graph;
  EXPECT_THAT(ParseTextproto(R"pb(
                               pool: "cs"
                               initial: "S0"
                               states {
                                 name: "A"
                                 segments: 1
                                 frames_per_segment: 16
                                 stride: 1
                                 learning_rate: 0.04
                                 batch_size: 16
                                 accumulation: 16
                               }
                               states {
                                 name: "B"
                                 segments: 8
                                 frames_per_segment: 4
                                 stride: 2
                                 learning_rate: 0.004
                                 batch_size: 8
                                 accumulation: 32
                                 frozen_batch_norm: true
                               }
                               transitions { from: "S0" to: "A" }
                               transitions { from: "S0" to: "B" }
                               transitions { from: "A" to: "B" }
                               finals: "B"
                             )pb",
                             "graph", &graph),
              IsOk());
  return graph;
}

JournalEntry Point(const std::string& edge, int epoch, double seconds) {
  JournalEntry entry;
  entry.mutable_point()->set_edge(edge);
  CurvePoint* point = entry.mutable_point()->mutable_point();
  point->set_epoch(epoch);
  point->set_performance(0.5);
  point->set_train_seconds(seconds);
  return entry;
}

JournalEntry Finished(const std::string& from, const std::string& to, int epochs, double score,
                      EdgeOutcome::Ending ending) {
  JournalEntry entry;
  EdgeOutcome* outcome = entry.mutable_finished();
  outcome->set_from(from);
  outcome->set_to(to);
  outcome->set_epochs(epochs);
  outcome->set_score(score);
  outcome->set_ending(ending);
  return entry;
}

SearchProgress Started() {
  StoppingRule rule;
  rule.set_attempt_epochs(2);
  rule.set_max_epochs_from_initial(4);
  rule.set_max_epochs(3);
  auto progress = SearchProgress::Make(Graph(), rule);
  EXPECT_THAT(progress, IsOk());
  return *std::move(progress);
}

void Train(const std::string& from, const std::string& to, int epochs, double score,
           SearchProgress* progress) {
  for (int epoch = 0; epoch <= 2; ++epoch) {
    EXPECT_THAT(progress->Apply(Point(absl::StrCat(from, "-", to), epoch, 10)), IsOk());
  }
  EXPECT_THAT(progress->Apply(Finished(from, to, epochs, score, EdgeOutcome::BOUND)), IsOk());
}

TEST(PlanTextTest, NamesClips) {
  const TransitionGraph graph = Graph();
  EXPECT_EQ(ClipText(graph.states(0)), "16 frames");
  EXPECT_EQ(ClipText(graph.states(1)), "8 x 4 frames / 2");
}

TEST(PlanTextTest, StatusCountsAndForetells) {
  SearchProgress progress = Started();
  EXPECT_THAT(FormatStatus(progress), HasSubstr("0 of 3 edges"));
  Train("S0", "A", 1, 0.5, &progress);
  EXPECT_THAT(progress.Apply(Point("S0-B", 0, 0)), IsOk());
  const std::string text = FormatStatus(progress);
  EXPECT_THAT(text, HasSubstr("1 of 3 edges finished (1 at the bound), 2 epochs trained in 30 s"));
  EXPECT_THAT(text, HasSubstr("next: S0-B, epoch 1 of at most 4, performance 0.5000"));
  // 30 s for 2 epochs of 16 frames; 4 + 3 epochs of 32 frames remain.
  EXPECT_THAT(text, HasSubstr("at most 7 more epochs, about 3 min 30 s"));
}

TEST(PlanTextTest, ExplainsWhoWonAndByHowMuch) {
  SearchProgress progress = Started();
  Train("S0", "A", 1, 0.5, &progress);
  EXPECT_THAT(FormatExplanation(progress), HasSubstr("nothing trained yet"));
  EXPECT_THAT(FormatExplanation(progress), HasSubstr("1 of 3 edges are"));
  Train("S0", "B", 2, 0.625, &progress);
  Train("A", "B", 0, 0.75, &progress);
  const std::string text = FormatExplanation(progress);
  EXPECT_THAT(text, HasSubstr("    S0       0.6250  keeps epoch 2 of 2"));
  EXPECT_THAT(text, HasSubstr("  * A        0.7500  keeps epoch 0 of 2, the state is skipped"));
  EXPECT_THAT(text, HasSubstr("A wins by 0.1250"));
  EXPECT_THAT(text, HasSubstr("3 of 3 edges ended at the bound"));
  EXPECT_THAT(text, HasSubstr("path: S0 -> A -> B"));
  EXPECT_THAT(FormatStatus(progress), HasSubstr("done"));
}

TEST(PlanTextTest, ShowsTheBestPlanAtEveryMoment) {
  SearchProgress progress = Started();
  EXPECT_THAT(FormatStatus(progress), Not(HasSubstr("best")));
  Train("S0", "A", 1, 0.5, &progress);
  EXPECT_THAT(FormatStatus(progress),
              HasSubstr("no plan yet; best state so far: value 0.5000, S0 -> A (1 epoch)\n"));
  Train("S0", "B", 2, 0.375, &progress);
  const std::string so_far = "best plan so far: value 0.3750, S0 -> B (2 epochs)\n";
  EXPECT_THAT(FormatStatus(progress), HasSubstr(so_far));
  EXPECT_THAT(FormatExplanation(progress), HasSubstr(so_far));
  Train("A", "B", 0, 0.75, &progress);
  EXPECT_THAT(FormatStatus(progress),
              HasSubstr("\nbest plan: value 0.7500, S0 -> A (1 epoch) -> B (skipped)\n"));
}

TEST(PlanTextTest, NamesFailedEdges) {
  SearchProgress progress = Started();
  JournalEntry failed = Finished("S0", "A", 0, 0, EdgeOutcome::FAILED);
  failed.mutable_finished()->set_failure("epoch 1: the loss is nan");
  ASSERT_THAT(progress.Apply(failed), IsOk());
  const std::string status = FormatStatus(progress);
  EXPECT_THAT(status, HasSubstr("2 of 3 edges finished (0 at the bound, 1 failed, 1 not reached)"));
  EXPECT_THAT(status, HasSubstr("failed: S0-A, epoch 1: the loss is nan\n"));
  EXPECT_THAT(status, HasSubstr("A is reached by no edge: S0-A failed; A-B is not trained\n"));
  EXPECT_THAT(status, HasSubstr("next: S0-B"));
  const std::string text = FormatExplanation(progress);
  EXPECT_THAT(text, HasSubstr("    S0       failed: epoch 1: the loss is nan\n"));
  EXPECT_THAT(text, HasSubstr("    A        not trained: no edge reaches A\n"));
  // The last edge into the final state fails too.
  failed.mutable_finished()->set_to("B");
  ASSERT_THAT(progress.Apply(failed), IsOk());
  EXPECT_THAT(FormatStatus(progress), HasSubstr("ended: no final state (B) is reached"));
}

TEST(PlanTextTest, ExplainsATie) {
  SearchProgress progress = Started();
  Train("S0", "A", 1, 0.5, &progress);
  Train("S0", "B", 2, 0.625, &progress);
  Train("A", "B", 1, 0.625, &progress);
  EXPECT_THAT(FormatExplanation(progress), HasSubstr("a tie: S0 is listed first"));
}

TEST(PlanTextTest, ShowsAPlan) {
  Plan plan;
  plan.set_pool("cs");
  *plan.add_steps()->mutable_state() = Graph().states(0);
  plan.mutable_steps(0)->set_epochs(58);
  const std::string text = PlanText(plan);
  EXPECT_THAT(text, HasSubstr("cs plan, 58 epochs\n"));
  EXPECT_THAT(text, HasSubstr("A    16 frames      lr 0.04      58 epochs  batch 16 x 16\n"));
  EXPECT_THAT(text, Not(HasSubstr("value")));  // unknown for a released plan
}

}  // namespace
}  // namespace op3d::planner
