#include "results/record.h"

#include <google/protobuf/util/message_differencer.h>

#include <limits>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_matchers.h"
#include "op3d/base/textproto.h"
#include "results/fixture_record.h"

namespace op3d {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::AllOf;
using testing::HasSubstr;

auto Invalid(const std::string& message) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message));
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
                       RunfilePath("results/testdata/fixture/record.textproto"));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(path));
  EXPECT_EQ(text, PrintTextproto(MakeFixtureRecord()))
      << "run ./bazelw run //results:write_fixture";
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
}  // namespace op3d
