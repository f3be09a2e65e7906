#include "results/record/record.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_replace.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "results/record/compact_record.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::AllOf;
using testing::HasSubstr;

auto Invalid(const std::string& message) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message));
}

template <typename Matcher>
auto InvalidWith(Matcher message) {
  return StatusIs(absl::StatusCode::kInvalidArgument, message);
}

TEST(RecordTest, WhySettingsWereChosenIsNoDifference) {
  RunRecord record = MakeFixtureRecord();
  record.mutable_settings()->add_derived()->set_reason("a third of the memory 8000 MiB");
  EXPECT_EQ(CanonicalRecord(record).SerializeAsString(),
            CanonicalRecord(MakeFixtureRecord()).SerializeAsString());
}

TEST(RecordTest, FolderAndFileRoundTrip) {
  const std::string folder = TestFolder("record");
  const RunRecord record = MakeFixtureRecord();
  ASSERT_THAT(WriteRecord(folder, record), IsOk());
  ASSERT_OK_AND_ASSIGN(const RunRecord read, ReadRecord(folder));
  EXPECT_TRUE(MessageDifferencer::Equals(record, read));
  ASSERT_OK_AND_ASSIGN(const RunRecord again, ReadRecord(JoinPath(folder, "record.textproto")));
  EXPECT_TRUE(MessageDifferencer::Equals(record, again));
}

TEST(RecordTest, CheckedInFixtureIsTheGeneratedOne) {
  ASSERT_OK_AND_ASSIGN(const std::string path,
                       RunfilePath("results/record/testdata/fixture/record.textproto"));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(path));
  EXPECT_EQ(text, PrintTextproto(MakeFixtureRecord()))
      << "run ./bazelw run //results/testing:write_fixture";
  EXPECT_THAT(text, HasSubstr("TEST FIXTURE"));
}

TEST(RecordTest, UnreadableFilesAreNamed) {
  const std::string folder = TestFolder("unreadable");
  EXPECT_THAT(ReadRecord(folder),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("record.textproto")));
  const std::string path = JoinPath(folder, "record.textproto");
  ASSERT_THAT(WriteFileAtomically(path, "plan { stps: 1 }"), IsOk());
  EXPECT_THAT(ReadRecord(folder), Invalid("record.textproto:1:12"));
  ASSERT_THAT(WriteFileAtomically(path, "schema_version: 2"), IsOk());
  EXPECT_THAT(ReadRecord(folder),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("record.textproto"), HasSubstr("schema version 2"))));
  ASSERT_THAT(WriteFileAtomically(path, ""), IsOk());
  EXPECT_THAT(ReadRecord(folder), Invalid("no run record"));
}

TEST(RecordTest, ARecordOfANewerVersionIsSaidToBeNewer) {
  const std::string folder = TestFolder("newer"), path = JoinPath(folder, "record.textproto");
  ASSERT_THAT(WriteRecord(folder, MakeFixtureRecord()), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(path));
  // With fields that this program does not know.
  ASSERT_THAT(WriteFileAtomically(
                  path, absl::StrReplaceAll(text, {{"schema_version: 1\n",
                                                    "schema_version: 2\nseeds { mean: 0.5 }\n"}})),
              IsOk());
  EXPECT_THAT(ReadRecord(folder),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("schema version 2; this program reads up to 1, use the op3d that "
                                 "wrote it")));
  ASSERT_THAT(WriteFileAtomically(
                  path, absl::StrReplaceAll(text, {{"schema_version: 1\n",
                                                    "schema_version: 1\nseeds { mean: 0.5 }\n"}})),
              IsOk());
  EXPECT_THAT(
      ReadRecord(folder),
      InvalidWith(AllOf(HasSubstr("record.textproto:2:7: "), HasSubstr("no field named \"seeds\""),
                        HasSubstr("A newer op3d wrote the record (commit "
                                  "0123456789abcdef0123456789abcdef01234567), or it was edited "
                                  "by hand; read it with that op3d"))));
}

TEST(RecordTest, ATruncatedRecordIsSaidToBeCutOff) {
  const std::string folder = TestFolder("cut"), path = JoinPath(folder, "record.textproto");
  ASSERT_THAT(WriteRecord(folder, MakeFixtureRecord()), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(path));
  // Inside a message, and inside a string.
  for (const size_t length : {text.size() / 2, text.find("kinetics400") + 4}) {
    ASSERT_THAT(WriteFileAtomically(path, text.substr(0, length)), IsOk());
    EXPECT_THAT(ReadRecord(folder),
                InvalidWith(AllOf(HasSubstr("record.textproto ends in line "),
                                  HasSubstr("inside a message: the file was cut off or edited"))));
  }
  // Between two fields: the checksum is gone, and what remains contradicts itself or is no run.
  ASSERT_THAT(WriteFileAtomically(path, "schema_version: 1\n"), IsOk());
  EXPECT_THAT(ReadRecord(folder), Invalid("edited by hand or damaged"));
}

TEST(RecordTest, NothingIsWrittenOfAnInvalidRecord) {
  const std::string folder = TestFolder("invalid");
  EXPECT_THAT(WriteRecord(folder, RunRecord()), Invalid("settings.benchmark is empty"));
  EXPECT_FALSE(FileExists(JoinPath(folder, "record.textproto")));
}

TEST(RecordTest, ValidationNamesThePlace) {
  const RunRecord good = MakeFixtureRecord();
  ASSERT_THAT(ValidateRecord(good), IsOk());
  RunRecord bad = good;
  bad.mutable_settings()->clear_scale();
  EXPECT_THAT(ValidateRecord(bad), Invalid("settings.scale"));
  bad = good;
  bad.mutable_recipes(1)->set_name("planned");
  EXPECT_THAT(ValidateRecord(bad), Invalid("recipe 'planned' stands twice"));
  bad = good;
  bad.mutable_recipes(1)->mutable_test()->set_top3(1.5);
  EXPECT_THAT(ValidateRecord(bad), Invalid("recipe 'hand_tuned': top3 is 1.5"));
  bad.mutable_recipes(1)->mutable_test()->set_top3(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(ValidateRecord(bad), Invalid("top3 is nan"));
  bad = good;
  bad.mutable_recipes(0)->mutable_test()->mutable_classes(7)->set_correct(31);
  EXPECT_THAT(ValidateRecord(bad), Invalid("class 'up>down' has 31 correct of 30 videos"));
  bad = good;
  bad.mutable_dataset()->mutable_lists(0)->set_videos_file("../secret");
  EXPECT_THAT(ValidateRecord(bad), Invalid("videos_file '../secret' leaves"));
  bad = good;
  bad.mutable_recipes(0)->mutable_test()->set_scores_file("../secret");
  EXPECT_THAT(ValidateRecord(bad), Invalid("bare file name"));
  bad = good;
  bad.mutable_recipes(0)->mutable_test()->set_clips(0);
  EXPECT_THAT(ValidateRecord(bad), Invalid("0 clips"));
}

TEST(RecordTest, ValidationOfRolesAndCandidates) {
  RunRecord good = MakeFixtureRecord();
  RecipeResult* best = good.mutable_recipes(1);
  best->set_role(RecipeResult::BEST_FIXED);
  best->set_total_frames(9 * best->frames());
  best->set_held_out(-0.3);  // a mean log-likelihood
  for (const char* title : {"cs 16", "us 8x4"}) best->add_candidates()->set_title(title);
  best->mutable_candidates(0)->set_held_out(0.5);
  best->mutable_candidates(0)->set_chosen(true);
  best->mutable_candidates(1)->set_failure("chance");
  // Roles that may occur several times.
  good.mutable_recipes(0)->set_role(RecipeResult::HAND_TUNED);
  good.mutable_recipes(2)->set_role(RecipeResult::HAND_TUNED);
  EXPECT_THAT(ValidateRecord(good), IsOk());
  RunRecord bad = good;
  bad.mutable_recipes(2)->set_role(RecipeResult::BEST_FIXED);
  EXPECT_THAT(ValidateRecord(bad),
              Invalid("recipe 'hand_tuned_64': the role BEST_FIXED stands twice"));
  bad = good;
  bad.mutable_recipes(1)->set_total_frames(1);
  EXPECT_THAT(ValidateRecord(bad), Invalid("recipe 'hand_tuned': total_frames is 1, fewer than"));
  bad = good;
  bad.mutable_recipes(1)->set_held_out(std::numeric_limits<double>::infinity());
  EXPECT_THAT(ValidateRecord(bad), Invalid("held_out is inf"));
  bad = good;
  bad.mutable_recipes(1)->mutable_candidates(1)->set_chosen(true);
  EXPECT_THAT(ValidateRecord(bad), Invalid("2 candidates are chosen"));
  bad = good;
  bad.mutable_recipes(1)->mutable_candidates(1)->set_title("cs 16");
  EXPECT_THAT(ValidateRecord(bad), Invalid("candidate 'cs 16' stands twice"));
  bad = good;
  bad.mutable_recipes(1)->mutable_candidates(1)->set_frames(-1);
  EXPECT_THAT(ValidateRecord(bad), Invalid("candidate 'us 8x4' has -1 frames"));
  bad = good;
  bad.mutable_recipes(1)->mutable_candidates(0)->set_held_out(
      std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(ValidateRecord(bad), Invalid("candidate 'cs 16' has the held_out score nan"));
}

TEST(RecordTest, RightVideosAreABitEach) {
  EXPECT_EQ(PackRight({}), "");
  EXPECT_EQ(PackRight({0, 2, 0}), "a0");
  EXPECT_EQ(PackRight({1, 0, 0, 0, 0, 0, 0, 0, 0}), "7f80");
  TestResult test;
  test.set_videos(9);
  EXPECT_TRUE(UnpackRight(test).empty());
  test.set_right("7f80");
  EXPECT_EQ(UnpackRight(test),
            std::vector<bool>({false, true, true, true, true, true, true, true, true}));

  RunRecord record = MakeFixtureRecord();
  TestResult* planned = record.mutable_recipes(0)->mutable_test();
  std::vector<int64_t> ranks(270, 0);
  std::fill_n(ranks.begin(), 18, 1);  // top-1 is 252 of 270
  planned->set_right(PackRight(ranks));
  EXPECT_THAT(ValidateRecord(record), IsOk());
  ranks[0] = 0;
  planned->set_right(PackRight(ranks));
  EXPECT_THAT(ValidateRecord(record),
              Invalid("recipe 'planned': right names 253 of 270 videos, but top1 is 0.93333"));
  planned->set_right("ff");
  EXPECT_THAT(ValidateRecord(record), Invalid("270 videos take 68 hexadecimal digits"));
  planned->set_right(std::string(68, 'x'));
  EXPECT_THAT(ValidateRecord(record), Invalid("hexadecimal"));
}

TEST(RecordTest, ACompactRecordSaysTheSameInLessRoom) {
  RunRecord record = MakeFixtureRecord();
  record.add_notes("a note that ends in a brace {");
  record.mutable_recipes(2)->set_role(RecipeResult::FIXED);
  const RunRecord compact = CompactRecord(record);
  EXPECT_TRUE(compact.compact());
  EXPECT_TRUE(MessageDifferencer::Equals(compact, CompactRecord(compact)));
  // Measured figures are rounded, choices and counts are not.
  const EdgeOutcome &edge = record.searches(1).edges(2), &small = compact.searches(1).edges(2);
  EXPECT_NE(edge.curve(3).loss(), small.curve(3).loss());
  EXPECT_NEAR(edge.curve(3).loss(), small.curve(3).loss(), 1e-5);
  EXPECT_EQ(small.curve(3).train_seconds(), 0);
  EXPECT_TRUE(MessageDifferencer::Equals(record.settings(), compact.settings()));
  EXPECT_EQ(compact.searches(0).graph().states_size(), 0);
  EXPECT_TRUE(MessageDifferencer::Equals(record.recipes(0).test(), compact.recipes(0).test()));
  EXPECT_EQ(compact.recipes(0).losses_size(), record.recipes(0).losses_size());
  EXPECT_EQ(compact.recipes(2).losses_size(), 0);
  EXPECT_EQ(compact.recipes(2).test().classes_size(), 0);

  const std::string folder = TestFolder("compact");
  ASSERT_THAT(WriteRecord(folder, compact), IsOk());
  ASSERT_OK_AND_ASSIGN(const RunRecord read, ReadRecord(folder));
  EXPECT_TRUE(MessageDifferencer::Equals(record.searches(1).graph(), read.searches(1).graph()));
  const CurvePoint &before = edge.curve(3), &after = read.searches(1).edges(2).curve(3);
  EXPECT_EQ(after.epoch(), 3);
  EXPECT_NEAR(after.performance(), before.performance(), 2e-5);
  EXPECT_TRUE(MessageDifferencer::Equals(compact, CompactRecord(read)));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(folder + "/record.textproto"));
  EXPECT_LT(2 * text.size(), PrintTextproto(record).size());
  for (const char* line : {"\n    head_top1: [", "\n    curve { }\n", "\n    curve { top1: 0."}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST(RecordTest, ACompactRecordKeepsAnotherMeasureThanThePublishedOne) {
  RunRecord record = MakeFixtureRecord();
  for (EdgeOutcome& edge : *record.mutable_searches(0)->mutable_edges()) {
    for (CurvePoint& point : *edge.mutable_curve()) point.set_performance(point.top1());
  }
  // Nothing right yet, but close.
  CurvePoint* first = record.mutable_searches(0)->mutable_edges(0)->mutable_curve(0);
  first->set_performance(0);
  first->set_top5(0.4);
  const RunRecord compact = CompactRecord(record);
  const RunRecord whole = ExpandRecord(compact);
  EXPECT_TRUE(MessageDifferencer::Equals(compact, CompactRecord(whole)));
  for (int i = 0; i < 2; ++i) {
    const EdgeOutcome &edge = record.searches(i).edges(0), &again = whole.searches(i).edges(0);
    for (int epoch = 0; epoch < edge.curve_size(); ++epoch) {
      EXPECT_NEAR(edge.curve(epoch).performance(), again.curve(epoch).performance(), 2e-5);
    }
  }
}

TEST(RecordTest, ValidationOfCurvesNamesTheEdge) {
  const RunRecord good = MakeFixtureRecord();
  RunRecord bad = good;
  bad.mutable_searches(1)->mutable_edges(2)->mutable_curve(3)->set_epoch(5);
  EXPECT_THAT(ValidateRecord(bad), Invalid("search of pool us: edge S10->S11: point 3"));
  bad = good;
  bad.mutable_searches(0)->mutable_edges(0)->set_to("S77");
  EXPECT_THAT(ValidateRecord(bad), Invalid("no state 'S77'"));
  bad = good;
  bad.mutable_searches(0)->mutable_edges(0)->set_epochs(500);
  EXPECT_THAT(ValidateRecord(bad), Invalid("500 epochs kept"));
}

TEST(RecordTest, ARunWithoutTestsYetIsValid) {
  RunRecord record = MakeFixtureRecord();
  record.clear_recipes();
  record.clear_searches();
  EXPECT_THAT(ValidateRecord(record), IsOk());
}

TEST(RecordTest, CanonicalFormLacksOnlyWhatIsVolatile) {
  RunRecord other = MakeFixtureRecord();
  other.mutable_environment()->set_host("elsewhere");
  other.mutable_time()->set_wall(1);
  other.mutable_recipes(0)->set_train_seconds(1);
  other.mutable_recipes(0)->set_test_seconds(1);
  other.mutable_searches(0)->mutable_edges(0)->mutable_curve(1)->set_train_seconds(9);
  other.mutable_searches(0)->mutable_edges(0)->mutable_curve(1)->set_evaluation_seconds(9);
  const RunRecord canonical = CanonicalRecord(MakeFixtureRecord());
  EXPECT_TRUE(MessageDifferencer::Equals(canonical, CanonicalRecord(other)));
  other.mutable_recipes(0)->set_epochs(1);
  EXPECT_FALSE(MessageDifferencer::Equals(canonical, CanonicalRecord(other)));
}

}  // namespace
}  // namespace op3d::results
