#include "results/record/environment.h"

#include <gmock/gmock.h>

#include <vector>

namespace op3d::results {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

TEST(EnvironmentTest, EveryFieldIsFilled) {
  const Environment environment =
      CollectEnvironment(2, "cpu", "portable (AVX2)", {"libtorch 2.11.0"});
  EXPECT_THAT(environment.started(),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"));
  // A commit in a git checkout, "unknown" in a plain folder.
  EXPECT_THAT(environment.commit(), MatchesRegex("[0-9a-f]{40}|unknown"));
  EXPECT_NE(environment.host(), "");
  EXPECT_NE(environment.cpu(), "");
  EXPECT_NE(environment.processor().vendor(), "");
  EXPECT_GT(environment.processor().flags_size(), 0);
  EXPECT_EQ(environment.arithmetic(), "portable (AVX2)");
  EXPECT_GE(environment.cores(), 1);
  EXPECT_EQ(environment.threads(), 2);
  EXPECT_EQ(environment.device(), "cpu");
  EXPECT_THAT(environment.libraries(), ElementsAre("libtorch 2.11.0"));
  EXPECT_EQ(environment.driver().empty(), environment.gpus().empty());
  // This program links none of the libraries that decide results; the linker gave it an identifier.
  ASSERT_EQ(environment.binaries_size(), 1);
  EXPECT_EQ(environment.binaries(0).file(), "environment_test");
  EXPECT_THAT(environment.binaries(0).build_id(), MatchesRegex("([0-9a-f]{2})*"));
}

TEST(EnvironmentTest, TimeIsRfc3339InUtc) {
  EXPECT_EQ(RecordTime(absl::FromUnixSeconds(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(RecordTime(absl::FromUnixSeconds(1714564800) + absl::Milliseconds(900)),
            "2024-05-01T12:00:00Z");
}

TEST(EnvironmentTest, PeakMemorySeesAnAllocation) {
  const double before = PeakMemoryMib();
  EXPECT_GT(before, 0);
  std::vector<char> block(64 << 20);
  for (size_t i = 0; i < block.size(); i += 4096) block[i] = 1;
  EXPECT_GE(PeakMemoryMib(), 64);
}

}  // namespace
}  // namespace op3d::results
