#include "planner/search/search_folder.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "planner/graphs/pool.h"
#include "planner/graphs/wide_graph.h"
#include "planner/knee/stopping_rule.h"
#include "planner/search/journal.h"
#include "planner/search/search.h"
#include "planner/testing/scripted_runner.h"

namespace op3d::planner {
namespace {

using ::testing::HasSubstr;

absl::Status SearchIn(const std::string& folder, Sampling sampling) {
  PoolOptions pool;
  pool.sampling = sampling;
  StoppingRule rule;
  rule.set_attempt_epochs(2);
  rule.set_max_epochs_from_initial(3);
  rule.set_max_epochs(3);
  ScriptedRunner runner([](const EdgeTask&, int epoch) { return 0.5 - 0.01 * epoch; });
  SearchOptions options;
  options.folder = folder;
  return Search(MakePool(pool), rule, &runner, options).status();
}

TEST(SearchFolderTest, FindsTheSearchesOfARun) {
  const std::string run = TestFolder("run");
  ASSERT_THAT(SearchIn(JoinPath(run, "journal/us"), Sampling::kUniform), IsOk());
  ASSERT_THAT(SearchIn(JoinPath(run, "journal/cs"), Sampling::kConsecutive), IsOk());
  for (const std::string& folder : {run, JoinPath(run, "journal")}) {
    ASSERT_OK_AND_ASSIGN(const auto searches, ReadSearches(folder));
    ASSERT_EQ(searches.size(), 2);
    EXPECT_EQ(searches[0].progress.graph().pool(), "cs");
    EXPECT_EQ(searches[1].progress.graph().pool(), "us");
    EXPECT_THAT(searches[0].progress.Outcome(), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto one, ReadSearches(JoinPath(run, "journal/us")));
  EXPECT_EQ(one.size(), 1);
}

WideGraphSettings Wide() {
  WideGraphSettings settings;
  for (const int frames : {16, 32}) {
    StateSettings* clip = settings.add_clips();
    clip->set_name(absl::StrCat("cs", frames));
    clip->set_segments(1);
    clip->set_frames_per_segment(frames);
    clip->set_stride(1);
    clip->set_learning_rate(0.1);
    clip->set_batch_size(4);
    clip->set_accumulation(1);
  }
  settings.add_rates(1);
  settings.add_rates(0.5);
  settings.set_frames(640);
  for (const int edges : {4, 2, 1}) {
    WideGraphSettings::Stage* stage = settings.add_stages();
    stage->set_edges(edges);
    stage->set_states(edges == 4 ? 0 : edges);
    stage->set_weight(edges == 4 ? 1 : 2);
  }
  return settings;
}

TEST(SearchFolderTest, ARecordTellsAsMuchAsTheJournal) {
  const std::string run = TestFolder("recorded");
  ASSERT_THAT(SearchIn(JoinPath(run, "cs"), Sampling::kConsecutive), IsOk());
  ASSERT_OK_AND_ASSIGN(const TransitionGraph graph, MakeWideGraph(Wide()));
  // One edge fails, and the rounds drop others.
  ScriptedRunner runner([](const EdgeTask& task, int epoch) {
    return task.state().name() == "cs16_0.1.1" ? -1 : 0.3 + 0.01 * epoch + 0.001 * task.index();
  });
  SearchOptions options;
  options.folder = JoinPath(run, "wide");
  ASSERT_THAT(Search(graph, PublishedRule(10), &runner, options), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto journals, ReadSearches(run));
  ASSERT_EQ(journals.size(), 2);
  google::protobuf::RepeatedPtrField<SearchOutcome> outcomes;
  for (const FoundSearch& search : journals) {
    ASSERT_OK_AND_ASSIGN(*outcomes.Add(), search.progress.Outcome());
  }
  ASSERT_OK_AND_ASSIGN(const auto recorded, RecordedSearches("record.textproto", outcomes));
  ASSERT_EQ(recorded.size(), 2);
  for (size_t i = 0; i < recorded.size(); ++i) {
    const SearchProgress& there = journals[i].progress;
    const SearchProgress& here = recorded[i].progress;
    ASSERT_OK_AND_ASSIGN(const SearchOutcome again, here.Outcome());
    EXPECT_EQ(PrintTextproto(again), PrintTextproto(outcomes[static_cast<int>(i)]));
    EXPECT_EQ(here.edges_finished(), there.edges_finished());
    EXPECT_EQ(here.edges_total(), there.edges_total());
    EXPECT_EQ(here.epochs_trained(), there.epochs_trained());
    EXPECT_EQ(here.epochs_at_worst(), there.epochs_at_worst());
    EXPECT_EQ(here.next_edge(), kNoEdge);
  }

  // An edge whose source was never reached cannot have been trained.
  google::protobuf::RepeatedPtrField<EdgeOutcome>& edges = *outcomes[0].mutable_edges();
  edges.erase(edges.begin());
  EXPECT_THAT(RecordedSearches("record.textproto", outcomes),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("record.textproto: pool cs: ")));
}

TEST(SearchFolderTest, SaysWhatIsMissingOrDamaged) {
  const std::string run = TestFolder("bad");
  EXPECT_THAT(ReadSearches(run), StatusIs(absl::StatusCode::kNotFound, HasSubstr("no search in")));
  EXPECT_THAT(ReadSearches(JoinPath(run, "none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  ASSERT_THAT(SearchIn(run, Sampling::kUniform), IsOk());
  const std::string path = JoinPath(run, kJournalFile);
  ASSERT_OK_AND_ASSIGN(std::string text, ReadFile(path));
  // A complete line that adds nothing: the first point once more.
  const size_t second = text.find('\n') + 1, third = text.find('\n', second) + 1;
  const size_t fourth = text.find('\n', third) + 1;
  ASSERT_THAT(WriteFileAtomically(path, text + text.substr(third, fourth - third)), IsOk());
  EXPECT_THAT(ReadSearches(run), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(": line ")));
}

}  // namespace
}  // namespace op3d::planner
