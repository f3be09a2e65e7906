#include "results/picture/confusion_svg.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "results/testing/markup_checker.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;
using testing::Not;

int CountOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(ConfusionSvgTest, CellsWithVideosHaveTheirNumbers) {
  const std::string picture = DrawConfusion({7, 0, 3, 2}, {"up", "a < b"}).ToFile();
  EXPECT_EQ(MarkupProblem(picture), "");
  for (const char* part : {">7<", ">3<", ">2<", ">up<", ">a &lt; b<", "own class"}) {
    EXPECT_THAT(picture, HasSubstr(part));
  }
  EXPECT_THAT(picture, Not(HasSubstr(">0<")));
  EXPECT_EQ(CountOf(picture, kOrange), 1);
}

TEST(ConfusionSvgTest, ManyClassesShrinkAndAClassMayHaveNoVideos) {
  std::vector<std::string> names;
  for (int i = 0; i < 400; ++i) names.push_back(absl::StrCat("class ", i));
  std::vector<int64_t> counts(400 * 400, 0);
  counts[5] = 2;
  const Svg picture = DrawConfusion(counts, names);
  EXPECT_EQ(MarkupProblem(picture.ToFile()), "");
  EXPECT_THAT(picture.ToFile(), Not(HasSubstr("class 5")));
  EXPECT_LT(picture.width(), 900);
  EXPECT_EQ(MarkupProblem(DrawConfusion({}, {}).ToFile()), "");
}

TEST(ConfusionSvgTest, LongNamesAreCutBetweenCharacters) {
  std::string name;
  for (int i = 0; i < 60; ++i) name += "\xC3\xA9";
  const std::string picture = DrawConfusion({1}, {name}).ToFile();
  EXPECT_THAT(picture, HasSubstr("\xC3\xA9\xE2\x80\xA6<"));
  EXPECT_THAT(picture, Not(HasSubstr("\xEF\xBF\xBD")));
}

}  // namespace
}  // namespace op3d::results
