#include "op3d/base/thread/interrupt.h"

#include <csignal>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

TEST(InterruptTest, ASignalIsAskedForNotSuffered) {
  InstallInterruptHandler();
  EXPECT_THAT(CheckInterrupt(), IsOk());
  std::raise(SIGTERM);
  EXPECT_THAT(CheckInterrupt(),
              StatusIs(absl::StatusCode::kCancelled, testing::HasSubstr("SIGTERM")));
  EXPECT_EQ(InterruptSignal(), SIGTERM);
  EXPECT_EQ(ExitCode(CheckInterrupt()), 143);
  EXPECT_EXIT(std::raise(SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace op3d
