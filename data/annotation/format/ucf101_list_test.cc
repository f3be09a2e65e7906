#include "data/annotation/format/ucf101_list.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

absl::StatusOr<std::vector<Ucf101Video>> Parse(const std::string& text) {
  return ParseUcf101List(text, "trainlist01.txt");
}

TEST(Ucf101ListTest, ReadsATrainingList) {
  ASSERT_OK_AND_ASSIGN(const auto videos,
                       Parse("HandstandPushups/v_HandStandPushups_g08_c01.avi 37\r\n"
                             "BoxingPunchingBag/v_golf_g25_c07.AVI  3\r\n"));
  ASSERT_EQ(videos.size(), 2);
  EXPECT_EQ(videos[0].name, "v_HandStandPushups_g08_c01");
  EXPECT_EQ(videos[0].label, "HandstandPushups");
  EXPECT_EQ(videos[0].group, "g08");
  EXPECT_EQ(videos[0].number, 37);
  EXPECT_EQ(videos[1].group, "g25");
  EXPECT_EQ(videos[1].line, 2);
}

TEST(Ucf101ListTest, ReadsATestList) {
  ASSERT_OK_AND_ASSIGN(const auto videos, Parse("A/v_A_g01_c01.avi\n\nA/odd.avi\n"));
  ASSERT_EQ(videos.size(), 2);
  EXPECT_EQ(videos[0].number, 0);
  EXPECT_EQ(videos[1].group, "");
}

TEST(Ucf101ListTest, RefusesRowsThatCannotBe) {
  EXPECT_THAT(Parse("A/a.avi 1\nA/b.avi one\n"),
              StatusIs(kInvalid, AllOf(HasSubstr("trainlist01.txt:2: no class number in "
                                                 "'A/b.avi one'"),
                                       HasSubstr("expected 'Class/v_Class_g01_c01.avi number'"))));
  EXPECT_THAT(Parse("A/a.avi 0\n"), StatusIs(kInvalid, HasSubstr("no class number")));
  EXPECT_THAT(Parse("a.avi 1\n"), StatusIs(kInvalid, HasSubstr("no video in a class folder")));
  EXPECT_THAT(Parse("/a.avi 1\n"), StatusIs(kInvalid, HasSubstr("no video in a class folder")));
  EXPECT_THAT(Parse("A/ 1\n"), StatusIs(kInvalid, HasSubstr("no video in a class folder")));
  EXPECT_THAT(Parse("A/a.avi 1\nB/a.avi 2\n"), StatusIs(kInvalid, HasSubstr("line 1 once more")));
  EXPECT_THAT(Parse(""), StatusIs(kInvalid, HasSubstr("no row")));
  EXPECT_THAT(Parse("21_wave_u_nm_np1_fr_goo_5.avi 1\n"),
              StatusIs(kInvalid, HasSubstr("looks like a list of HMDB51")));
}

}  // namespace
}  // namespace op3d::data
