#include "benchmarks/settings_resolution.h"

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_matchers.h"

namespace op3d {
namespace {

using testing::HasSubstr;

SettingsRequest Request() {
  SettingsRequest request;
  request.benchmark = "kinetics400";
  return request;
}

TEST(SettingsResolutionTest, ShippedSettingsAreValid) {
  SettingsRequest request = Request();
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings miniature, ResolveSettings(request));
  EXPECT_EQ(miniature.scale(), BenchmarkSettings::MINIATURE);
  request.miniature = false;
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings full, ResolveSettings(request));
  EXPECT_EQ(full.scale(), BenchmarkSettings::FULL);
  ASSERT_EQ(full.search().pools_size(), 2);  // read from planner/graphs
  EXPECT_EQ(full.search().pools(1).pool(), "us");
  EXPECT_EQ(full.search().pools(0).states_size(), 9);
  EXPECT_EQ(full.dataset().classes(), 400);  // read from data/datasets
}

TEST(SettingsResolutionTest, FileThenFlagsOverride) {
  SettingsRequest request = Request();
  request.settings_file = JoinPath(TestFolder("settings"), "mine.textproto");
  ASSERT_THAT(WriteFileAtomically(request.settings_file,
                                  "search { rule { max_epochs: 3 } } seed: 5 "
                                  "recipes { name: 'only' planned: true test_clips: 1 }"),
              IsOk());
  request.assignments = {"search.rule.max_epochs_from_initial=4", "network.dropout=0.1"};
  request.seed = 6;
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, ResolveSettings(request));
  EXPECT_EQ(settings.search().rule().max_epochs(), 3);
  EXPECT_EQ(settings.search().rule().max_epochs_from_initial(), 4);
  EXPECT_EQ(settings.search().rule().attempt_epochs(), 4);  // the shipped one stays
  EXPECT_EQ(settings.network().dropout(), 0.1);
  EXPECT_EQ(settings.seed(), 6);
  EXPECT_EQ(settings.recipes_size(), 1);  // a list is replaced, not grown
}

TEST(SettingsResolutionTest, WhatMakesNoSenseIsNamed) {
  const auto with = [](const std::string& assignment) {
    SettingsRequest request = Request();
    request.assignments = {assignment};
    return ResolveSettings(request).status();
  };
  EXPECT_THAT(with("search.rule.max_epochs=0"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at least 1")));
  EXPECT_THAT(
      with("transform.test_crop=100"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("test_crop of 100 does not fit")));
  EXPECT_THAT(with("search.held_out_share=1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("(0, 1)")));
  SettingsRequest no_graph = Request();
  no_graph.miniature = false;
  no_graph.assignments = {"search.graphs=['no_such_graph']"};
  EXPECT_THAT(ResolveSettings(no_graph).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no_such_graph")));
  EXPECT_THAT(with("network.dropot=1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("dropot")));
  SettingsRequest request = Request();
  request.plan_file = "/no/plan";
  EXPECT_THAT(ResolveSettings(request).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/plan")));
  request = Request();
  request.settings_file = "/no/such.textproto";
  EXPECT_THAT(ResolveSettings(request).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such.textproto")));
}

}  // namespace
}  // namespace op3d
