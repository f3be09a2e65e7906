#include "data/annotation/group_list.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;
using testing::Pointee;

TEST(GroupListTest, ThePathIsFirstAndTheGroupLast) {
  ASSERT_OK_AND_ASSIGN(const GroupList groups,
                       GroupList::Parse("\xEF\xBB\xBFserve/a 1.mp4 5 scene12\r\n\n"
                                        "serve/b.mp4,3\n"
                                        "smash/b.mp4\t7\tscene12\n",
                                        "scenes.txt"));
  EXPECT_THAT(groups.Find("serve/a 1.mp4"), Pointee(std::string("scene12")));
  EXPECT_THAT(groups.Find("serve/b.avi"), Pointee(std::string("3")));
  EXPECT_THAT(groups.Find("smash/b"), Pointee(std::string("scene12")));
  EXPECT_EQ(groups.Find("smash/c.mp4"), nullptr);
}

TEST(GroupListTest, ANameAloneIsEnoughWhereItIsTheOnlyOne) {
  ASSERT_OK_AND_ASSIGN(const GroupList groups, GroupList::Parse("x/a.mp4 0 g1\n"
                                                                "x/b.mp4 0 g1\n"
                                                                "y/b.mp4 0 g2\n",
                                                                "scenes.txt"));
  EXPECT_THAT(groups.Find("a"), Pointee(std::string("g1")));
  EXPECT_EQ(groups.Find("b"), nullptr);
  EXPECT_THAT(groups.Find("y/b.mp4"), Pointee(std::string("g2")));
}

TEST(GroupListTest, NumbersMayBePartOfNames) {
  ASSERT_OK_AND_ASSIGN(const GroupList groups, GroupList::Parse("clip 1 red\nclip 2 blue\n", "g"));
  EXPECT_THAT(groups.Find("clip 1"), Pointee(std::string("red")));
  EXPECT_THAT(groups.Find("clip 2"), Pointee(std::string("blue")));
  EXPECT_EQ(groups.Find("clip"), nullptr);
}

TEST(GroupListTest, WhatIsWrongIsShownWithItsLine) {
  EXPECT_THAT(GroupList::Parse("a.mp4 1\nb.mp4\n", "g.txt"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("g.txt:2: no group")));
  EXPECT_THAT(
      GroupList::Parse("a.mp4 1\na.mp4 2\n", "g.txt"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("g.txt:2: the video 'a.mp4'")));
  EXPECT_THAT(GroupList::Parse("\n", "g.txt"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("g.txt")));
}

}  // namespace
}  // namespace op3d::data
