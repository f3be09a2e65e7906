#include "data/annotation/text/list_text.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(ListTextTest, LinesKeepTheirNumbers) {
  const std::vector<ListLine> lines = ListLines("\xEF\xBB\xBF  a b \r\n\r\n\t\nc\xC3\xA9\nlast");
  ASSERT_EQ(lines.size(), 3);
  EXPECT_EQ(lines[0].text, "a b");
  EXPECT_EQ(lines[0].number, 1);
  EXPECT_EQ(lines[1].text, "c\xC3\xA9");
  EXPECT_EQ(lines[1].number, 4);
  EXPECT_EQ(lines[2].number, 5);
  EXPECT_TRUE(ListLines("").empty());
  EXPECT_TRUE(ListLines("\xEF\xBB\xBF\r\n").empty());
}

TEST(ListTextTest, ErrorsShowTheLineButNotAllOfALongOne) {
  EXPECT_EQ(ListError("a.txt", {7, "x y"}, "no flag", "'name flag'").message(),
            "a.txt:7: no flag in 'x y'; expected 'name flag'");
  const std::string text(5000, 'z');
  EXPECT_LT(ListError("a.txt", {7, text}, "no flag", "one").message().size(), 250);
}

TEST(ListTextTest, UniqueNamesNamesTheEarlierLine) {
  UniqueNames names;
  EXPECT_THAT(names.Add("a", "l.txt", {1, "a"}, "names"), IsOk());
  EXPECT_THAT(names.Add("b", "l.txt", {2, "b"}, "names"), IsOk());
  EXPECT_THAT(names.Add("a", "l.txt", {9, "a 5"}, "names"),
              StatusIs(kInvalid, AllOf(HasSubstr("l.txt:9: the video of line 1 once more"),
                                       HasSubstr("'a 5'"))));
}

TEST(ListTextTest, RecognisesListsByTheirFirstLine) {
  const std::pair<const char*, const char*> lists[] = {
      {"1234;Pushing something\n", "Something-Something V1"},
      {"[{\"id\": \"78687\"}]\n", "Something-Something V2"},
      {"{\n\"database\": {\"a\": 1}}\n", "ActivityNet"},
      {"ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\r\n", "UCF101"},
      {"\xEF\xBB\xBF"
       "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi\n",
       "test list of UCF101"},
      {"1 ApplyEyeMakeup\n", "class list of UCF101"},
      {"April_09_brush_hair_u_nm_np1_ba_goo_0.avi 1 \n", "HMDB51"},
      {"video,numFrame,seconds,fps,rfps,subset,featureFrame\n", "ActivityNet"},
      {"abseiling/a b.mp4 300 0\n", "path frames label"},
      {"abseiling/a.mp4 0\n", "path label"},
      {"label,youtube_id,time_start,time_end,split\n", "a list of Kinetics"},
      {"abseiling,0wR5jVB-WPk,417,427,val,0\n", "without its header row"},
  };
  for (const auto& [text, name] : lists) EXPECT_THAT(RecogniseList(text), HasSubstr(name)) << text;
  EXPECT_EQ(RecogniseList("nothing that is known"), "");
  EXPECT_EQ(RecogniseList(""), "");
}

TEST(ListTextTest, TellsTheOwnerOnlyWhenItIsAnother) {
  const absl::Status error = absl::InvalidArgumentError("a.txt:1: no flag");
  EXPECT_THAT(AnnotateWithOwner(error, "1234;Pushing\n", "HMDB51"),
              StatusIs(kInvalid, AllOf(HasSubstr("no flag"), HasSubstr("looks like a list of "
                                                                       "Something-Something V1"))));
  EXPECT_THAT(AnnotateWithOwner(error, "1234;Pushing\n", "Something-Something V1"),
              StatusIs(kInvalid, Not(HasSubstr("looks like"))));
  EXPECT_THAT(AnnotateWithOwner(absl::OkStatus(), "1234;Pushing\n", "HMDB51"), IsOk());
}

TEST(ListTextTest, FileNames) {
  EXPECT_EQ(FileName("a/b/c.avi"), "c.avi");
  EXPECT_EQ(FileName("c.avi"), "c.avi");
  EXPECT_EQ(FileName("a/"), "");
  EXPECT_EQ(WithoutEnding("b.c.avi"), "b.c");
  EXPECT_EQ(WithoutEnding("frames"), "frames");
  EXPECT_EQ(WithoutEnding(".avi"), ".avi");
  EXPECT_EQ(WithoutVideoEndings("a.b.mp4"), "a.b");
  EXPECT_EQ(WithoutVideoEndings("a.mp4.MKV"), "a");
  EXPECT_EQ(WithoutVideoEndings("a.mp4.part"), "a.mp4.part");
  EXPECT_EQ(WithoutVideoEndings("a.f137.mp4"), "a.f137");
  EXPECT_EQ(WithoutVideoEndings(".mp4"), ".mp4");
}

}  // namespace
}  // namespace op3d::data
