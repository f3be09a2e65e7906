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
  // One thick arrow a step of the path, and one in the legend.
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
  // A way over two columns is bent, one to an unknown state is left out.
  for (const char* to : {"a&b0", "a&b2", "nowhere"}) {
    Transition* transition = search.mutable_graph()->add_transitions();
    transition->set_from("a&b4");
    transition->set_to(to);
  }
  const std::string text = DrawGraph(search).ToFile();
  EXPECT_EQ(MarkupProblem(text), "");
  EXPECT_THAT(text, HasSubstr("&lt;start&gt;"));
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
