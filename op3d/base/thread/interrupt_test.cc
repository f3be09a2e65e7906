#include "op3d/base/thread/interrupt.h"

#include <unistd.h>

#include <cerrno>
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

TEST(InterruptTest, ABrokenPipeIsAnErrorOfItsWrite) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EXIT(static_cast<void>(!::write(ends[1], "x", 1)), testing::KilledBySignal(SIGPIPE), "");
  IgnoreBrokenPipes();
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

}  // namespace
}  // namespace op3d
