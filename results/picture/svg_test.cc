#include "results/picture/svg.h"

#include <gmock/gmock.h>

#include <limits>

#include "results/testing/markup_checker.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SvgTest, EscapesAndReplaces) {
  EXPECT_EQ(EscapeXml("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  EXPECT_EQ(EscapeXml("na\xC3\xAFve \xE2\x86\x92"), "na\xC3\xAFve \xE2\x86\x92");
  EXPECT_EQ(EscapeXml("\x01\x7F"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  // A lone lead byte, an overlong slash, a surrogate, a character that XML forbids.
  EXPECT_EQ(EscapeXml("\xC3"), "\xEF\xBF\xBD");
  EXPECT_EQ(EscapeXml("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(EscapeXml("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(EscapeXml("\xEF\xBF\xBF"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(SvgTest, EveryShapeGivesAWellFormedPicture) {
  Svg inner(10, 10, "inner");
  inner.Circle({5, 5}, 2, ShapeStyle().Fill(kBlue));
  Svg picture(200, 100, "All <shapes>");
  picture.Line({0, 0}, {10, 10.125}, ShapeStyle().Stroke(kInk).Dash("4 3"));
  picture.Polyline({{0, 0}, {1, 2}}, ShapeStyle().Stroke(kSky).Opacity(0.5));
  picture.Rectangle({1, 2}, -3, 4, ShapeStyle().Fill(kPale), 2);
  picture.ArrowHead({0, 0}, {10, 0}, 6, kInk);
  picture.ArrowHead({1, 1}, {1, 1}, 6, kInk);
  picture.Text({5, 5}, "<b>", TextStyle(9).Middle().Bold().Halo().Rotate(-90));
  picture.Embed({3, 4}, inner);
  EXPECT_EQ(MarkupProblem(picture.ToFile()), "");
  EXPECT_EQ(MarkupProblem(picture.ToInline()), "");
  EXPECT_THAT(picture.ToFile(), HasSubstr("All &lt;shapes&gt;"));
  EXPECT_THAT(picture.ToFile(), HasSubstr("y2=\"10.12\""));
  EXPECT_THAT(picture.ToFile(), HasSubstr("xmlns="));
  EXPECT_THAT(picture.ToInline(), Not(HasSubstr("http")));
}

TEST(SvgTest, NumbersThatAreNotFiniteBecomeZero) {
  Svg picture(10, 10, "odd");
  picture.Circle({std::numeric_limits<double>::quiet_NaN(), 1},
                 std::numeric_limits<double>::infinity(), {});
  EXPECT_THAT(picture.ToFile(), HasSubstr("cx=\"0\" cy=\"1\" r=\"0\""));
}

}  // namespace
}  // namespace op3d::results
