#include "op3d/base/thread/parallel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::HasSubstr;

TEST(InParallelTest, DoesEverythingOnce) {
  for (const int threads : {0, 1, 3, 100}) {
    std::vector<std::atomic<int>> calls(57);
    ASSERT_THAT(InParallel(threads, 57,
                           [&](int64_t i) {
                             ++calls[i];
                             return absl::OkStatus();
                           }),
                IsOk());
    for (const std::atomic<int>& count : calls) EXPECT_EQ(count, 1);
  }
  EXPECT_THAT(InParallel(2, 0, [](int64_t) { return absl::InternalError("called"); }), IsOk());
}

TEST(OnThreadsTest, AllAreThereAtOnce) {
  std::atomic<int> there = 0;
  std::vector<int> seen(3, -1);
  OnThreads(3, [&](int64_t i) {
    ++there;
    while (there < 3) std::this_thread::yield();
    seen[i] = there;
  });
  EXPECT_THAT(seen, testing::Each(3));
}

TEST(InParallelTest, StopsAtAnError) {
  std::atomic<int> calls = 0;
  EXPECT_THAT(InParallel(2, 1'000'000,
                         [&](int64_t i) {
                           ++calls;
                           return i == 5 ? absl::DataLossError("five") : absl::OkStatus();
                         }),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("five")));
  EXPECT_LT(calls, 1'000'000);
}

}  // namespace
}  // namespace op3d
