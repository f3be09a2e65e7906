#include "op3d/distributed/rank_environment.h"

#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::HasSubstr;

absl::StatusOr<RankEnvironment> Read(const std::map<std::string, std::string>& variables) {
  return ReadRankEnvironment([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

TEST(RankEnvironmentTest, WithoutALauncherAProcessIsAlone) {
  ASSERT_OK_AND_ASSIGN(const RankEnvironment alone, Read({{"HOME", "/root"}}));
  EXPECT_EQ(alone.size, 1);
  EXPECT_EQ(alone.rank, 0);
  // In a Slurm batch script, outside srun.
  ASSERT_OK_AND_ASSIGN(const RankEnvironment batch,
                       Read({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}));
  EXPECT_EQ(batch.size, 1);
}

TEST(RankEnvironmentTest, Torchrun) {
  ASSERT_OK_AND_ASSIGN(const RankEnvironment ranks, Read({{"RANK", "5"},
                                                          {"WORLD_SIZE", "8"},
                                                          {"LOCAL_RANK", "1"},
                                                          {"MASTER_ADDR", "node7"},
                                                          {"MASTER_PORT", "1234"},
                                                          {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                                          {"TORCHELASTIC_RESTART_COUNT", "2"},
                                                          {"SLURM_PROCID", "1"}}));
  EXPECT_EQ(ranks.rank, 5);
  EXPECT_EQ(ranks.size, 8);
  EXPECT_EQ(ranks.local_rank, 1);
  EXPECT_EQ(ranks.host, "node7");
  EXPECT_EQ(ranks.port, 1234);
  EXPECT_FALSE(ranks.rank_0_keeps_store);
  EXPECT_EQ(ranks.attempt, 2);
  ASSERT_OK_AND_ASSIGN(const RankEnvironment plain,
                       Read({{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "here"}}));
  EXPECT_EQ(plain.port, 29500);
  EXPECT_EQ(plain.local_rank, 1);
  EXPECT_TRUE(plain.rank_0_keeps_store);
}

TEST(RankEnvironmentTest, Srun) {
  ASSERT_OK_AND_ASSIGN(const RankEnvironment ranks, Read({{"SLURM_PROCID", "3"},
                                                          {"SLURM_STEP_NUM_TASKS", "4"},
                                                          {"SLURM_LOCALID", "1"},
                                                          {"SLURM_STEP_NODELIST", "gpu[07-08]"},
                                                          {"SLURM_JOB_ID", "40012"}}));
  EXPECT_EQ(ranks.rank, 3);
  EXPECT_EQ(ranks.size, 4);
  EXPECT_EQ(ranks.local_rank, 1);
  EXPECT_EQ(ranks.host, "gpu07");
  EXPECT_EQ(ranks.port, 20000 + 40012 % 12768);
  EXPECT_EQ(FirstSlurmHost("a"), "a");
  EXPECT_EQ(FirstSlurmHost("a,b[1-2]"), "a");
  EXPECT_EQ(FirstSlurmHost("n[003,9]"), "n003");
  EXPECT_EQ(FirstSlurmHost("n[1-2],m"), "n1");
}

TEST(RankEnvironmentTest, JobsAndStepsOnOneMachineMeetAtDifferentPorts) {
  std::set<int> ports;
  for (int job = 100; job < 110; ++job) {
    for (int step = 0; step < 100; ++step) {
      ASSERT_OK_AND_ASSIGN(const RankEnvironment ranks,
                           Read({{"SLURM_PROCID", "0"},
                                 {"SLURM_STEP_NUM_TASKS", "2"},
                                 {"SLURM_STEP_NODELIST", "gpu07"},
                                 {"SLURM_JOB_ID", absl::StrCat(job)},
                                 {"SLURM_STEP_ID", absl::StrCat(step)}}));
      EXPECT_GE(ranks.port, 20000);
      EXPECT_LT(ranks.port, 32768);
      EXPECT_TRUE(ports.insert(ranks.port).second) << job << "." << step;
    }
  }
}

TEST(RankEnvironmentTest, WhatDoesNotFitIsNamed) {
  const auto invalid = [](const char* words) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words));
  };
  EXPECT_THAT(Read({{"RANK", "2"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "x"}}),
              invalid("RANK is '2'; it must be a whole number in [0, 1]"));
  EXPECT_THAT(Read({{"RANK", "1"}}), invalid("no WORLD_SIZE"));
  EXPECT_THAT(Read({{"WORLD_SIZE", "two"}, {"RANK", "0"}}), invalid("'two'"));
  EXPECT_THAT(Read({{"RANK", "0"}, {"WORLD_SIZE", "2"}}), invalid("MASTER_ADDR"));
  EXPECT_THAT(
      Read({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "x"}, {"MASTER_PORT", "70000"}}),
      invalid("MASTER_PORT is '70000'"));
  EXPECT_THAT(Read({{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}}),
              invalid("SLURM_STEP_NODELIST"));
}

}  // namespace
}  // namespace op3d
