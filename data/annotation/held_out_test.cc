#include "data/annotation/held_out.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace op3d::data {
namespace {

// `count` videos of each label, in turn.
std::vector<Video> MakeVideos(int labels, int count) {
  std::vector<Video> videos;
  for (int i = 0; i < labels * count; ++i) {
    videos.push_back({"v" + std::to_string(i), "p" + std::to_string(i), i % labels, 10 + i});
  }
  return videos;
}

std::map<int64_t, int> CountLabels(const std::vector<Video>& videos) {
  std::map<int64_t, int> counts;
  for (const Video& video : videos) ++counts[video.label];
  return counts;
}

std::string Names(const std::vector<Video>& videos) {
  std::string names;
  for (const Video& video : videos) names += video.name + " ";
  return names;
}

TEST(HeldOutTest, TakesTheShareOfEveryLabel) {
  const auto [train, held] = SplitHeldOut(MakeVideos(9, 50), 0.4, 1);
  EXPECT_EQ(train.size(), 270);
  EXPECT_EQ(held.size(), 180);
  for (const auto& [label, count] : CountLabels(held)) EXPECT_EQ(count, 20) << label;
}

TEST(HeldOutTest, IsAPartitionInTheOrderOfTheList) {
  const std::vector<Video> videos = MakeVideos(4, 6);
  const auto [train, held] = SplitHeldOut(videos, 0.5, 3);
  size_t t = 0, h = 0;
  for (const Video& video : videos) {
    if (t < train.size() && train[t].name == video.name) {
      EXPECT_EQ(train[t++].frames, video.frames);
    } else {
      ASSERT_LT(h, held.size());
      EXPECT_EQ(held[h++].name, video.name);
    }
  }
  EXPECT_EQ(t + h, videos.size());
}

TEST(HeldOutTest, GroupsStayTogether) {
  std::vector<Video> videos = MakeVideos(3, 24);
  // Eight groups of three videos for every label.
  for (size_t i = 0; i < videos.size(); ++i) {
    videos[i].group = std::to_string(videos[i].label) + "_g" + std::to_string(i / 3 % 8);
  }
  const auto [train, held] = SplitHeldOut(videos, 0.25, 1);
  std::map<std::string, int> in_train, in_held;
  for (const Video& video : train) ++in_train[video.group];
  for (const Video& video : held) ++in_held[video.group];
  for (const auto& [group, count] : in_held) {
    EXPECT_EQ(count, 3);
    EXPECT_EQ(in_train.count(group), 0) << group;
  }
  for (const auto& [label, count] : CountLabels(held)) EXPECT_EQ(count, 6) << label;
  EXPECT_EQ(SplitHeldOut(videos, 1.0, 1).first.size(), 9);  // a group of each label
}

// One film shows several classes: all of it is on one side.
TEST(HeldOutTest, AGroupOfSeveralLabelsStaysTogether) {
  std::vector<Video> videos = MakeVideos(3, 24);
  for (size_t i = 0; i < videos.size(); ++i) videos[i].group = "g" + std::to_string(i / 3 % 8);
  const auto [train, held] = SplitHeldOut(videos, 0.25, 1);
  std::map<std::string, int> in_held;
  for (const Video& video : held) ++in_held[video.group];
  EXPECT_EQ(in_held.size(), 2);
  for (const Video& video : train) EXPECT_EQ(in_held.count(video.group), 0) << video.group;
  for (const auto& [label, count] : CountLabels(held)) EXPECT_EQ(count, 6) << label;
  // The last group of every label stays.
  EXPECT_EQ(SplitHeldOut(videos, 1.0, 1).first.size(), 9);
}

// Most videos were shot in one place: holding it out would leave little to train on.
TEST(HeldOutTest, ALargeGroupOfSeveralLabelsStaysWhereSmallOnesDo) {
  std::vector<Video> videos = MakeVideos(2, 30);
  for (size_t i = 0; i < videos.size(); ++i) {
    videos[i].group = i < 40 ? "court" : "hall" + std::to_string(i / 4);
  }
  for (uint64_t seed = 1; seed < 20; ++seed) {
    const auto [train, held] = SplitHeldOut(videos, 0.3, seed);
    for (const Video& video : held) EXPECT_NE(video.group, "court");
    for (const auto& [label, count] : CountLabels(held)) EXPECT_NEAR(count, 9, 1) << label;
  }
}

// Two places of equal size: one of them measures, though that is more than the share.
TEST(HeldOutTest, NoLabelIsLeftUnmeasuredWithoutNeed) {
  std::vector<Video> videos = MakeVideos(3, 10);
  for (size_t i = 0; i < videos.size(); ++i) videos[i].group = i % 6 < 3 ? "here" : "there";
  const auto [train, held] = SplitHeldOut(videos, 0.2, 1);
  EXPECT_EQ(held.size(), 15);
  for (const auto& [label, count] : CountLabels(held)) EXPECT_EQ(count, 5) << label;
  // One place alone cannot be divided.
  for (Video& video : videos) video.group = "here";
  EXPECT_EQ(SplitHeldOut(videos, 0.2, 1).second.size(), 0);
}

TEST(HeldOutTest, RowsOfOneFileStayTogether) {
  std::vector<Video> videos;
  for (int row = 0; row < 3; ++row) {
    for (const Video& video : MakeVideos(2, 6)) videos.push_back(video);
  }
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto [train, held] = SplitHeldOut(videos, 0.4, seed);
    std::map<std::string, int> trained, measured;
    for (const Video& video : train) ++trained[video.path];
    for (const Video& video : held) ++measured[video.path];
    EXPECT_GT(measured.size(), 0);
    for (const auto& [path, count] : measured) {
      EXPECT_EQ(count, 3);
      EXPECT_EQ(trained.count(path), 0) << path << " with seed " << seed;
    }
  }
}

TEST(HeldOutTest, TheSeedAloneDecides) {
  const std::vector<Video> videos = MakeVideos(3, 20);
  EXPECT_EQ(Names(SplitHeldOut(videos, 0.3, 5).second), Names(SplitHeldOut(videos, 0.3, 5).second));
  EXPECT_NE(Names(SplitHeldOut(videos, 0.3, 5).second), Names(SplitHeldOut(videos, 0.3, 6).second));
}

TEST(HeldOutTest, NeverTakesTheLastOfALabel) {
  const auto [train, held] = SplitHeldOut(MakeVideos(5, 2), 1.0, 1);
  for (const auto& [label, count] : CountLabels(train)) EXPECT_EQ(count, 1) << label;
  EXPECT_EQ(held.size(), 5);
  EXPECT_EQ(SplitHeldOut(MakeVideos(5, 1), 1.0, 1).second.size(), 0);
}

TEST(HeldOutTest, OddSharesDoNoHarm) {
  EXPECT_EQ(SplitHeldOut(MakeVideos(2, 4), -3, 1).second.size(), 0);
  EXPECT_EQ(SplitHeldOut(MakeVideos(2, 4), 0.0 / 0.0, 1).second.size(), 0);
  EXPECT_EQ(SplitHeldOut(MakeVideos(2, 4), 7, 1).first.size(), 2);
  EXPECT_EQ(SplitHeldOut({}, 0.5, 1).first.size(), 0);
}

}  // namespace
}  // namespace op3d::data
