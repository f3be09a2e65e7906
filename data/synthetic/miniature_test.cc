#include "data/synthetic/miniature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "op3d/base/status_matchers.h"

namespace op3d {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(MiniatureTest, Kinetics400HasNineClassesInThreeGroups) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("kinetics400"));
  EXPECT_EQ(miniature.shape.width, 64);
  EXPECT_EQ(miniature.shape.height, 48);
  EXPECT_EQ(miniature.shape.frames, 96);
  EXPECT_EQ(miniature.frame_rate, 25);
  std::map<std::string, int> groups;
  std::set<std::string> names;
  for (const VideoClass& video_class : miniature.classes) {
    ++groups[video_class.group];
    names.insert(video_class.name);
    EXPECT_FALSE(video_class.looks.empty());
    EXPECT_FALSE(video_class.scenes.empty());
    EXPECT_FALSE(video_class.motions.empty());
    for (const auto& motions : video_class.motions) {
      EXPECT_EQ(motions.size(), video_class.group == "long" ? 2 : 1);
    }
  }
  EXPECT_EQ(names.size(), 9);
  EXPECT_THAT(groups, ElementsAre(Pair("appearance", 3), Pair("long", 2), Pair("short", 4)));
}

TEST(MiniatureTest, NamesWhatThereIs) {
  EXPECT_THAT(FindMiniature("imagenet"),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("\"imagenet\""), HasSubstr("kinetics400"))));
}

}  // namespace
}  // namespace op3d
