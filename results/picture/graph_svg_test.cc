#include "results/picture/graph_svg.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "results/testing/fixture_record.h"
#include "results/testing/markup_checker.h"

namespace op3d::results {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(GraphSvgTest, ShowsEveryStateAndEdge) {
  const SearchOutcome search = MakeFixtureRecord().searches(0);
  const std::string text = DrawGraph(search).ToFile();
  EXPECT_EQ(MarkupProblem(text), "");
  for (const StateSettings& state : search.graph().states()) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat(">", state.name(), "</text>")));
  }
  for (const EdgeOutcome& edge : search.edges()) {
    EXPECT_THAT(text, HasSubstr(absl::StrFormat(">%.3f</text>", edge.score())));
  }
  // One thick arrow for each step of the path, and one in the legend.
  EXPECT_EQ(Count(text, "stroke-width=\"5\""), search.plan().path_size() - 1 + 1);
}

TEST(GraphSvgTest, EdgesThatWereNotTrainedAreDotted) {
  SearchOutcome search = MakeFixtureRecord().searches(0);
  EXPECT_THAT(DrawGraph(search).ToFile(), Not(HasSubstr("\"2 4\"")));
  SearchOutcome failed = search;
  search.mutable_edges()->RemoveLast();
  EXPECT_THAT(DrawGraph(search).ToFile(), HasSubstr("\"2 4\""));
  EdgeOutcome* edge = failed.mutable_edges(failed.edges_size() - 1);
  edge->set_ending(EdgeOutcome::FAILED);
  edge->set_failure("epoch 3: the loss is nan");
  edge->set_score(0);
  EXPECT_THAT(DrawGraph(failed).ToFile(),
              AllOf(HasSubstr("\"2 4\""), HasSubstr(">failed<"), Not(HasSubstr(">0.000<"))));
}

TEST(GraphSvgTest, AnyGraphGivesAWellFormedPicture) {
  SearchOutcome search;
  EXPECT_EQ(MarkupProblem(DrawGraph(search).ToFile()), "");
  search.mutable_graph()->set_initial("<start>");
  for (int i = 0; i < 5; ++i) {
    StateSettings* state = search.mutable_graph()->add_states();
    state->set_name(absl::StrCat("a&b", i));
    state->set_segments(1);
    state->set_frames_per_segment(8 * (i + 1));
  }
  // An edge over two columns is bent, one to an unknown state is left out.
  for (const char* to : {"a&b0", "a&b2", "nowhere"}) {
    Transition* transition = search.mutable_graph()->add_transitions();
    transition->set_from("a&b4");
    transition->set_to(to);
  }
  const std::string text = DrawGraph(search).ToFile();
  EXPECT_EQ(MarkupProblem(text), "");
  EXPECT_THAT(text, HasSubstr("&lt;start&gt;"));
}

TEST(GraphSvgTest, ASearchInRoundsShowsWhatWasTrained) {
  SearchOutcome search;
  TransitionGraph& graph = *search.mutable_graph();
  graph.set_initial("S0");
  graph.add_rounds()->set_edges(2);
  graph.add_rounds()->set_edges(1);
  const auto add_edge = [&](const char* from, const char* to, int frames, double rate, int round) {
    StateSettings* state = graph.add_states();
    state->set_name(to);
    state->set_segments(1);
    state->set_frames_per_segment(frames);
    state->set_learning_rate(rate);
    Transition* transition = graph.add_transitions();
    transition->set_from(from);
    transition->set_to(to);
    transition->set_round(round);
  };
  const auto train = [&](const char* from, const char* to, double score) {
    EdgeOutcome* edge = search.add_edges();
    edge->set_from(from);
    edge->set_to(to);
    edge->set_score(score);
    edge->set_epochs(3);
  };
  add_edge("S0", "short.1", 16, 0.04, 1);
  add_edge("S0", "slow.1", 16, 0.01, 1);
  add_edge("short.1", "long.2", 32, 0.04, 2);
  add_edge("short.1", "left_out.2", 64, 0.04, 2);
  graph.add_finals("long.2");
  train("S0", "short.1", 0.25);
  train("S0", "slow.1", 0.125);
  train("short.1", "long.2", 0.5);
  for (const char* name : {"S0", "short.1", "long.2"}) search.mutable_plan()->add_path(name);
  std::string text = DrawGraph(search).ToFile();
  EXPECT_EQ(MarkupProblem(text), "");
  for (const char* shown : {">short.1<", ">slow.1<", ">long.2<", ">0.250<", ">0.125<", ">0.500<",
                            ">2 edges<", ">1 edge<"}) {
    EXPECT_THAT(text, HasSubstr(shown));
  }
  EXPECT_THAT(text, Not(HasSubstr("left_out")));
  // One thick arrow: edges of the first round have no arrows.
  EXPECT_EQ(Count(text, "stroke-width=\"5\""), 1);

  // A second length of annealing in the same clip stands below the first.
  const double height = DrawGraph(search).height();
  add_edge("short.1", "longer.2", 32, 0.04, 2);
  train("short.1", "longer.2", 0.375);
  EXPECT_THAT(DrawGraph(search).ToFile(), HasSubstr(">0.375<"));
  EXPECT_GT(DrawGraph(search).height(), height);
  search.mutable_edges()->RemoveLast();

  search.mutable_edges(1)->set_failure("epoch 3: the loss is nan");
  text = DrawGraph(search).ToFile();
  EXPECT_THAT(text, AllOf(HasSubstr(">failed<"), Not(HasSubstr(">0.125<"))));
  search.clear_edges();
  EXPECT_EQ(MarkupProblem(DrawGraph(search).ToFile()), "");
}

TEST(GraphSvgTest, OnPathNeedsBothEndsInOrder) {
  Plan plan;
  for (const char* name : {"S0", "S2", "S4"}) plan.add_path(name);
  EdgeOutcome edge;
  edge.set_from("S2");
  edge.set_to("S4");
  EXPECT_TRUE(OnPath(plan, edge));
  edge.set_from("S0");
  EXPECT_FALSE(OnPath(plan, edge));
  edge.set_from("S4");
  edge.set_to("S2");
  EXPECT_FALSE(OnPath(plan, edge));
}

}  // namespace
}  // namespace op3d::results
