#include "planner/plans/plan_io.h"

#include <gtest/gtest.h>

#include <map>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "planner/graphs/pool.h"
#include "planner/testing/golden_cases.h"

namespace op3d::planner {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

Plan ReadShipped(const std::string& name) {
  const auto path = RunfilePath("planner/plans/" + name + ".textproto");
  EXPECT_THAT(path, IsOk());
  const auto plan = ReadPlan(path.value_or(""));
  EXPECT_THAT(plan, IsOk());
  return plan.value_or(Plan());
}

// The shipped plan of each released run.
const std::map<std::string, std::string>& Runs() {
  static const auto& runs = *new std::map<std::string, std::string>{
      {"op-anet-dg-p3d-resnet50", "activitynet_imagenet"},
      {"op-anet-dg-p3d-resnet50-kinetics", "activitynet_kinetics400"},
      {"op-hmdb51-dg-p3d-resnet50", "hmdb51_imagenet"},
      {"op-hmdb51-dg-p3d-resnet50-kinetics", "hmdb51_kinetics400"},
      {"op-kinetics-dg-p3d-resnet50", "kinetics400"},
      {"op-kinetics-i3d-resnet50", "kinetics400"},
      {"op-kinetics-lgd-p3d-resnet50", "kinetics400"},
      {"op-kinetics-p3d-resnet50", "kinetics400"},
      {"op-kinetics-r2p1d-resnet50", "kinetics400"},
      {"op-ssv1-dg-p3d-resnet50", "something_something_v1"},
      {"op-ssv2-dg-p3d-resnet50", "something_something_v2"},
      {"op-ucf101-dg-p3d-resnet50", "ucf101_imagenet"},
      {"op-ucf101-dg-p3d-resnet50-kinetics", "ucf101_kinetics400"},
  };
  return runs;
}

TEST(PlanIoTest, ShippedPlansAreTheReleasedOnes) {
  const json golden = ReadGolden("plan_replay.json");
  ASSERT_EQ(golden["runs"].size(), Runs().size());
  for (const json& run : golden["runs"]) {
    SCOPED_TRACE(run["run"].get<std::string>());
    const Plan plan = ReadShipped(Runs().at(run["run"]));
    EXPECT_EQ(plan.pool(), run["pool"].get<std::string>());
    ASSERT_EQ(plan.steps_size(), run["states"].size());
    for (int i = 0; i < plan.steps_size(); ++i) {
      const StateSettings& state = plan.steps(i).state();
      const json& released = run["states"][i];
      EXPECT_EQ(state.name(), "S" + std::to_string(released["state"].get<int>()));
      EXPECT_EQ(state.segments(), released["segments"].get<int>());
      EXPECT_EQ(state.frames_per_segment(), released["clip_length"].get<int>());
      EXPECT_EQ(state.stride(), released["stride"].get<int>());
      EXPECT_DOUBLE_EQ(state.learning_rate(), released["learning_rate"].get<double>());
      EXPECT_EQ(state.frozen_batch_norm(), released["batch_norm_frozen"].get<bool>());
      EXPECT_EQ(state.batch_size(), released["batch_per_gpu"].get<int>());
      // Four GPUs in the released runs, one process here.
      EXPECT_EQ(state.accumulation(), 4 * released["accumulate"].get<int>());
      EXPECT_EQ(plan.steps(i).epochs(), released["epochs"].get<int>());
    }
  }
}

TEST(PlanIoTest, ShippedPlansFitIntoTheGraphsTheGoldenCasesSay) {
  const json golden = ReadGolden("plan_replay.json");
  for (const json& run : golden["runs"]) {
    const std::string name = run["run"];
    SCOPED_TRACE(name);
    const Plan plan = ReadShipped(Runs().at(name));
    const bool large =
        name.find("kinetics-") != std::string::npos || name.find("op-ss") != std::string::npos;
    PoolOptions options;
    options.sampling = run["pool"] == "cs" ? Sampling::kConsecutive : Sampling::kUniform;
    options.rates = large ? kLargeDatasetRates : kSmallDatasetRates;
    options.longest_stride = name.find("ucf101") != std::string::npos ? 1 : 2;
    for (const bool extended : {false, true}) {
      options.extended = extended;
      const absl::Status status = ValidatePlan(plan, MakePool(options));
      if (run[extended ? "extended" : "base"]["feasible"].get<bool>()) {
        EXPECT_THAT(status, IsOk());
      } else {
        EXPECT_THAT(status, StatusIs(kInvalid, HasSubstr("no edge of the graph")));
      }
    }
  }
}

TEST(PlanIoTest, WritesWhatItReads) {
  const Plan plan = ReadShipped("kinetics400");
  EXPECT_EQ(TotalEpochs(plan), 58 + 108 + 26 + 10 + 18);
  const std::string path = JoinPath(TestFolder("plan"), "plan.textproto");
  ASSERT_THAT(WritePlan(path, plan), IsOk());
  ASSERT_OK_AND_ASSIGN(const Plan again, ReadPlan(path));
  EXPECT_EQ(PrintTextproto(again), PrintTextproto(plan));
}

TEST(PlanIoTest, APlanIsNamedByFileFolderOrRelease) {
  const std::string folder = TestFolder("named");
  Plan plan = ReadShipped("ucf101_imagenet");
  ASSERT_THAT(WritePlan(JoinPath(folder, "plan.textproto"), plan), IsOk());
  for (const std::string& name :
       {std::string("ucf101_imagenet"), folder, JoinPath(folder, "plan.textproto")}) {
    ASSERT_OK_AND_ASSIGN(const Plan found, FindPlan(name));
    EXPECT_EQ(PrintTextproto(found), PrintTextproto(plan)) << name;
  }
  constexpr auto kNotFound = absl::StatusCode::kNotFound;
  EXPECT_THAT(FindPlan("ucf102"),
              StatusIs(kNotFound, AllOf(HasSubstr("no plan 'ucf102'"), HasSubstr("ucf101_imagenet, "
                                                                                 "ucf101_kinetics"))));
  EXPECT_THAT(FindPlan("none.textproto"), StatusIs(kNotFound, HasSubstr("none.textproto")));
  EXPECT_THAT(FindPlan(""), StatusIs(kNotFound, HasSubstr("")));
}

TEST(PlanIoTest, AGraphIsNamedByFileOrShippedName) {
  const std::string folder = TestFolder("graphs"), path = JoinPath(folder, "mine.textproto");
  ASSERT_OK_AND_ASSIGN(const TransitionGraph shipped, FindGraph("base_us"));
  ASSERT_THAT(WriteTextproto(path, shipped), IsOk());
  ASSERT_OK_AND_ASSIGN(const TransitionGraph mine, FindGraph(path));
  EXPECT_EQ(PrintTextproto(mine), PrintTextproto(shipped));
  EXPECT_THAT(FindGraph("base_uz"),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("no graph 'base_uz': there is no file "),
                             HasSubstr("; the shipped graphs are base_cs, "))));
  ASSERT_THAT(WriteFileAtomically(path, "published { sampling: UNIFORM rates: 1 }"), IsOk());
  EXPECT_THAT(FindGraph(path),
              StatusIs(kInvalid, AllOf(HasSubstr("mine.textproto"), HasSubstr("published.rates"))));
}

TEST(PlanIoTest, APlanTakesItsStatesFromAGraph) {
  const std::string path = JoinPath(TestFolder("states"), "plan.textproto");
  const std::string step = "steps { state { name: 'S8' } epochs: 3 }";
  ASSERT_THAT(WriteFileAtomically(path, "states_of: 'base_cs_ucf101' " + step), IsOk());
  ASSERT_OK_AND_ASSIGN(const Plan plan, ReadPlan(path));
  EXPECT_EQ(plan.pool(), "cs");
  EXPECT_EQ(plan.states_of(), "");
  EXPECT_EQ(plan.steps(0).state().frames_per_segment(), 32);
  EXPECT_EQ(plan.steps(0).state().learning_rate(), 1e-4);
  ASSERT_THAT(WriteFileAtomically(path, "states_of: 'base_us' " + step), IsOk());
  EXPECT_THAT(ReadPlan(path), StatusIs(kInvalid, AllOf(HasSubstr("plan.textproto"),
                                                       HasSubstr("a step in 'S8', but the graph "
                                                                 "base_us has the states S10, "))));
  ASSERT_THAT(WriteFileAtomically(path, "states_of: 'base' " + step), IsOk());
  EXPECT_THAT(ReadPlan(path), StatusIs(absl::StatusCode::kNotFound, HasSubstr("no graph 'base'")));
}

TEST(PlanIoTest, NamesTheFileAndTheFault) {
  const std::string path = JoinPath(TestFolder("bad"), "plan.textproto");
  EXPECT_THAT(ReadPlan(path), StatusIs(absl::StatusCode::kNotFound, HasSubstr("plan.textproto")));
  ASSERT_THAT(WriteFileAtomically(path, "pool: \"cs\"\nstep {}\n"), IsOk());
  EXPECT_THAT(ReadPlan(path), StatusIs(kInvalid, HasSubstr("plan.textproto:2:")));
  ASSERT_THAT(WriteFileAtomically(path, "pool: \"cs\"\n"), IsOk());
  EXPECT_THAT(ReadPlan(path),
              StatusIs(kInvalid, AllOf(HasSubstr("plan.textproto"), HasSubstr("no steps"))));
}

TEST(PlanIoTest, RefusesPlansThatCannotBeTrained) {
  const Plan good = ReadShipped("kinetics400");
  Plan plan = good;
  plan.mutable_steps(2)->set_epochs(0);
  EXPECT_THAT(ValidatePlan(plan), StatusIs(kInvalid, HasSubstr("S5 has 0 epochs")));
  plan = good;
  plan.mutable_steps(1)->mutable_state()->set_batch_size(0);
  EXPECT_THAT(ValidatePlan(plan), StatusIs(kInvalid, HasSubstr("S2: batch_size is 0")));
  plan = good;
  plan.mutable_steps(1)->mutable_state()->clear_name();
  EXPECT_THAT(ValidatePlan(plan), StatusIs(kInvalid, HasSubstr("without a name")));
  plan = good;
  plan.mutable_steps(1)->mutable_state()->set_name("S1");
  EXPECT_THAT(ValidatePlan(plan), StatusIs(kInvalid, HasSubstr("S1 twice")));
  plan = good;
  plan.mutable_steps()->SwapElements(0, 1);
  EXPECT_THAT(ValidatePlan(plan), StatusIs(kInvalid, HasSubstr("step in S1 is not on its path")));
}

TEST(PlanIoTest, RefusesPlansOfAnotherGraph) {
  const TransitionGraph graph = MakePool(PoolOptions());
  const Plan good = ReadShipped("kinetics400");
  EXPECT_THAT(ValidatePlan(good, graph), IsOk());
  Plan plan = good;
  plan.clear_path();
  EXPECT_THAT(ValidatePlan(plan, graph), StatusIs(kInvalid, HasSubstr("does not say its path")));
  plan = good;
  plan.set_path(0, "start");
  EXPECT_THAT(ValidatePlan(plan, graph), StatusIs(kInvalid, HasSubstr("begins in start")));
  plan = good;
  plan.mutable_steps()->RemoveLast();
  plan.mutable_path()->RemoveLast();
  EXPECT_THAT(ValidatePlan(plan, graph), StatusIs(kInvalid, HasSubstr("ends in S7")));
  plan = good;
  plan.mutable_steps(0)->mutable_state()->set_learning_rate(0.01);
  EXPECT_THAT(ValidatePlan(plan, graph),
              StatusIs(kInvalid, HasSubstr("learning_rate is 0.01 in the plan and 0.04")));
  plan = good;
  plan.mutable_steps(4)->mutable_state()->set_stride(1);
  EXPECT_THAT(ValidatePlan(plan, graph), StatusIs(kInvalid, HasSubstr("stride is 1")));
  plan = good;
  plan.mutable_steps(4)->mutable_state()->set_accumulation(16);  // another machine's split
  EXPECT_THAT(ValidatePlan(plan, graph), IsOk());
}

}  // namespace
}  // namespace op3d::planner
