#include "benchmarks/parts/benchmark_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace op3d::benchmarks {
namespace {

StateSettings Clips(int frames, int stride) {
  StateSettings state;
  state.set_segments(2);
  state.set_frames_per_segment(frames);
  state.set_stride(stride);
  return state;
}

TEST(BenchmarkDataTest, CountsVideosShorterThanClips) {
  BenchmarkSettings settings;
  TransitionGraph* pool = settings.mutable_search()->add_pools();
  *pool->add_states() = Clips(16, 1);
  *pool->add_states() = Clips(32, 2);
  *pool->add_states() = Clips(16, 1);  // counted once
  *settings.add_recipes()->mutable_hand_tuned()->mutable_state() = Clips(4, 1);
  *settings.mutable_plan()->add_steps()->mutable_state() = Clips(65, 1);
  DatasetReport::List list;
  list.set_used(4);
  CountShortVideos(
      settings,
      {{"a", "a.mp4", 0, 64}, {"b", "b.mp4", 0, 16}, {"c", "c.mp4", 0, 15}, {"d", "d.mp4", 0, 900}},
      &list);
  // No video is shorter than 4; clips of 64 frames fit into 64.
  ASSERT_EQ(list.short_videos_size(), 3);
  EXPECT_EQ(DescribeShortVideos(list, list.short_videos(0)),
            "1 of 4 videos are shorter than clips of 16 frames (first: c: 15 frames)");
  EXPECT_EQ(DescribeShortVideos(list, list.short_videos(1)),
            "2 of 4 videos are shorter than clips of 64 frames (first: b: 16 frames)");
  EXPECT_EQ(DescribeShortVideos(list, list.short_videos(2)),
            "3 of 4 videos are shorter than clips of 65 frames (first: a: 64 frames)");
}

}  // namespace
}  // namespace op3d::benchmarks
