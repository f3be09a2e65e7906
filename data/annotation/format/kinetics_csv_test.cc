#include "data/annotation/format/kinetics_csv.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(KineticsCsvTest, ReadsTheOfficialForm) {
  ASSERT_OK_AND_ASSIGN(const std::vector<KineticsClip> clips,
                       ParseKineticsCsv("label,youtube_id,time_start,time_end,split,is_cc\n"
                                        "\"petting animal (not cat)\",-3B32lodo2M,59,69,val,0\n"
                                        "abseiling,0wR5jVB-WPk,417,427,val,1\n",
                                        "val.csv"));
  ASSERT_EQ(clips.size(), 2);
  EXPECT_EQ(clips[0].label, "petting animal (not cat)");
  EXPECT_EQ(clips[0].Name(), "-3B32lodo2M_000059_000069");
  EXPECT_EQ(clips[1].start_seconds, 417);
  EXPECT_EQ(clips[1].end_seconds, 427);
  EXPECT_EQ(clips[1].split, "val");
}

TEST(KineticsCsvTest, ColumnsInAnyOrderWithCarriageReturnsAndByteOrderMark) {
  ASSERT_OK_AND_ASSIGN(const std::vector<KineticsClip> clips,
                       ParseKineticsCsv("\xEF\xBB\xBFsplit,time_end,time_start,note,youtube_id\r\n"
                                        "test,27.0,17,\"a, b\",--6bJUbfpnQ\r\n",
                                        "test.csv"));
  ASSERT_EQ(clips.size(), 1);
  EXPECT_EQ(clips[0].label, "");
  EXPECT_EQ(clips[0].Name(), "--6bJUbfpnQ_000017_000027");
}

TEST(KineticsCsvTest, RefusesRowsThatCannotBe) {
  auto parse = [](const std::string& rows) {
    return ParseKineticsCsv("label,youtube_id,time_start,time_end,split\n" + rows, "val.csv");
  };
  EXPECT_THAT(
      parse("a,id1,0,10\n"),
      StatusIs(kInvalid, HasSubstr("val.csv:2: 4 fields, the header has 5, in 'a,id1,0,10'")));
  EXPECT_THAT(parse("a,id1,0,10,val\na,id2,x,10,val\n"),
              StatusIs(kInvalid, AllOf(HasSubstr("val.csv:3:"), HasSubstr("whole seconds"),
                                       HasSubstr("a,id2,x,10,val"))));
  EXPECT_THAT(parse("a,id1,-1,10,val\n"), StatusIs(kInvalid, HasSubstr("whole seconds")));
  EXPECT_THAT(parse("a,id1,10,10,val\n"), StatusIs(kInvalid, HasSubstr("not before time_end")));
  EXPECT_THAT(parse("a,../../etc/x,0,10,val\n"), StatusIs(kInvalid, HasSubstr("youtube_id")));
  EXPECT_THAT(parse("a,,0,10,val\n"), StatusIs(kInvalid, HasSubstr("youtube_id")));
  EXPECT_THAT(parse("a,id1,0,10,val\nb,id2,0,10,val\nb,id1,0,10,val\n"),
              StatusIs(kInvalid, HasSubstr("val.csv:4: the clip of line 2 once more")));
  EXPECT_THAT(parse(""), StatusIs(kInvalid, HasSubstr("not a single clip")));
  EXPECT_THAT(ParseKineticsCsv("", "val.csv"), StatusIs(kInvalid, HasSubstr("empty")));
}

TEST(KineticsCsvTest, RecognisesListsOfOtherDatasets) {
  const std::pair<const char*, const char*> lists[] = {
      {"1234;Pushing something\n", "Something-Something V1"},
      {"[{\"id\": \"78687\"}]\n", "Something-Something V2"},
      {"{\n\"database\": {\"a\": 1}}\n", "ActivityNet"},
      {"ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\n", "UCF101"},
      {"ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi\n", "test list of UCF101"},
      {"1 ApplyEyeMakeup\n", "class list of UCF101"},
      {"April_brush_hair_u_nm_np1_ba_goo_0.avi 1\n", "HMDB51"},
      {"video,numFrame,seconds,fps,rfps,subset,featureFrame\n", "ActivityNet"},
      {"abseiling/a b.mp4 300 0\n", "path frames label"},
      {"abseiling/a.mp4 0\n", "path label"},
      {"abseiling,0wR5jVB-WPk,417,427,val,0\n", "without its header row"},
  };
  for (const auto& [text, name] : lists) {
    EXPECT_THAT(
        ParseKineticsCsv(text, "list.csv"),
        StatusIs(kInvalid,
                 AllOf(HasSubstr("list.csv:1: not an official list of Kinetics"), HasSubstr(name),
                       HasSubstr("expected 'label,youtube_id,time_start,time_end,split'"))))
        << text;
  }
}

TEST(KineticsCsvTest, NamesTheMissingColumns) {
  EXPECT_THAT(ParseKineticsCsv("label,youtube_id,start,end,split\na,b,0,1,val\n", "val.csv"),
              StatusIs(kInvalid, HasSubstr("lacks time_start, time_end")));
}

TEST(KineticsCsvTest, ARowMayLackItsAnnotation) {
  ASSERT_OK_AND_ASSIGN(const std::vector<KineticsClip> clips,
                       ParseKineticsCsv("label,youtube_id,time_start,time_end,split\n"
                                        "a,id1,7,17,val\n,id2,0,10,val\n",
                                        "val.csv"));
  ASSERT_EQ(clips.size(), 2);
  EXPECT_EQ(clips[1].label, "");
  EXPECT_EQ(clips[0].ShortName(), "id1_7_17");
}

}  // namespace
}  // namespace op3d::data
