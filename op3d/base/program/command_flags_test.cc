#include "op3d/base/program/command_flags.h"

#include <gmock/gmock.h>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "op3d/base/program/program.h"
#include "op3d/base/testing/status_matchers.h"

ABSL_FLAG(int, test_jobs, 1, "search, resume: edges at once");
ABSL_FLAG(int, test_seed, 1, "clip: of the crop; synthesize: of the videos");
ABSL_FLAG(int, test_threads, 0, "videos at the same time; 0 = all");

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string>& Commands() {
  static const auto* commands =
      new std::vector<std::string>{"search", "resume", "clip", "synthesize", "show"};
  return *commands;
}

TEST(CommandFlagsTest, HelpSaysWhoTakesAFlag) {
  EXPECT_THAT(FlagTakers("search, resume: edges at once", Commands()),
              ElementsAre("search", "resume"));
  EXPECT_THAT(FlagTakers("clip: of the crop; synthesize: of the videos", Commands()),
              ElementsAre("clip", "synthesize"));
  EXPECT_THAT(FlagTakers("clip: 0 = 224.  search --race: of the interval", Commands()),
              ElementsAre("clip", "search"));
  EXPECT_THAT(FlagTakers("videos at the same time: 0 = all", Commands()), IsEmpty());
  EXPECT_THAT(FlagTakers("", Commands()), IsEmpty());
}

TEST(CommandFlagsTest, AFlagOfAnotherCommandIsRefusedByName) {
  const absl::FlagSaver saver;
  EXPECT_THAT(RefuseForeignFlags("plan", "show", Commands()), IsOk());
  absl::SetFlag(&FLAGS_test_threads, 3);
  EXPECT_THAT(RefuseForeignFlags("plan", "show", Commands()), IsOk());
  absl::SetFlag(&FLAGS_test_jobs, 4);
  EXPECT_THAT(RefuseForeignFlags("plan", "search", Commands()), IsOk());
  EXPECT_THAT(RefuseForeignFlags("plan", "show", Commands()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("--test_jobs is not a flag of plan show, but of: search, resume")));
  EXPECT_THAT(RefuseForeignFlags("plan", "dance", Commands()), IsOk());
  // Even with its default value it has no effect.
  EXPECT_THAT(RefuseForeignFlags("plan", "search", Commands()), IsOk());
  ASSERT_THAT(CheckFlags({"--test_threads=0", "--test_seed=1"}), IsOk());
  EXPECT_THAT(RefuseForeignFlags("plan", "clip", Commands()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--test_jobs is not a flag of")));
  EXPECT_THAT(
      RefuseForeignFlags("plan", "search", Commands()),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("--test_seed is not a flag of plan search, but of: clip, synthesize")));
}

}  // namespace
}  // namespace op3d
