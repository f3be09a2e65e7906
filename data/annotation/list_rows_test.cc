#include "data/annotation/list_rows.h"

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// The rows of a list with this text.
absl::StatusOr<std::vector<ListRow>> Rows(DatasetSettings::Format format, const std::string& text) {
  const std::string path = JoinPath(TestFolder("rows"), "list");
  EXPECT_THAT(WriteFileAtomically(path, text), IsOk());
  return ReadListRows(format, path);
}

TEST(ListRowsTest, EachFormatBecomesRows) {
  ASSERT_OK_AND_ASSIGN(auto rows,
                       Rows(DatasetSettings::KINETICS_CSV,
                            "label,youtube_id,time_start,time_end,split\nzumba,abc,3,13,val\n"));
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0].video.name, "abc_000003_000013");
  EXPECT_EQ(rows[0].video.other_name, "abc_3_13");
  EXPECT_EQ(rows[0].label, "zumba");
  EXPECT_EQ(rows[0].part, "val");
  EXPECT_EQ(rows[0].video.line, 2);
  EXPECT_THAT(rows[0].file, HasSubstr("/list"));

  ASSERT_OK_AND_ASSIGN(rows, Rows(DatasetSettings::SOMETHING_SOMETHING_V1_CSV, "12;Moving up\n"));
  EXPECT_EQ(rows[0].video.name, "12");
  EXPECT_EQ(rows[0].label, "Moving up");
  EXPECT_EQ(rows[0].number, -1);

  ASSERT_OK_AND_ASSIGN(rows, Rows(DatasetSettings::SOMETHING_SOMETHING_V2_JSON,
                                  R"([{"id": "12", "template": "Moving [something]"}])"));
  EXPECT_EQ(rows[0].label, "Moving something");

  ASSERT_OK_AND_ASSIGN(rows, Rows(DatasetSettings::UCF101_LIST, "Bars/v_Bars_g01_c02.avi 3\n"));
  EXPECT_EQ(rows[0].label, "Bars");
  EXPECT_EQ(rows[0].number, 2);
  EXPECT_EQ(rows[0].video.group, "Bars_g01");

  ASSERT_OK_AND_ASSIGN(rows, Rows(DatasetSettings::ACTIVITYNET_JSON,
                                  R"({"database": {"x": {"subset": "training", "annotations":
                    [{"label": "Ballet", "segment": [0, 1]}]}}})"));
  EXPECT_EQ(rows[0].video.name, "x");
  EXPECT_EQ(rows[0].video.other_name, "v_x");
  EXPECT_EQ(rows[0].label, "Ballet");
  EXPECT_EQ(rows[0].part, "training");

  ASSERT_OK_AND_ASSIGN(rows, Rows(DatasetSettings::PATH_FRAMES_LABEL, "a b/c.mp4 9 4\n"));
  EXPECT_EQ(rows[0].video.path, "a b/c.mp4");
  EXPECT_EQ(rows[0].video.name, "a b/c.mp4");
  EXPECT_EQ(rows[0].label, "");
  EXPECT_EQ(rows[0].number, 4);
  ASSERT_OK_AND_ASSIGN(rows, Rows(DatasetSettings::PATH_LABEL, "a b/c.mp4 4\n"));
  EXPECT_EQ(rows[0].number, 4);
  ASSERT_OK_AND_ASSIGN(rows, Rows(DatasetSettings::PATH_LABEL, "a b/c 2.mp4\n"));
  EXPECT_EQ(rows[0].video.name, "a b/c 2.mp4");
  EXPECT_EQ(rows[0].number, -1);
}

TEST(ListRowsTest, AFileAClass) {
  const std::string folder = TestFolder("hmdb51");
  for (const char* label : {"sword_exercise", "sword", "wave"}) {
    ASSERT_THAT(WriteFileAtomically(folder + "/" + label + "_test_split1.txt",
                                    "film_" + std::string(label) + "_u_0.avi 1 \n"),
                IsOk());
  }
  ASSERT_THAT(WriteFileAtomically(folder + "/wave_test_split2.txt", "no list"), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto rows,
                       ReadListRows(DatasetSettings::HMDB51_LISTS, folder + "/*_test_split1.txt"));
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(rows[0].label, "sword");
  EXPECT_EQ(rows[1].label, "sword_exercise");
  EXPECT_EQ(rows[1].video.group, "film");
  EXPECT_EQ(rows[2].part, "1");
  EXPECT_THAT(ReadListRows(DatasetSettings::HMDB51_LISTS, folder + "/*_test_split3.txt"),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("*_test_split3.txt"), HasSubstr("class's name"))));
  EXPECT_THAT(
      ReadListRows(DatasetSettings::HMDB51_LISTS, folder + "/*_test_split2.txt"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("wave_test_split2.txt:1: no flag")));
}

TEST(ListRowsTest, PatternsNeedAStarAndSomethingForIt) {
  const std::string folder = TestFolder("pattern");
  for (const char* name : {"a_x.txt", "_x.txt", "b_x.txt.old", "b_x.txt"}) {
    ASSERT_THAT(WriteFileAtomically(folder + "/" + name, "x"), IsOk());
  }
  const std::vector<PatternFile> files = ExpandPattern(folder + "/*_x.txt");
  ASSERT_EQ(files.size(), 2);
  EXPECT_EQ(files[0].star, "a");
  EXPECT_EQ(files[1].path, folder + "/b_x.txt");
  EXPECT_TRUE(ExpandPattern(folder + "/a_x.txt").empty());
  EXPECT_TRUE(ExpandPattern("/no/such/*").empty());
}

TEST(ListRowsTest, UnknownFormatsAndAbsentFiles) {
  EXPECT_THAT(Rows(DatasetSettings::FORMAT_UNSPECIFIED, "x"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("FORMAT_UNSPECIFIED")));
  EXPECT_THAT(ReadListRows(DatasetSettings::UCF101_LIST, "/no/such/list"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/list")));
}

}  // namespace
}  // namespace op3d::data
