#include "op3d/base/io/csv.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CsvTest, ReadsQuotesLineEndsAndAByteOrderMark) {
  ASSERT_OK_AND_ASSIGN(const std::vector<CsvRow> rows, ParseCsv("\xEF\xBB\xBFlabel,id\r\n"
                                                                "\"petting animal (not cat)\",a\r\n"
                                                                "\n"
                                                                "\"say \"\"hi\"\", then\nwave\",b\n"
                                                                "\"\",",
                                                                "x.csv"));
  ASSERT_EQ(rows.size(), 4);
  EXPECT_THAT(rows[0].fields, ElementsAre("label", "id"));
  EXPECT_THAT(rows[1].fields, ElementsAre("petting animal (not cat)", "a"));
  EXPECT_THAT(rows[2].fields, ElementsAre("say \"hi\", then\nwave", "b"));
  EXPECT_THAT(rows[3].fields, ElementsAre("", ""));
  EXPECT_EQ(rows[1].line, 2);
  EXPECT_EQ(rows[2].line, 4);
  EXPECT_EQ(rows[3].line, 6);
}

TEST(CsvTest, KeepsWhatIsNoLineEnd) {
  ASSERT_OK_AND_ASSIGN(const std::vector<CsvRow> rows, ParseCsv("a\rb, c d ,\n", "x.csv"));
  ASSERT_EQ(rows.size(), 1);
  EXPECT_THAT(rows[0].fields, ElementsAre("a\rb", " c d ", ""));
}

TEST(CsvTest, EmptyTextHasNoRows) {
  for (const char* text : {"", "\n\r\n\n", "\xEF\xBB\xBF"}) {
    ASSERT_OK_AND_ASSIGN(const std::vector<CsvRow> rows, ParseCsv(text, "x.csv"));
    EXPECT_THAT(rows, IsEmpty());
  }
}

TEST(CsvTest, NamesTheLineOfAnError) {
  EXPECT_THAT(ParseCsv("a,b\n\"open,c\nd", "x.csv"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("x.csv:2: a quoted field")));
  EXPECT_THAT(ParseCsv("a,b\nc,\"d\"e\n", "x.csv"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("x.csv:2: 'e' after the closing quote of \"d\"")));
}

TEST(CsvTest, FieldsAreQuotedIfTheyMustBe) {
  EXPECT_EQ(CsvField("bars"), "bars");
  EXPECT_EQ(CsvField("up then down"), "up then down");
  EXPECT_EQ(CsvField("up then down", " "), "\"up then down\"");
  EXPECT_EQ(CsvField("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(CsvField(""), "");
  for (const std::string field : {"a,b", "\"", "two\nlines", "x\r"}) {
    ASSERT_OK_AND_ASSIGN(const auto rows, ParseCsv(CsvField(field) + ",end\n", "x"));
    ASSERT_EQ(rows.size(), 1);
    EXPECT_THAT(rows[0].fields, ElementsAre(field, "end"));
  }
}

}  // namespace
}  // namespace op3d
