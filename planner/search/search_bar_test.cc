#include "planner/search/search_bar.h"

#include <gtest/gtest.h>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/graphs/pool.h"
#include "planner/testing/scripted_runner.h"

namespace op3d::planner {
namespace {

// Two pools, one after the other: the share of the bar never decreases, and is 100 % only at the
// end.
TEST(SearchBarTest, AllPoolsCountFromTheStart) {
  PoolOptions options;
  const TransitionGraph cs = MakePool(options);
  options.sampling = Sampling::kUniform;
  const TransitionGraph us = MakePool(options);
  StoppingRule rule;
  rule.set_attempt_epochs(2);
  rule.set_max_epochs_from_initial(5);
  rule.set_max_epochs(3);
  ASSERT_OK_AND_ASSIGN(const auto bar, SearchBar::Make({&cs, &us}, rule));
  EXPECT_EQ(bar->trained(), 0);
  EXPECT_EQ(bar->at_worst(), 2 * (2 * 5 + 12 * 3));

  const std::string folder = TestFolder("bar");
  double share = 0;
  for (const int pool : {0, 1}) {
    // Edges end before their bounds.
    ScriptedRunner runner([](const EdgeTask&, int epoch) { return 0.5 - 0.01 * epoch; });
    SearchOptions search;
    search.folder = JoinPath(folder, pool == 0 ? "cs" : "us");
    search.observer = [&](const SearchEvent& event) {
      bar->Count(pool, event);
      const double now =
          static_cast<double>(bar->trained()) / static_cast<double>(bar->at_worst());
      EXPECT_GE(now, share);
      share = now;
    };
    ASSERT_THAT(Search(pool == 0 ? cs : us, rule, &runner, search), IsOk());
    EXPECT_LT(share, pool == 0 ? 0.6 : 1.1);
  }
  EXPECT_EQ(share, 1);

  // When resumed, earlier work counts at once.
  ASSERT_OK_AND_ASSIGN(const auto again, SearchBar::Make({&cs, &us}, rule));
  ScriptedRunner runner([](const EdgeTask&, int epoch) { return 0.5 - 0.01 * epoch; });
  SearchOptions search;
  search.folder = JoinPath(folder, "cs");
  search.observer = [&](const SearchEvent& event) { again->Count(0, event); };
  ASSERT_THAT(Search(cs, rule, &runner, search), IsOk());
  EXPECT_EQ(again->trained(), bar->trained() / 2);
}

}  // namespace
}  // namespace op3d::planner
