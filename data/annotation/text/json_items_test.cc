#include "data/annotation/text/json_items.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// Each item as "line keys value".
absl::StatusOr<std::vector<std::string>> Items(const std::string& text, int depth) {
  std::vector<std::string> items;
  const absl::Status status = ForEachJsonItem(text, "a.json", depth, [&](const JsonItem& item) {
    items.push_back(
        absl::StrCat(item.line, " ", absl::StrJoin(item.keys, "/"), " ", item.value.dump()));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return items;
}

TEST(JsonItemsTest, MembersOfAList) {
  ASSERT_OK_AND_ASSIGN(
      const auto items,
      Items("\xEF\xBB\xBF[\r\n {\"id\": [1,\n {\"x\": 2}]},\n\n{}, 7, \"t\"]\n", 1));
  EXPECT_THAT(items, ElementsAre("2  {\"id\":[1,{\"x\":2}]}", "5  {}", "5  7", "5  \"t\""));
}

TEST(JsonItemsTest, MembersOfAnInnerObjectWithTheirKeys) {
  ASSERT_OK_AND_ASSIGN(
      const auto items,
      Items("{\"version\": 1, \"database\": {\"a\": {\"k\": {}},\n\"b\": []}, \"l\": [3, {}]}", 2));
  EXPECT_THAT(items,
              ElementsAre("1 database/a {\"k\":{}}", "2 database/b []", "2 l/ 3", "2 l/ {}"));
}

TEST(JsonItemsTest, SyntaxErrorsNameTheLine) {
  EXPECT_THAT(
      Items("[\n{\"a\": 1},\n{\"b\" 2}]", 1),
      StatusIs(kInvalid, AllOf(HasSubstr("a.json:3: not JSON"), HasSubstr("in '{\"b\" 2}]'"))));
  const std::string long_line = "[" + std::string(1000, ' ') + "x";
  EXPECT_LT(Items(long_line, 1).status().message().size(), 300);
  EXPECT_THAT(Items("[{}", 1), StatusIs(kInvalid, HasSubstr("a.json:1: not JSON")));
  EXPECT_THAT(Items("", 1), StatusIs(kInvalid, HasSubstr("a.json:1: not JSON")));
  EXPECT_THAT(Items("[\"\xFF\"]", 1), StatusIs(kInvalid, HasSubstr("not JSON")));
  EXPECT_THAT(Items("[1e999]", 1), StatusIs(kInvalid, HasSubstr("not JSON")));
}

TEST(JsonItemsTest, AnErrorOfTheUserEndsTheReading) {
  int seen = 0;
  EXPECT_THAT(ForEachJsonItem("[1, 2, 3", "a.json", 1,
                              [&](const JsonItem&) {
                                return ++seen == 2 ? absl::OutOfRangeError("two")
                                                   : absl::OkStatus();
                              }),
              StatusIs(absl::StatusCode::kOutOfRange, "two"));
  EXPECT_EQ(seen, 2);
}

TEST(JsonItemsTest, AnyDepthOfNestingIsReadInFlatMemory) {
  const std::string deep(1'000'000, '[');
  EXPECT_THAT(Items(deep, 1), StatusIs(kInvalid, HasSubstr("not JSON")));
  int items = 0;
  EXPECT_THAT(ForEachJsonItem(deep + std::string(1'000'000, ']'), "a.json", 1,
                              [&](const JsonItem&) {
                                ++items;
                                return absl::OkStatus();
                              }),
              IsOk());
  EXPECT_EQ(items, 1);
}

TEST(JsonItemsTest, ErrorsShowTheItem) {
  const std::vector<std::string> keys = {"a"};
  EXPECT_EQ(
      JsonItemError("a.json", {keys, nlohmann::json{{"id", 5}}, 8}, "no label", "one").message(),
      "a.json:8: no label in '{\"id\":5}'; expected one");
}

TEST(JsonItemsTest, TextOfTextsAndWholeNumbers) {
  EXPECT_EQ(JsonText("12"), "12");
  EXPECT_EQ(JsonText(12), "12");
  EXPECT_EQ(JsonText(1.5), "");
  EXPECT_EQ(JsonText(nullptr), "");
}

}  // namespace
}  // namespace op3d::data
