#include "data/annotation/format/class_list.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

absl::StatusOr<std::vector<std::string>> Parse(const std::string& text) {
  return ParseClassList(text, "classes");
}

TEST(ClassListTest, AClassALine) {
  ASSERT_OK_AND_ASSIGN(
      const auto classes,
      Parse("\xEF\xBB\xBFzumba\r\n petting animal (not cat)\n\n\"quoted\", it's\n"));
  EXPECT_THAT(classes, ElementsAre("zumba", "petting animal (not cat)", "\"quoted\", it's"));
}

TEST(ClassListTest, NumbersInFrontAreDroppedWhenEveryLineHasItsOwn) {
  ASSERT_OK_AND_ASSIGN(auto classes, Parse("1 ApplyEyeMakeup\r\n2 Archery\r\n"));
  EXPECT_THAT(classes, ElementsAre("ApplyEyeMakeup", "Archery"));
  ASSERT_OK_AND_ASSIGN(classes, Parse("0\tx y\n1\tz\n"));
  EXPECT_THAT(classes, ElementsAre("x y", "z"));
  ASSERT_OK_AND_ASSIGN(classes, Parse("1 step\n3 steps\n"));
  EXPECT_THAT(classes, ElementsAre("1 step", "3 steps"));
  ASSERT_OK_AND_ASSIGN(classes, Parse("1\n2\n"));
  EXPECT_THAT(classes, ElementsAre("1", "2"));
}

TEST(ClassListTest, JsonOfNumbers) {
  ASSERT_OK_AND_ASSIGN(
      const auto classes,
      Parse("{\"Pushing something\": \"1\",\n \"Approaching, [x]\": 0, \"c\":\"2\"}"));
  EXPECT_THAT(classes, ElementsAre("Approaching, [x]", "Pushing something", "c"));
}

TEST(ClassListTest, AnyWhiteSpaceEndsTheNumber) {
  ASSERT_OK_AND_ASSIGN(const auto classes, Parse("1\f02168\n2\v\tb c\n"));
  EXPECT_THAT(classes, ElementsAre("02168", "b c"));
}

TEST(ClassListTest, RefusesWhatCannotBe) {
  EXPECT_THAT(Parse("{\"a\": 0,\n\"\": 1}"),
              StatusIs(kInvalid, AllOf(HasSubstr("classes:2:"), HasSubstr("without a name"))));
  EXPECT_THAT(Parse("a\nb\na\n"),
              StatusIs(kInvalid, AllOf(HasSubstr("classes:3:"), HasSubstr("'a' twice"))));
  EXPECT_THAT(Parse("\r\n"), StatusIs(kInvalid, HasSubstr("no class")));
  EXPECT_THAT(Parse("{}"), StatusIs(kInvalid, HasSubstr("no class")));
  EXPECT_THAT(Parse("{\"a\": 0,\n\"b\": \"x\"}"),
              StatusIs(kInvalid, AllOf(HasSubstr("classes:2:"), HasSubstr("no number for 'b'"))));
  EXPECT_THAT(Parse("{\"a\": 0, \"b\": 0}"), StatusIs(kInvalid, HasSubstr("twice")));
  EXPECT_THAT(Parse("{\"a\": 0, \"a\": 1}"), StatusIs(kInvalid, HasSubstr("twice")));
  EXPECT_THAT(Parse("{\"a\": 0, \"b\": 2}"),
              StatusIs(kInvalid, AllOf(HasSubstr("no class has the number 1"), HasSubstr("'b'"))));
  EXPECT_THAT(Parse("{\"a\": -1}"), StatusIs(kInvalid, HasSubstr("no number for 'a'")));
  EXPECT_THAT(Parse("{\"a\": 0"), StatusIs(kInvalid, HasSubstr("not JSON")));
}

}  // namespace
}  // namespace op3d::data
