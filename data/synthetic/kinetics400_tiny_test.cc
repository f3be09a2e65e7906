// Checks that the miniature's target is where programs and tests look for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "data/video/media.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::ElementsAre;

TEST(Kinetics400TinyTest, LiesInTheRunfiles) {
  ASSERT_OK_AND_ASSIGN(const std::string folder, RunfilePath("data/synthetic/kinetics400_tiny"));
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(folder));
  EXPECT_THAT(names, ElementsAre("groups.csv", "kinetics-400_test.csv", "kinetics-400_train.csv",
                                 "kinetics-400_val.csv", "label_map.txt", "synthetic.txt", "test",
                                 "train", "val"));
  int videos = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder + "/train")) {
    // Sandboxes contain links to the files.
    if (entry.path().extension() != ".mp4") continue;
    ++videos;
    ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(entry.path().string()));
    EXPECT_EQ(scan.info.frames, 96);
    EXPECT_EQ(scan.info.width, 64);
  }
  EXPECT_EQ(videos, 18);
}

}  // namespace
}  // namespace op3d::data
