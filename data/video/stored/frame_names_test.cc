#include "data/video/stored/frame_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

FrameNames NamesOf(std::initializer_list<const char*> names) {
  FrameNames all;
  for (const char* name : names) all.Add(name);
  return all;
}

TEST(ParseFrameNameTest, KnowsTheUsualNames) {
  struct Case {
    const char* name;
    FrameContent content;
    int picture;
    int64_t number;
  };
  for (const Case& c : {Case{"00001.jpg", FrameContent::kPictures, 0, 1},
                        Case{"000120.jpg", FrameContent::kPictures, 0, 120},
                        Case{"img_00007.jpg", FrameContent::kPictures, 0, 7},
                        Case{"frame_3.JPEG", FrameContent::kPictures, 0, 3},
                        Case{"image_00000.jpg", FrameContent::kPictures, 0, 0},
                        Case{"000017_c1.jpg", FrameContent::kFlow, 0, 17},
                        Case{"000017_c2.jpg", FrameContent::kFlow, 1, 17},
                        Case{"x_00002.jpg", FrameContent::kFlow, 0, 2},
                        Case{"flow_y_00002.jpg", FrameContent::kFlow, 1, 2}}) {
    const auto parsed = ParseFrameName(c.name);
    ASSERT_TRUE(parsed.has_value()) << c.name;
    EXPECT_EQ(parsed->content, c.content) << c.name;
    EXPECT_EQ(parsed->picture, c.picture) << c.name;
    EXPECT_EQ(parsed->number, c.number) << c.name;
  }
}

TEST(ParseFrameNameTest, PassesOverOtherFiles) {
  for (const char* name : {"", ".jpg", "1.png", "data.mdb", "cover.jpg", "-1.jpg", "1 .jpg",
                           "1234567890.jpg", "17_c3.jpg", "x_.jpg", "Thumbs.db", "+5.jpg"}) {
    EXPECT_FALSE(ParseFrameName(name).has_value()) << name;
  }
}

TEST(FrameNamesTest, CountsFromOneOrNought) {
  FrameNames one = NamesOf({"00002.jpg", "00001.jpg", "00003.jpg", "notes.txt", "000001_c1.jpg"});
  ASSERT_THAT(one.Finish(FrameContent::kPictures, "a", 10), IsOk());
  EXPECT_EQ(one.frames(), 3);
  EXPECT_EQ(one.Name(0, 0), "00001.jpg");
  EXPECT_EQ(one.Name(2, 0), "00003.jpg");
  FrameNames nought = NamesOf({"img_00001.jpg", "img_00000.jpg"});
  ASSERT_THAT(nought.Finish(FrameContent::kPictures, "a", 10), IsOk());
  EXPECT_EQ(nought.Name(0, 0), "img_00000.jpg");
}

TEST(FrameNamesTest, PairsFlow) {
  FrameNames names = NamesOf({"000001_c2.jpg", "000002_c1.jpg", "000001_c1.jpg", "000002_c2.jpg"});
  ASSERT_THAT(names.Finish(FrameContent::kFlow, "a", 10), IsOk());
  EXPECT_EQ(names.frames(), 2);
  EXPECT_EQ(names.Name(1, 0), "000002_c1.jpg");
  EXPECT_EQ(names.Name(1, 1), "000002_c2.jpg");
}

TEST(FrameNamesTest, RefusesWhatIsNotOneVideo) {
  const auto finish = [](FrameNames names, FrameContent content) {
    return names.Finish(content, "ssv1/17", 3);
  };
  const auto pictures = FrameContent::kPictures;
  EXPECT_THAT(finish(NamesOf({}), pictures),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("ssv1/17 holds no frames")));
  EXPECT_THAT(finish(NamesOf({"00001.jpg"}), FrameContent::kFlow),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("holds no flow")));
  EXPECT_THAT(finish(NamesOf({"1.jpg", "3.jpg"}), pictures),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame 2 is missing before 3.jpg")));
  EXPECT_THAT(finish(NamesOf({"5.jpg"}), pictures),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frames 1 to 4 are missing")));
  EXPECT_THAT(finish(NamesOf({"1.jpg", "001.jpg"}), pictures),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame 1 is there twice")));
  EXPECT_THAT(finish(NamesOf({"1_c1.jpg", "2_c1.jpg", "1_c2.jpg"}), FrameContent::kFlow),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("2 x and 1 y")));
  EXPECT_THAT(finish(NamesOf({"1_c1.jpg", "2_c2.jpg"}), FrameContent::kFlow),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame 1 is missing")));
  EXPECT_THAT(finish(NamesOf({"1.jpg", "2.jpg", "3.jpg", "4.jpg"}), pictures),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("4 frames"), HasSubstr("limit of 3"))));
}

}  // namespace
}  // namespace op3d::data
