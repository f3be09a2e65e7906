#include "results/report/html_table.h"

#include <gmock/gmock.h>

#include <limits>

#include "results/testing/markup_checker.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;

TEST(HtmlTableTest, EscapesAlignsAndCloses) {
  HtmlTable table({"a & b", "n"});
  EXPECT_EQ(table.ToHtml(), "");
  table.AddRow({WordsCell("<script>"), FigureCell("1")}, /*strong=*/true);
  table.AddRow({Bar(0.25, "#0072B2", "25 <"), FigureCell("2")});
  const std::string html = table.ToHtml();
  EXPECT_EQ(MarkupProblem(html), "");
  EXPECT_THAT(html, HasSubstr("<th>a &amp; b</th><th class=\"figure\">n</th>"));
  EXPECT_THAT(html, HasSubstr("<tr class=\"strong\"><td>&lt;script&gt;</td>"));
  EXPECT_THAT(html, HasSubstr("width:25.0%;background:#0072B2"));
}

TEST(HtmlTableTest, BarsStayInTheirCell) {
  EXPECT_THAT(Bar(7, "red", "").html, HasSubstr("width:100.0%"));
  EXPECT_THAT(Bar(-1, "red", "").html, HasSubstr("width:0.0%"));
  EXPECT_THAT(Bar(std::numeric_limits<double>::quiet_NaN(), "red", "").html,
              HasSubstr("width:0.0%"));
}

}  // namespace
}  // namespace op3d::results
