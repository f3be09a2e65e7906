#include "planner/search_folder.h"

#include <gtest/gtest.h>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_matchers.h"
#include "planner/journal.h"
#include "planner/pool.h"
#include "planner/scripted_runner.h"
#include "planner/search.h"

namespace op3d {
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

TEST(SearchFolderTest, SaysWhatIsMissingOrDamaged) {
  const std::string run = TestFolder("bad");
  EXPECT_THAT(ReadSearches(run), StatusIs(absl::StatusCode::kNotFound, HasSubstr("no search in")));
  EXPECT_THAT(ReadSearches(JoinPath(run, "none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  ASSERT_THAT(SearchIn(run, Sampling::kUniform), IsOk());
  const std::string path = JoinPath(run, kJournalFile);
  ASSERT_OK_AND_ASSIGN(std::string text, ReadFile(path));
  // A whole line that says nothing new: the first point once more.
  const size_t second = text.find('\n') + 1, third = text.find('\n', second) + 1;
  const size_t fourth = text.find('\n', third) + 1;
  ASSERT_THAT(WriteFileAtomically(path, text + text.substr(third, fourth - third)), IsOk());
  EXPECT_THAT(ReadSearches(run), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(": line ")));
}

}  // namespace
}  // namespace op3d
