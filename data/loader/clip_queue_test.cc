#include "data/loader/clip_queue.h"

#include <atomic>
#include <chrono>
#include <set>

#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kFloats = 3 * 2 * 4 * 4;

ClipQueueOptions Options(int videos, int batch_size, int threads) {
  ClipQueueOptions options;
  for (int i = 0; i < videos; ++i) {
    options.videos.push_back({"v" + std::to_string(i), "", 100 + i, 10});
    options.order.push_back(videos - 1 - i);
  }
  options.batch_size = batch_size;
  options.frames = 2;
  options.size = 4;
  options.threads = threads;
  options.prefetch_bytes = 1 << 20;
  return options;
}

// Fills each view with its video's number, after a delay that differs between videos.
absl::Status Fill(const Video&, int64_t index, absl::Span<float> out, ViewSeconds* seconds) {
  RandomStream stream(1, "delay", {index});
  std::this_thread::sleep_for(std::chrono::microseconds(stream.UniformInt(300)));
  std::fill(out.begin(), out.end(), static_cast<float>(index));
  seconds->read += 1;
  return absl::OkStatus();
}

TEST(ClipQueueTest, DeliversInOrderForAnyNumberOfThreads) {
  for (const int threads : {0, 1, 2, 5, 40}) {
    ASSERT_OK_AND_ASSIGN(auto queue, ClipQueue::Make(Options(23, 4, threads), Fill));
    EXPECT_EQ(queue->batches(), 6);
    Batch batch;
    int64_t next = 22;
    for (int b = 0; b < 6; ++b) {
      ASSERT_OK_AND_ASSIGN(const bool more, queue->Next(&batch));
      ASSERT_TRUE(more);
      ASSERT_EQ(batch.size, b < 5 ? 4 : 3);
      ASSERT_EQ(batch.clips.size(), batch.size * kFloats);
      EXPECT_EQ(batch.views, 1);
      EXPECT_EQ(batch.frames, 2);
      EXPECT_EQ(batch.height, 4);
      for (int i = 0; i < batch.size; ++i, --next) {
        EXPECT_EQ(batch.videos[i], next);
        EXPECT_EQ(batch.labels[i], 100 + next);
        for (int64_t k = 0; k < kFloats; ++k) ASSERT_EQ(batch.clips[i * kFloats + k], next);
      }
    }
    for (int again = 0; again < 2; ++again) {
      ASSERT_OK_AND_ASSIGN(const bool more, queue->Next(&batch));
      EXPECT_FALSE(more);
    }
    EXPECT_EQ(queue->counters().clips, 23);
    EXPECT_EQ(queue->counters().read_seconds, 23);
  }
}

TEST(ClipQueueTest, StaysInsideItsMemory) {
  std::atomic<int64_t> highest{-1};
  auto make = [&](const Video& video, int64_t index, absl::Span<float> out, ViewSeconds* seconds) {
    const int64_t position = 99 - index;
    int64_t seen = highest;
    while (seen < position && !highest.compare_exchange_weak(seen, position)) {
    }
    return Fill(video, index, out, seconds);
  };
  ClipQueueOptions options = Options(100, 2, 3);
  options.prefetch_bytes = 2 * 2 * kFloats * sizeof(float);  // two batches
  ASSERT_OK_AND_ASSIGN(auto queue, ClipQueue::Make(options, make));
  Batch batch;
  for (int b = 0; b < 10; ++b) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    // Batches 0 .. b + 1 may have been started.
    EXPECT_LT(highest, 2 * (b + 2));
    ASSERT_OK_AND_ASSIGN(const bool more, queue->Next(&batch));
    ASSERT_TRUE(more);
  }
}

TEST(ClipQueueTest, UsesTheCallersMemoryAgain) {
  ASSERT_OK_AND_ASSIGN(auto queue, ClipQueue::Make(Options(40, 4, 0), Fill));
  Batch batch;
  ASSERT_THAT(queue->Next(&batch), IsOk());
  const float* first = batch.clips.data();
  ASSERT_THAT(queue->Next(&batch), IsOk());
  EXPECT_EQ(batch.clips.data(), first);
}

absl::Status FailSome(const Video& video, int64_t index, absl::Span<float> out,
                      ViewSeconds* seconds) {
  if (index == 13 || index == 12 || index == 4) {
    // A name need not be UTF-8.
    return absl::DataLossError(video.name + ": torn \xe9");
  }
  return Fill(video, index, out, seconds);
}

TEST(ClipQueueTest, AnErrorComesInItsTurnAndStays) {
  for (const int threads : {0, 1, 2, 5}) {
    ASSERT_OK_AND_ASSIGN(auto queue, ClipQueue::Make(Options(23, 4, threads), FailSome));
    Batch batch;
    for (int b = 0; b < 2; ++b) {
      ASSERT_OK_AND_ASSIGN(const bool more, queue->Next(&batch));
      EXPECT_TRUE(more);
    }
    for (int again = 0; again < 2; ++again) {
      EXPECT_THAT(queue->Next(&batch),
                  StatusIs(absl::StatusCode::kDataLoss, HasSubstr("v13: torn")));
    }
  }
}

TEST(ClipQueueTest, SkippedVideosAreLeftOutAndCounted) {
  for (const int threads : {0, 1, 2, 5}) {
    ClipQueueOptions options = Options(23, 2, threads);
    options.skip_bad_videos = true;
    ASSERT_OK_AND_ASSIGN(auto queue, ClipQueue::Make(options, FailSome));
    Batch batch;
    std::vector<int64_t> delivered;
    std::vector<int> sizes;
    for (;;) {
      ASSERT_OK_AND_ASSIGN(const bool more, queue->Next(&batch));
      if (!more) break;
      ASSERT_EQ(batch.clips.size(), batch.size * kFloats);
      for (int i = 0; i < batch.size; ++i) {
        EXPECT_EQ(batch.clips[(i + 1) * kFloats - 1], batch.videos[i]);
        delivered.push_back(batch.videos[i]);
      }
      sizes.push_back(batch.size);
    }
    EXPECT_EQ(delivered.size(), 20);
    EXPECT_EQ(std::set<int64_t>(delivered.begin(), delivered.end()).count(13), 0);
    // 14 13 | 12 11 lose one each; 4 3 loses its first.
    EXPECT_THAT(sizes, ElementsAre(2, 2, 2, 2, 1, 1, 2, 2, 2, 1, 2, 1));
    EXPECT_EQ(queue->counters().skipped, 3);
    EXPECT_THAT(queue->counters().examples,
                ElementsAre("v13: torn \uFFFD", "v12: torn \uFFFD", "v4: torn \uFFFD"));
  }
}

TEST(ClipQueueTest, ABatchOfBadVideosOnlyIsPassedOver) {
  ClipQueueOptions options = Options(3, 1, 2);
  options.skip_bad_videos = true;
  ASSERT_OK_AND_ASSIGN(auto queue,
                       ClipQueue::Make(options, [](const Video& video, int64_t index,
                                                   absl::Span<float> out, ViewSeconds* seconds) {
                         if (index > 0) return absl::DataLossError("torn");
                         return Fill(video, index, out, seconds);
                       }));
  Batch batch;
  ASSERT_OK_AND_ASSIGN(bool more, queue->Next(&batch));
  EXPECT_TRUE(more);
  EXPECT_THAT(batch.videos, ElementsAre(0));
  ASSERT_OK_AND_ASSIGN(more, queue->Next(&batch));
  EXPECT_FALSE(more);
}

TEST(ClipQueueTest, EndsCleanlyAtAnyMoment) {
  for (int taken = 0; taken < 4; ++taken) {
    ASSERT_OK_AND_ASSIGN(auto queue, ClipQueue::Make(Options(23, 4, 3), Fill));
    Batch batch;
    for (int b = 0; b < taken; ++b) ASSERT_THAT(queue->Next(&batch), IsOk());
  }
}

TEST(ClipQueueTest, RefusesBatchesThatNoMachineHolds) {
  ClipQueueOptions options = Options(4, 2, 0);
  options.frames = 1'000'000;
  options.size = 8192;
  EXPECT_THAT(ClipQueue::Make(options, Fill),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 64 are allowed")));
}

}  // namespace
}  // namespace op3d::data
