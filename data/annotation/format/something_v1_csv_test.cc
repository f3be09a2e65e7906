#include "data/annotation/format/something_v1_csv.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

absl::StatusOr<std::vector<SomethingV1Video>> Parse(const std::string& text) {
  return ParseSomethingV1Csv(text, "train.csv");
}

TEST(SomethingV1CsvTest, ReadsTheOfficialForm) {
  ASSERT_OK_AND_ASSIGN(
      const auto videos,
      Parse("\xEF\xBB\xBF"
            "100218;Something (not paper), it's \"falling\"\r\n\r\n24413;Moving; up\r\n"));
  ASSERT_EQ(videos.size(), 2);
  EXPECT_EQ(videos[0].id, "100218");
  EXPECT_EQ(videos[0].label, "Something (not paper), it's \"falling\"");
  EXPECT_EQ(videos[1].label, "Moving; up");
  EXPECT_EQ(videos[1].line, 3);
}

TEST(SomethingV1CsvTest, ReadsATestList) {
  ASSERT_OK_AND_ASSIGN(const auto videos, Parse("1\n2\n"));
  ASSERT_EQ(videos.size(), 2);
  EXPECT_EQ(videos[1].id, "2");
  EXPECT_EQ(videos[1].label, "");
}

TEST(SomethingV1CsvTest, ARowMayLackItsAnnotation) {
  ASSERT_OK_AND_ASSIGN(const auto videos, Parse("1;a\n2\n3;\n"));
  ASSERT_EQ(videos.size(), 3);
  EXPECT_EQ(videos[0].label, "a");
  EXPECT_EQ(videos[1].label, "");
  EXPECT_EQ(videos[2].label, "");
}

TEST(SomethingV1CsvTest, RefusesRowsThatCannotBe) {
  EXPECT_THAT(Parse("1;a\nx2;b\n"),
              StatusIs(kInvalid, AllOf(HasSubstr("train.csv:2: no number for an id in 'x2;b'"),
                                       HasSubstr("expected 'id;label'"))));
  EXPECT_THAT(Parse(";a\n"), StatusIs(kInvalid, HasSubstr("no number")));
  EXPECT_THAT(Parse("1;a\n2;a\n1;b\n"), StatusIs(kInvalid, HasSubstr("of line 1 once more")));
  EXPECT_THAT(Parse("\n"), StatusIs(kInvalid, HasSubstr("no row")));
  EXPECT_THAT(Parse("ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\n"),
              StatusIs(kInvalid, HasSubstr("looks like a list of UCF101")));
}

}  // namespace
}  // namespace op3d::data
