#include "benchmarks/study/planner_study.h"

#include <gmock/gmock.h>

#include <cmath>
#include <string>

#include "benchmarks/study/search_strategies.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/graphs/pool.h"
#include "planner/knee/stopping_rule.h"

namespace op3d::benchmarks {
namespace {

TEST(PlannerStudyTest, IsTheSameForAnyNumberOfThreads) {
  StudyOptions options;
  options.worlds = 2;
  ASSERT_OK_AND_ASSIGN(const PlannerStudy one, StudyPlanner(options));
  options.threads = 2;
  ASSERT_OK_AND_ASSIGN(const PlannerStudy two, StudyPlanner(options));
  EXPECT_EQ(FormatStudy(one), FormatStudy(two));
  EXPECT_EQ(one.rows[0].epochs_share, 1);
  EXPECT_EQ(one.rows[0].difference, 0);
  EXPECT_NE(DrawStudy(one).ToFile().find("random search"), std::string::npos);
  options.worlds = 1;
  EXPECT_THAT(StudyPlanner(options),
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("got 1")));
}

TEST(PlannerStudyTest, WithoutNoiseThePlannerIsNearlyPerfect) {
  const TransitionGraph graph = planner::MakePool(planner::PoolOptions());
  ASSERT_OK_AND_ASSIGN(const planner::GraphIndex index, planner::IndexGraph(graph));
  SimulatedOptions exact;
  exact.noise = 0;
  exact.path_effect = 0;
  StoppingRule rule = planner::PublishedRule(10);
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    const SimulatedTraining world(graph, index, seed, exact);
    const BestWay best = FindBestWay(world);
    ASSERT_OK_AND_ASSIGN(const Found found, PlanSearch(world, rule, 1));
    EXPECT_LE(found.value, best.value + 1e-12);  // nothing is better than all ways tried
    EXPECT_NEAR(found.value, best.value, 2e-3);
  }
}

TEST(PlannerStudyTest, OtherStrategiesKeepToTheBudget) {
  const TransitionGraph graph = planner::MakePool(planner::PoolOptions());
  ASSERT_OK_AND_ASSIGN(const planner::GraphIndex index, planner::IndexGraph(graph));
  const SimulatedTraining world(graph, index, 5, SimulatedOptions());
  const double best = FindBestWay(world).value;
  constexpr int64_t kBudget = 10000, kOneEpoch = 64;
  for (const auto& search : {RandomSearch, SuccessiveHalving, PopulationBasedTraining}) {
    const Found found = search(world, kBudget, 3);
    EXPECT_GE(found.frames, kBudget);
    EXPECT_LT(found.frames, kBudget + kOneEpoch);
    EXPECT_GT(found.value, 0.3);
    EXPECT_LT(found.value, best + 0.01);
    EXPECT_FALSE(found.trained.empty());
  }
}

StateSettings Clip(int segments, int frames, double rate) {
  StateSettings state;
  state.set_segments(segments);
  state.set_frames_per_segment(frames);
  state.set_stride(1);
  state.set_learning_rate(rate);
  return state;
}

// Weights of `epochs` epochs at a constant rate.
AnnealedWeights Trained(const AnnealedTraining& world, const StateSettings& state, int epochs,
                        uint64_t training = 1) {
  auto weights = world.After(AnnealedWeights(), state, epochs, epochs, training);
  EXPECT_THAT(weights, IsOk());
  return *weights;
}

AnnealedOptions Exact() {
  AnnealedOptions options;
  options.scatter = 0;
  options.spread = 0;
  options.held_out_videos = 0;
  return options;
}

TEST(AnnealedTrainingTest, TheFloorGrowsWithTheRateAndMergingGivesMostOfItBack) {
  const AnnealedTraining world(3, Exact());
  for (const double rate : {0.04, 0.01, 0.0025}) {
    const StateSettings state = Clip(8, 4, rate);
    const AnnealedWeights weights = Trained(world, state, 20000);  // progress is 1
    const double annealed = world.Annealed(weights, state);
    const double floor = 0.08 * std::pow(rate / 0.04, 1.1);
    EXPECT_NEAR(annealed - world.Score(weights, state, false), floor, 1e-4);
    EXPECT_NEAR(annealed - world.Score(weights, state, true), 0.15 * floor, 1e-4);
    EXPECT_EQ(world.Measure(weights, state, true, 5), world.Score(weights, state, true));
  }
}

TEST(AnnealedTrainingTest, AnnealingRemovesTheFloor) {
  const AnnealedTraining world(3, Exact());
  const StateSettings trunk = Clip(8, 4, 0.04);
  const AnnealedWeights weights = Trained(world, trunk, 40);
  StateSettings fall = trunk;
  fall.mutable_schedule()->mutable_linear();
  ASSERT_OK_AND_ASSIGN(const AnnealedWeights end, world.After(weights, fall, 50, 50, 1));
  // The last of 800 steps has a rate of 0.04 / 800.
  EXPECT_NEAR(end.rate, 0.04 / 800, 1e-12);
  EXPECT_NEAR(world.Score(end, fall, false), world.Annealed(end, fall), 1e-4);
  EXPECT_GT(world.Score(end, fall, false), world.Score(weights, trunk, false) + 0.05);
  // Half way, the linear schedule is at half the rate.
  ASSERT_OK_AND_ASSIGN(const AnnealedWeights half, world.After(weights, fall, 50, 25, 1));
  EXPECT_NEAR(half.rate, 0.02, 1e-4);
  // Epochs count by the 0.29th power of their rate: the mean of (1 - x)^0.29 is 1 / 1.29.
  EXPECT_NEAR(end.age - weights.age, 50 / 1.29, 0.1);
}

TEST(AnnealedTrainingTest, ProgressIsAHillCurveOfTheEpochs) {
  const AnnealedTraining world(4, Exact());
  const StateSettings state = Clip(1, 32, 0.04);
  const double chance = 1.0 / 9;
  EXPECT_DOUBLE_EQ(world.Score(AnnealedWeights(), state, false), chance);
  const double ceiling = world.Annealed(Trained(world, state, 100000), state);
  // 1 / g - 1 = (pace / u)^1.9: twice the epochs divide it by 2^1.9.
  const auto rest = [&](int epochs) {
    return (ceiling - chance) / (world.Annealed(Trained(world, state, epochs), state) - chance) - 1;
  };
  EXPECT_NEAR(rest(5) / rest(10), std::pow(2, 1.9), 1e-4);
  // 64 frames count 2^0.72 times as much, for every clip.
  EXPECT_NEAR(Trained(world, Clip(16, 4, 0.04), 10).age, 10 * std::pow(2, 0.72), 1e-9);
  ASSERT_OK_AND_ASSIGN(const AnnealedWeights same,
                       world.After(Trained(world, state, 3), state, 4, 0, 1));
  EXPECT_EQ(same.age, Trained(world, state, 3).age);  // after 0 epochs the source
}

TEST(AnnealedTrainingTest, CeilingsRiseWithTheLengthAndFallOffTheBestRate) {
  const AnnealedTraining world(6, Exact());
  const auto ceiling = [&](int segments, int frames, double rate) {
    const StateSettings state = Clip(segments, frames, rate);
    return world.Annealed(Trained(world, state, 20000), state);
  };
  // 1 - gap (frames / 16)^-1.1 - price.
  for (const bool uniform : {false, true}) {
    const auto of = [&](int frames) {
      return uniform ? ceiling(frames / 4, 4, 0.04) : ceiling(1, frames, 0.04);
    };
    EXPECT_NEAR((of(32) - of(16)) / (of(64) - of(32)), std::pow(2, 1.1), 1e-3);
  }
  // A parabola of 0.09 over log4 of the rate.
  EXPECT_NEAR(ceiling(1, 16, 0.04) - 2 * ceiling(1, 16, 0.01) + ceiling(1, 16, 0.0025), -2 * 0.09,
              1e-4);
  // The highest rate so far counts: states with lower rates do not recover it.
  const StateSettings high = Clip(1, 16, 0.04), low = Clip(1, 16, 0.01);
  ASSERT_OK_AND_ASSIGN(const AnnealedWeights lowered,
                       world.After(Trained(world, high, 20000), low, 10, 10, 1));
  EXPECT_NEAR(world.Annealed(lowered, low), ceiling(1, 16, 0.04), 1e-4);
}

TEST(AnnealedTrainingTest, OfTiesTheCheaperWayWins) {
  const AnnealedTraining exact(7, Exact()), noisy(7, AnnealedOptions());
  StoppingRule rule = planner::PublishedRule(4);
  rule.set_max_epochs_from_initial(20);
  rule.set_max_epochs(8);
  // Without noise there are no ties.
  ASSERT_OK_AND_ASSIGN(const FoundModel none, PublishedSearch(exact, rule, 0, 1));
  ASSERT_OK_AND_ASSIGN(const FoundModel exact_ties, PublishedSearch(exact, rule, 2, 1));
  EXPECT_EQ(none.model_frames, exact_ties.model_frames);
  EXPECT_EQ(none.value, exact_ties.value);
  // The larger the tie, the shorter the plan; the search itself is the same.
  double frames = 1e9, searched = 0;
  for (const double tie : {0.0, 1.0, 1000.0}) {
    ASSERT_OK_AND_ASSIGN(const FoundModel found, PublishedSearch(noisy, rule, tie, 1));
    EXPECT_LE(found.model_frames, frames);
    if (tie > 0) {
      EXPECT_EQ(found.frames - found.model_frames, searched);
    }
    frames = found.model_frames;
    searched = found.frames - found.model_frames;
  }
}

TEST(AnnealedTrainingTest, SpreadScatterAndNoiseHaveTheirSize) {
  AnnealedOptions options;
  options.held_out_videos = 200;
  const AnnealedTraining world(5, options);
  const StateSettings state = Clip(8, 4, 0.04);
  constexpr int kDraws = 4000;
  double luck = 0, later = 0, both = 0, noise = 0, scatter = 0;
  for (int i = 1; i <= kDraws; ++i) {
    const AnnealedWeights weights = Trained(world, state, 10, i);
    ASSERT_OK_AND_ASSIGN(const AnnealedWeights next, world.After(weights, state, 2, 2, i));
    luck += weights.luck * weights.luck / kDraws;
    later += next.luck * next.luck / kDraws;
    both += weights.luck * next.luck / kDraws;
    const double score = world.Score(weights, state, true);
    const double z = (world.Measure(weights, state, true, 7) - score) /
                     std::sqrt(0.5 * score * (1 - score) / 200);
    noise += z * z / kDraws;
    AnnealedWeights epoch = weights;
    epoch.age = 1e6;
    epoch.luck = -0.3;  // far below the ceiling
    const double below = world.Annealed(epoch, state) - world.Score(epoch, state, false) - 0.08;
    scatter += below * below / kDraws;
  }
  EXPECT_NEAR(std::sqrt(luck), 0.025, 0.001);
  EXPECT_NEAR(std::sqrt(later), 0.025, 0.001);
  EXPECT_NEAR(both / luck, 0.9, 0.02);
  EXPECT_NEAR(std::sqrt(noise), 1, 0.05);
  EXPECT_NEAR(std::sqrt(scatter), 0.053, 0.002);
}

TEST(MethodStudyTest, IsTheSameForAnyNumberOfThreadsAndKeepsToTheFrames) {
  MethodStudyOptions options;
  options.worlds = 3;
  ASSERT_OK_AND_ASSIGN(const MethodStudy one, StudyMethods(options));
  options.threads = 2;
  ASSERT_OK_AND_ASSIGN(const MethodStudy two, StudyMethods(options));
  EXPECT_EQ(FormatMethods(one), FormatMethods(two));
  EXPECT_EQ(one.rows[0].difference, 0);
  for (const MethodRow& row : one.rows) {
    EXPECT_GT(row.mean, 20) << row.name;
    EXPECT_LT(row.mean, 100) << row.name;
    EXPECT_LE(row.model_frames, row.frames) << row.name;
    // Edges have whole epochs.
    if (row.name.find("published") == std::string::npos) {
      EXPECT_NEAR(row.frames, 4608, 0.15 * 4608) << row.name;
    }
  }
}

TEST(MethodStudyTest, RefusesNumbersOutOfRange) {
  const auto study = [](auto set) {
    MethodStudyOptions options;
    options.worlds = 2;
    set(&options);
    return StudyMethods(options).status();
  };
  using ::testing::HasSubstr;
  constexpr auto kBad = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(study([](auto* options) { options->worlds = 1; }),
              StatusIs(kBad, HasSubstr("got 1")));
  EXPECT_THAT(study([](auto* options) { options->frames = -1; }), StatusIs(kBad, HasSubstr("-1")));
  EXPECT_THAT(study([](auto* options) { options->frames = 1e9; }),
              StatusIs(kBad, HasSubstr("at most 100000")));
  EXPECT_THAT(study([](auto* options) { options->annealed.recovered = 1.5; }),
              StatusIs(kBad, HasSubstr("recovered is 1.5")));
  EXPECT_THAT(study([](auto* options) { options->annealed.spread = std::nan(""); }),
              StatusIs(kBad, HasSubstr("spread is nan")));
  EXPECT_THAT(study([](auto* options) { options->annealed.held_out_videos = -3; }),
              StatusIs(kBad, HasSubstr("is -3")));
}

}  // namespace
}  // namespace op3d::benchmarks
