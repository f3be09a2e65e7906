#include "data/synthetic/miniatures/miniature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Expected {
  const char* name;
  int frames, frame_rate;
  // Number of classes in each group.
  int appearance, brief, lengthy;
};

TEST(MiniatureTest, ThereAreSevenWithTheirClasses) {
  const std::vector<Expected> all = {{"activitynet", 288, 25, 3, 3, 2},
                                     {"hmdb51", 96, 30, 2, 4, 2},
                                     {"kinetics400", 96, 25, 3, 4, 2},
                                     {"kinetics600", 96, 25, 4, 4, 4},
                                     {"something_something_v1", 72, 12, 0, 4, 4},
                                     {"something_something_v2", 72, 12, 0, 6, 4},
                                     {"ucf101", 80, 25, 5, 3, 0}};
  std::vector<std::string> expected_names;
  for (const Expected& expected : all) {
    SCOPED_TRACE(expected.name);
    expected_names.push_back(expected.name);
    ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature(expected.name));
    EXPECT_EQ(miniature.name, expected.name);
    EXPECT_EQ(miniature.shape.width, 64);
    EXPECT_EQ(miniature.shape.height, 48);
    EXPECT_EQ(miniature.shape.frames, expected.frames);
    EXPECT_EQ(miniature.frame_rate, expected.frame_rate);
    std::map<std::string, int> groups;
    std::set<std::string> names;
    for (const VideoClass& video_class : miniature.classes) {
      ++groups[video_class.group];
      names.insert(video_class.name);
      EXPECT_FALSE(video_class.looks.empty());
      EXPECT_FALSE(video_class.scenes.empty());
      for (const auto& motions : video_class.motions) {
        EXPECT_EQ(motions.size(), video_class.group == "long" ? 2 : 1);
      }
    }
    EXPECT_EQ(names.size(), miniature.classes.size());
    EXPECT_EQ(groups["appearance"], expected.appearance);
    EXPECT_EQ(groups["short"], expected.brief);
    EXPECT_EQ(groups["long"], expected.lengthy);
    // All classes are equally frequent.
    const int classes = static_cast<int>(miniature.classes.size());
    EXPECT_EQ(miniature.size.train % classes, 0);
    EXPECT_EQ(miniature.size.validation % classes, 0);
    EXPECT_EQ(miniature.tiny_size.train % classes, 0);
    EXPECT_EQ(miniature.tiny_size.validation % classes, 0);
  }
  EXPECT_EQ(MiniatureNames(), expected_names);
}

// No class may differ from another only by a mirror image, or be recognisable in a single picture.
TEST(MiniatureTest, AppearanceCarriesNothingInSomethingSomething) {
  for (const char* name : {"something_something_v1", "something_something_v2"}) {
    ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature(name));
    for (const VideoClass& video_class : miniature.classes) {
      EXPECT_EQ(video_class.looks, miniature.classes[0].looks);
      EXPECT_EQ(video_class.scenes, miniature.classes[0].scenes);
      EXPECT_EQ(video_class.looks.size(), 6);
      EXPECT_EQ(video_class.scenes.size(), 3);
    }
  }
}

TEST(MiniatureTest, ClassesTakeTheEncodingsInTurn) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("activitynet"));
  for (int video_class = 0; video_class < 8; ++video_class) {
    EXPECT_EQ(EncodingOf(miniature, video_class).ending, ".mp4");
    EXPECT_EQ(EncodingOf(miniature, video_class + 8).ending, ".mkv");
    EXPECT_EQ(EncodingOf(miniature, video_class + 16).ending, ".mp4");
  }
}

TEST(MiniatureTest, RefusesWhatCannotBe) {
  MiniatureSettings settings;
  settings.set_name("mine");
  settings.set_width(64);
  settings.set_height(48);
  settings.set_frames(10);
  settings.set_frame_rate(25);
  settings.add_looks(MiniatureSettings::DISC);
  settings.add_scenes(MiniatureSettings::PLAIN);
  settings.add_encodings()->set_container("mp4");
  settings.add_classes()->set_name("a");
  EXPECT_THAT(ToMiniature(settings),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at least 2 classes")));
  settings.add_classes()->set_name("b");
  EXPECT_THAT(ToMiniature(settings), IsOk());
  settings.mutable_encodings(0)->set_container("gif");
  EXPECT_THAT(ToMiniature(settings),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'gif'")));
  settings.mutable_encodings(0)->set_container("mp4");
  settings.set_max_presence(1.5);
  EXPECT_THAT(ToMiniature(settings),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("presence")));
  settings.clear_max_presence();
  settings.clear_looks();
  EXPECT_THAT(ToMiniature(settings),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no looks")));
}

TEST(MiniatureTest, NamesWhatThereIs) {
  EXPECT_THAT(FindMiniature("imagenet"),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("\"imagenet\""), HasSubstr("kinetics400"))));
}

}  // namespace
}  // namespace op3d::data
