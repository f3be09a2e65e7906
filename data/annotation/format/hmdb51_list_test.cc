#include "data/annotation/format/hmdb51_list.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

absl::StatusOr<std::vector<Hmdb51Video>> Parse(const std::string& text) {
  return ParseHmdb51List(text, "wave_test_split1.txt", "wave");
}

TEST(Hmdb51ListTest, ReadsTheOfficialForm) {
  ASSERT_OK_AND_ASSIGN(const auto videos,
                       Parse("21_wave_u_nm_np1_fr_goo_5.avi 1 \r\n"
                             "Odd__[NEW] (2)!;-)_wave_f_cm_np1_ba_med_0.avi 2 \r\n"
                             "no_class.avi 0\n"));
  ASSERT_EQ(videos.size(), 3);
  EXPECT_EQ(videos[0].name, "21_wave_u_nm_np1_fr_goo_5");
  EXPECT_EQ(videos[0].source_video, "21");
  EXPECT_EQ(videos[0].flag, 1);
  EXPECT_EQ(videos[1].name, "Odd__[NEW] (2)!;-)_wave_f_cm_np1_ba_med_0");
  EXPECT_EQ(videos[1].source_video, "Odd__[NEW] (2)!;-)");
  EXPECT_EQ(videos[1].flag, 2);
  EXPECT_EQ(videos[2].source_video, "no_class");
  EXPECT_EQ(videos[2].flag, 0);
  EXPECT_EQ(videos[2].line, 3);
}

TEST(Hmdb51ListTest, RefusesRowsThatCannotBe) {
  EXPECT_THAT(Parse("a.avi 1\nb.avi 3\n"),
              StatusIs(kInvalid, AllOf(HasSubstr("wave_test_split1.txt:2: no flag in 'b.avi 3'"),
                                       HasSubstr("1 (training), 2 (test) or 0"))));
  EXPECT_THAT(Parse("a.avi\n"), StatusIs(kInvalid, HasSubstr("no flag")));
  EXPECT_THAT(Parse("a.mp4 1\n"), StatusIs(kInvalid, HasSubstr("no video's name")));
  EXPECT_THAT(Parse(".avi 1\n"), StatusIs(kInvalid, HasSubstr("no video's name")));
  EXPECT_THAT(Parse("../a.avi 1\n"), StatusIs(kInvalid, HasSubstr("no video's name")));
  EXPECT_THAT(Parse("a.avi 1\na.avi 2\n"), StatusIs(kInvalid, HasSubstr("line 1 once more")));
  EXPECT_THAT(Parse(" \n"), StatusIs(kInvalid, HasSubstr("no row")));
  EXPECT_THAT(Parse("1234;Pushing something\n"),
              StatusIs(kInvalid, HasSubstr("looks like a list of Something-Something V1")));
}

}  // namespace
}  // namespace op3d::data
