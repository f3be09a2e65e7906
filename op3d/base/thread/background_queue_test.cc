#include "op3d/base/thread/background_queue.h"

#include <vector>

#include "absl/synchronization/notification.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

TEST(BackgroundQueueTest, DoesJobsInOrderAndWaitsForRoom) {
  std::vector<int> done;
  absl::Notification go;
  {
    BackgroundQueue queue(/*most_waiting=*/2);
    for (int i = 0; i < 3; ++i) {
      ASSERT_THAT(queue.Add([&done, &go, i] {
        go.WaitForNotification();
        done.push_back(i);
        return absl::OkStatus();
      }),
                  IsOk());
      // The first job must run before the third is added, or the third would wait for ever.
      if (i == 1) go.Notify();
    }
    ASSERT_THAT(queue.Flush(), IsOk());
    EXPECT_EQ(done, (std::vector<int>{0, 1, 2}));
    ASSERT_THAT(queue.Add([&done] {
      done.push_back(3);
      return absl::OkStatus();
    }),
                IsOk());
  }
  EXPECT_EQ(done.back(), 3);  // done before the queue ended
}

TEST(BackgroundQueueTest, AnErrorStaysAndStopsTheRest) {
  BackgroundQueue queue;
  bool later = false;
  ASSERT_THAT(queue.Add([] { return absl::ResourceExhaustedError("disk full"); }), IsOk());
  const auto full = StatusIs(absl::StatusCode::kResourceExhausted, testing::HasSubstr("disk"));
  EXPECT_THAT(queue.Flush(), full);
  EXPECT_THAT(queue.Add([&later] {
    later = true;
    return absl::OkStatus();
  }),
              full);
  EXPECT_THAT(queue.Flush(), full);
  EXPECT_FALSE(later);
}

}  // namespace
}  // namespace op3d
