#include "data/annotation/format/something_v2_json.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

absl::StatusOr<std::vector<SomethingV2Video>> Parse(const std::string& text) {
  return ParseSomethingV2Json(text, "train.json");
}

TEST(SomethingV2JsonTest, ReadsTheOfficialForm) {
  ASSERT_OK_AND_ASSIGN(
      const auto videos,
      Parse(
          "[{\"id\":\"78687\",\"label\":\"holding potato next to box\",\"template\":"
          "\"Holding [something] next to [something]\",\"placeholders\":[\"potato\",\"box\"]},\r\n"
          " {\"template\":\"Stacking [number of] [something]\", \"id\": 42}]"));
  ASSERT_EQ(videos.size(), 2);
  EXPECT_EQ(videos[0].id, "78687");
  EXPECT_EQ(videos[0].label, "Holding something next to something");
  EXPECT_EQ(videos[1].id, "42");
  EXPECT_EQ(videos[1].label, "Stacking number of something");
  EXPECT_EQ(videos[1].line, 2);
}

TEST(SomethingV2JsonTest, ReadsATestList) {
  ASSERT_OK_AND_ASSIGN(const auto videos, Parse("[{\"id\":\"1420\"},{\"id\":\"2\"}]"));
  ASSERT_EQ(videos.size(), 2);
  EXPECT_EQ(videos[0].label, "");
}

TEST(SomethingV2JsonTest, AnEntryMayLackItsAnnotation) {
  ASSERT_OK_AND_ASSIGN(const auto videos, Parse("[{\"id\":\"1\",\"template\":\"a\"},{\"id\":\"2\"},"
                                                "{\"id\":\"3\",\"template\":\"\"}]"));
  ASSERT_EQ(videos.size(), 3);
  EXPECT_EQ(videos[0].label, "a");
  EXPECT_EQ(videos[1].label, "");
  EXPECT_EQ(videos[2].label, "");
}

TEST(SomethingV2JsonTest, RefusesEntriesThatCannotBe) {
  EXPECT_THAT(
      Parse("[{\"id\":\"1\",\"template\":\"a\"},\n{\"template\":\"b\"}]"),
      StatusIs(kInvalid,
               AllOf(HasSubstr("train.json:2: no number for an id in '{\"template\":\"b\"}'"),
                     HasSubstr("expected [{\"id\""))));
  EXPECT_THAT(Parse("[{\"id\":\"../1\",\"template\":\"a\"}]"),
              StatusIs(kInvalid, HasSubstr("no number for an id")));
  EXPECT_THAT(Parse("[{\"id\":\"1\",\"template\":\"[]\"}]"),
              StatusIs(kInvalid, HasSubstr("an empty template")));
  EXPECT_THAT(Parse("[{\"id\":\"1\"},\n{\"id\":\"1\"}]"),
              StatusIs(kInvalid, HasSubstr("train.json:2: the video of line 1 once more")));
  EXPECT_THAT(Parse("[5]"), StatusIs(kInvalid, HasSubstr("no entry in '5'")));
  EXPECT_THAT(Parse("[]"), StatusIs(kInvalid, HasSubstr("no row")));
  EXPECT_THAT(Parse("{\"Approaching\": \"0\"}"),
              StatusIs(kInvalid, HasSubstr("train.json:1: no JSON list: it starts with '{")));
  EXPECT_THAT(Parse("1;Pushing something\n"),
              StatusIs(kInvalid, HasSubstr("looks like a list of Something-Something V1")));
  EXPECT_THAT(Parse("[{\"id\":\"1\"},"), StatusIs(kInvalid, HasSubstr("not JSON")));
}

}  // namespace
}  // namespace op3d::data
