#include "data/video/reader/frame_index.h"

#include <gtest/gtest.h>

namespace op3d::data {
namespace {

TEST(FrameIndexTest, FindsFramesAndEntries) {
  FrameIndex index;
  index.times = {10, 20, 35, 40};
  index.entries = {0, 2};
  EXPECT_EQ(index.Find(10), 0);
  EXPECT_EQ(index.Find(35), 2);
  EXPECT_EQ(index.Find(36), -1);
  EXPECT_EQ(index.Find(41), -1);
  EXPECT_EQ(index.EntryBefore(1), 0);
  EXPECT_EQ(index.EntryBefore(2), 2);
  EXPECT_EQ(index.EntryBefore(3), 2);
  index.time_unit = 0.5;
  EXPECT_EQ(index.Seconds(), (std::vector<double>{5.0, 10.0, 17.5, 20.0}));
}

}  // namespace
}  // namespace op3d::data
