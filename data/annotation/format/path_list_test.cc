#include "data/annotation/format/path_list.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

absl::StatusOr<std::vector<PathVideo>> Labels(const std::string& text) {
  return ParsePathList(text, "val.txt", PathListForm::kLabel);
}

absl::StatusOr<std::vector<PathVideo>> Frames(const std::string& text) {
  return ParsePathList(text, "val.txt", PathListForm::kFramesLabel);
}

TEST(PathListTest, ReadsFromTheRight) {
  ASSERT_OK_AND_ASSIGN(const auto videos,
                       Frames("air drumming/a 7.mp4 250 1\r\n/abs/frames of x 12 0\n"
                              "tab\t3\t2\nair, drumming/b.mp4,9,4\n"));
  ASSERT_EQ(videos.size(), 4);
  EXPECT_EQ(videos[0].path, "air drumming/a 7.mp4");
  EXPECT_EQ(videos[0].frames, 250);
  EXPECT_EQ(videos[0].label, 1);
  EXPECT_EQ(videos[1].path, "/abs/frames of x");
  EXPECT_EQ(videos[2].path, "tab");
  EXPECT_EQ(videos[3].path, "air, drumming/b.mp4");
  EXPECT_EQ(videos[3].frames, 9);
  EXPECT_EQ(videos[3].line, 4);
}

TEST(PathListTest, ReadsListsWithoutFrames) {
  ASSERT_OK_AND_ASSIGN(const auto videos, Labels("a b.mp4 250 1\na b.mp4 250 1\n"));
  ASSERT_EQ(videos.size(), 2);  // a list may show a video more often
  EXPECT_EQ(videos[0].path, "a b.mp4 250");
  EXPECT_EQ(videos[0].frames, 0);
  EXPECT_EQ(videos[0].label, 1);
}

TEST(PathListTest, ReadsATestList) {
  for (const auto& parse : {Labels, Frames}) {
    ASSERT_OK_AND_ASSIGN(const auto videos, parse("a b/1 2.mp4\r\nc.MKV\n"));
    ASSERT_EQ(videos.size(), 2);
    EXPECT_EQ(videos[0].path, "a b/1 2.mp4");
    EXPECT_EQ(videos[0].label, -1);
    EXPECT_EQ(videos[1].line, 2);
  }
}

TEST(PathListTest, RefusesRowsThatCannotBe) {
  EXPECT_THAT(Labels("a.mp4 0\nb.mp4\n"),
              StatusIs(kInvalid, AllOf(HasSubstr("val.txt:2: no label in 'b.mp4'"),
                                       HasSubstr("expected 'path label'"))));
  EXPECT_THAT(Labels("a.mp4 -1\n"), StatusIs(kInvalid, HasSubstr("no label")));
  EXPECT_THAT(Labels("a.mp4 99999999999\n"), StatusIs(kInvalid, HasSubstr("no label")));
  EXPECT_THAT(Labels("7\n"), StatusIs(kInvalid, HasSubstr("no label")));
  EXPECT_THAT(Labels(",7\n"), StatusIs(kInvalid, HasSubstr("no path")));
  EXPECT_THAT(Labels("\n"), StatusIs(kInvalid, HasSubstr("no row")));
  EXPECT_THAT(Frames("a.mp4 0\n"),
              StatusIs(kInvalid, AllOf(HasSubstr("val.txt:1: no number of frames in 'a.mp4 0'"),
                                       HasSubstr("looks like a plain list (path label)"))));
  EXPECT_THAT(Labels("1234;Pushing something\n"),
              StatusIs(kInvalid, HasSubstr("looks like a list of Something-Something V1")));
}

}  // namespace
}  // namespace op3d::data
