// Unchanged records, and records that somebody edited: the edit is found, and they get no verdict
// anywhere.
#include "results/record/record_check.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/sha256.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "results/record/compact_record.h"
#include "results/record/named_records.h"
#include "results/record/record.h"
#include "results/table/published.h"
#include "results/table/table.h"
#include "results/table/table_format.h"
#include "results/testing/fixture_record.h"
#include "results/verdict/verdict.h"

namespace op3d::results {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A change of a record in an editor.
struct Edit {
  const char* name;
  std::function<void(RunRecord*)> make;
  // The contradiction in the record's own facts; "" if only the checksum shows the change.
  const char* fault;
};

TestResult* ModelTest(RunRecord* record) { return record->mutable_recipes(0)->mutable_test(); }

std::vector<Edit> Edits() {
  return {
      {"top-1", [](RunRecord* record) { ModelTest(record)->set_top1(269 / 270.0); },
       "its classes add up to 259 right of 270"},
      {"top-1 that is not a number of videos",
       [](RunRecord* record) { ModelTest(record)->set_top1(0.97); }, "no whole number"},
      {"top-1 above top-3", [](RunRecord* record) { ModelTest(record)->set_top3(0.5); },
       "which cannot fall"},
      {"top-1 with its classes",
       [](RunRecord* record) {
         for (TestResult::ClassResult& row : *ModelTest(record)->mutable_classes()) {
           row.set_correct(row.videos());
         }
         ModelTest(record)->set_top1(1);
         ModelTest(record)->set_top3(1);
         ModelTest(record)->set_top5(1);
         ModelTest(record)->set_mean_class_accuracy(1);
       },
       "right names 259 of 270 videos"},
      {"a class", [](RunRecord* record) { ModelTest(record)->mutable_classes(7)->set_correct(0); },
       "its classes add up to"},
      {"a group", [](RunRecord* record) { ModelTest(record)->mutable_groups(0)->set_correct(1); },
       "its groups add up to"},
      {"mean class accuracy",
       [](RunRecord* record) { ModelTest(record)->set_mean_class_accuracy(0.99); },
       "mean_class_accuracy is 0.99"},
      {"videos of the test", [](RunRecord* record) { ModelTest(record)->set_videos(19906); },
       "the test has 19906 videos, but the evaluation list has 270"},
      {"videos of the test by one", [](RunRecord* record) { ModelTest(record)->set_videos(271); },
       "the test has 271 videos, but the evaluation list has 270"},
      {"videos of the list",
       [](RunRecord* record) { record->mutable_dataset()->mutable_lists(2)->set_used(273); },
       "are more than the 273 listed"},
      {"frames", [](RunRecord* record) { record->mutable_recipes(0)->set_frames(1000); },
       "it has 1000 frames, but its plan"},
      {"epochs", [](RunRecord* record) { record->mutable_recipes(0)->set_epochs(7); },
       "it has 7 epochs, but its plan has 33"},
      {"frames of all candidates",
       [](RunRecord* record) { record->mutable_recipes(5)->set_total_frames(600000); },
       "but these add up to"},
      {"scale",
       [](RunRecord* record) {
         record->mutable_settings()->mutable_dataset()->set_source("data/synthetic");
         record->mutable_settings()->set_scale(BenchmarkSettings::FULL);
       },
       "its dataset is a miniature"},
      {"benchmark",
       [](RunRecord* record) {
         record->mutable_settings()->set_benchmark("kinetics600");
         record->mutable_settings()->set_scale(BenchmarkSettings::FULL);
       },
       "its benchmark is kinetics600, but its dataset is kinetics400"},
      {"split",
       [](RunRecord* record) {
         DatasetSettings* dataset = record->mutable_settings()->mutable_dataset();
         dataset->set_split(2);
         for (const int videos : {273, 280}) dataset->add_official_evaluation(videos);
       },
       "the official evaluation list has 273 videos in its report and 280 in its settings"},
      {"seed", [](RunRecord* record) { record->mutable_settings()->set_seed(7); }, ""},
      {"network",
       [](RunRecord* record) {
         record->mutable_settings()->mutable_network()->set_name("dg_p3d_resnet50");
       },
       ""},
      {"commit", [](RunRecord* record) { record->mutable_environment()->set_commit("0"); }, ""},
  };
}

// Writes the record as its run does, then applies `edit` to the text.
std::string WriteEdited(const std::string& name, const RunRecord& record,
                        const std::function<void(RunRecord*)>& edit) {
  const std::string folder = TestFolder(name);
  EXPECT_THAT(WriteRecord(folder, record), IsOk());
  RunRecord edited;
  EXPECT_THAT(ReadTextproto(RecordPath(folder), &edited), IsOk());
  EXPECT_NE(edited.content_sha256(), "");
  edit(&edited);
  EXPECT_THAT(WriteTextproto(RecordPath(folder), edited), IsOk());
  return folder;
}

TEST(RecordCheckTest, WhatARunWroteIsWithoutFault) {
  for (const RunRecord& record :
       {MakeFixtureRecord(), MakeRolesFixtureRecord(), CompactRecord(MakeRolesFixtureRecord())}) {
    EXPECT_THAT(Contradictions(record), IsEmpty());
    const std::string folder = TestFolder("whole");
    ASSERT_THAT(WriteRecord(folder, record), IsOk());
    ASSERT_OK_AND_ASSIGN(const CheckedRecord read, ReadCheckedRecord(folder));
    EXPECT_THAT(read.check.faults, IsEmpty());
    ASSERT_OK_AND_ASSIGN(const StoredRecord stored, ReadStoredRecord(folder));
    EXPECT_EQ(stored.seal, Seal::kFits);
    // Another formatting of the same content.
    RunRecord again;
    ASSERT_THAT(ReadTextproto(RecordPath(folder), &again), IsOk());
    ASSERT_THAT(WriteFileAtomically(RecordPath(folder), "# looked at\n" + PrintTextproto(again)),
                IsOk());
    EXPECT_THAT(ReadCheckedRecord(folder)->check.faults, IsEmpty());
  }
}

TEST(RecordCheckTest, EveryEditIsFound) {
  for (const Edit& edit : Edits()) {
    SCOPED_TRACE(edit.name);
    const std::string folder = WriteEdited("edited", MakeRolesFixtureRecord(), edit.make);
    ASSERT_OK_AND_ASSIGN(const CheckedRecord read, ReadCheckedRecord(folder));
    EXPECT_TRUE(read.check.Edited());
    EXPECT_THAT(read.check.faults, Contains(HasSubstr("its checksum (content_sha256)")));
    if (*edit.fault != '\0') {
      EXPECT_THAT(read.check.faults, Contains(HasSubstr(edit.fault)));
    }
    // Compact records as well.
    const std::string compact =
        WriteEdited("compact", CompactRecord(MakeRolesFixtureRecord()), edit.make);
    EXPECT_TRUE(ReadCheckedRecord(compact)->check.Edited());
  }
}

TEST(RecordCheckTest, RecordsWithoutAChecksumAreHeldAgainstTheirFacts) {
  const auto without = [](const std::function<void(RunRecord*)>& edit) {
    return WriteEdited("old", MakeRolesFixtureRecord(), [&](RunRecord* record) {
      record->clear_content_sha256();
      edit(record);
    });
  };
  const std::string untouched = without([](RunRecord*) {});
  EXPECT_THAT(ReadCheckedRecord(untouched)->check.faults, IsEmpty());
  EXPECT_EQ(ReadStoredRecord(untouched)->seal, Seal::kNone);
  for (const Edit& edit : Edits()) {
    SCOPED_TRACE(edit.name);
    ASSERT_OK_AND_ASSIGN(const CheckedRecord read, ReadCheckedRecord(without(edit.make)));
    if (*edit.fault == '\0') {
      EXPECT_THAT(read.check.faults, IsEmpty());
    } else {
      EXPECT_THAT(read.check.faults, Contains(HasSubstr(edit.fault)));
    }
  }
}

TEST(RecordCheckTest, FramesOfASmallerCropCountByTheirArea) {
  const auto faults = [](const std::function<void(RunRecord*)>& edit) {
    const std::string folder =
        WriteEdited("crop", MakeRolesFixtureRecord(), [&](RunRecord* record) {
          record->clear_content_sha256();
          edit(record);
        });
    return ReadCheckedRecord(folder)->check.faults;
  };
  const auto halve = [](RunRecord* record) {
    RecipeResult* row = record->mutable_recipes(0);
    record->mutable_settings()->mutable_transform()->set_train_crop(32);
    for (Plan::Step& step : *row->mutable_plan()->mutable_steps()) step.mutable_state()->set_crop(16);
    row->set_frames(row->frames() / 4);
  };
  EXPECT_THAT(faults(halve), IsEmpty());
  EXPECT_THAT(faults([&](RunRecord* record) {
                halve(record);
                record->mutable_settings()->mutable_transform()->set_train_crop(16);
              }),
              Contains(HasSubstr("but its plan over the training list takes")));
}

// A proxy's crop is for states without a crop of their own.
TEST(RecordCheckTest, AProxysCropLeavesAStatesOwn) {
  const auto faults = [](int proxy_crop, int crop) {
    const std::string folder =
        WriteEdited("proxy", MakeRolesFixtureRecord(), [&](RunRecord* record) {
          record->clear_content_sha256();
          record->mutable_settings()->mutable_transform()->set_train_crop(32);
          SearchSettings* settings = record->mutable_settings()->mutable_search();
          settings->set_method(SearchSettings::PLANNED_METHOD);
          settings->mutable_proxy()->set_crop(proxy_crop);
          for (SearchOutcome& search : *record->mutable_searches()) {
            for (StateSettings& state : *search.mutable_graph()->mutable_states()) {
              state.set_crop(crop);
            }
          }
        });
    return ReadCheckedRecord(folder)->check.faults;
  };
  const std::vector<std::string> own = faults(8, 16);
  // The fixture's frames are none of these; the fault says the range.
  EXPECT_THAT(own, Not(IsEmpty()));
  EXPECT_EQ(own, faults(0, 16));
  EXPECT_NE(own, faults(8, 0));
  EXPECT_EQ(faults(16, 0), own);
}

TEST(RecordCheckTest, WhatNoRecordCanBeIsAnErrorThatSaysSo) {
  const std::string folder = WriteEdited("shape", MakeRolesFixtureRecord(), [](RunRecord* record) {
    record->mutable_recipes(0)->set_frames(record->recipes(0).total_frames() + 1);
  });
  EXPECT_THAT(ReadCheckedRecord(folder),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("total_frames"), HasSubstr("edited by hand or damaged"))));
}

TEST(RecordCheckTest, FilesBesideTheRecord) {
  RunRecord record = MakeRolesFixtureRecord();
  const std::string scores = "scores", videos = "a 1\n";
  for (RecipeResult& recipe : *record.mutable_recipes()) {
    recipe.mutable_test()->set_scores_file("scores.safetensors");
    recipe.mutable_test()->set_scores_sha256(Sha256(scores));
  }
  record.mutable_dataset()->mutable_lists(1)->set_videos_file("search_held_out.tsv");
  record.mutable_dataset()->mutable_lists(1)->set_crc32(Crc32(videos));
  record.mutable_settings()->add_derived()->set_field("seed");  // words that the run leaves out
  const std::string folder = TestFolder("beside");
  const auto faults = [&] { return ReadCheckedRecord(folder)->check.faults; };
  const auto write = [&](const char* name, const std::string& text) {
    ASSERT_THAT(WriteFileAtomically(JoinPath(folder, name), text), IsOk());
  };
  ASSERT_THAT(WriteRecord(folder, record), IsOk());
  EXPECT_THAT(faults(), IsEmpty());  // nothing is there
  BenchmarkSettings settings = record.settings();
  settings.clear_derived();
  write("settings.textproto", PrintTextproto(settings));
  write("scores.safetensors", scores);
  write("search_held_out.tsv", videos);
  EXPECT_THAT(faults(), IsEmpty());
  write("scores.safetensors", "other");
  EXPECT_THAT(faults(), ElementsAre("scores.safetensors next to it is not the file of its test"));
  EXPECT_THAT(ReadCheckedRecord(folder, CheckBeside::kSettings)->check.faults, IsEmpty());
  write("scores.safetensors", scores);
  write("search_held_out.tsv", "b 1\n");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("search_held_out.tsv next to it")));
  write("search_held_out.tsv", videos);
  settings.set_seed(5);
  write("settings.textproto", PrintTextproto(settings));
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("not those with which its run started (modified: seed")));
  write("settings.textproto", "nonsense: 1");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("cannot be read")));
}

// A full-scale run of the official Kinetics-400, as far as the checks need.
RunRecord OfficialRecord(double top1) {
  RunRecord record = MakeFullFixtureRecord("kinetics400", top1);
  DatasetSettings* dataset = record.mutable_settings()->mutable_dataset();
  dataset->mutable_evaluation()->set_list("kinetics-400_val.csv");
  DatasetReport::List* list = record.mutable_dataset()->mutable_lists(2);
  list->set_listed(19906);
  list->set_official(19906);
  list->set_used(19404);
  list->set_missing(502);
  list->set_broken(0);
  while (record.dataset().classes_size() < 400) record.mutable_dataset()->add_classes("more");
  return record;
}

TEST(RecordCheckTest, FullScaleIsHeldAgainstTheOfficialDataset) {
  EXPECT_EQ(NotOfficial(MakeFixtureRecord()), "");
  const RunRecord official = OfficialRecord(0.8);
  EXPECT_EQ(NotOfficial(official), "");
  RunRecord other = official;
  other.mutable_dataset()->mutable_lists(2)->set_listed(1000);
  EXPECT_EQ(NotOfficial(other), "its test list has 1000 videos, the official one 19906");
  other = official;
  other.mutable_dataset()->mutable_lists(2)->set_used(9000);
  EXPECT_EQ(NotOfficial(other), "only 9000 of 19906 test videos were there");
  other = official;
  other.mutable_dataset()->mutable_classes()->RemoveLast();
  EXPECT_EQ(NotOfficial(other), "it has 399 classes, the dataset 400");
  other = official;
  other.mutable_settings()->mutable_network()->set_name("dg_p3d_miniature");
  EXPECT_THAT(NotOfficial(other), HasSubstr("dg_p3d_miniature, a miniature's"));
  other = official;
  other.mutable_settings()->mutable_dataset()->mutable_evaluation()->set_list("train.csv");
  EXPECT_THAT(NotOfficial(other), HasSubstr("its test list is train.csv"));
  // A user's own data, and names that lead elsewhere, have no official list.
  other.mutable_settings()->set_benchmark("../../mine");
  EXPECT_EQ(NotOfficial(other), "");
}

TEST(RecordCheckTest, TablesAndVerdictsCallItEdited) {
  const PublishedFigures figures = *LoadPublishedFigures();
  NamedRecord named = {"run-7", OfficialRecord(0.8)};
  EXPECT_EQ(MakeTables({named}, figures)[0].rows[0].verdict, "reproduced");
  named.check.not_official = "its test list has 1000 videos, the official one 19906";
  ResultTable table = MakeTables({named}, figures)[0];
  EXPECT_EQ(table.rows[0].verdict, "none: not official");
  EXPECT_FALSE(table.rows[0].difference.has_value());
  EXPECT_THAT(table.warnings, ElementsAre(HasSubstr("run-7 is not compared with published figures: "
                                                    "its test list has 1000")));
  named.check.faults = {"top1 is odd"};
  table = MakeTables({named}, figures)[0];
  EXPECT_EQ(table.rows[0].verdict, "none: edited");
  EXPECT_FALSE(table.rows[0].difference.has_value());
  for (const TableFormat format : {TableFormat::kText, TableFormat::kMarkdown, TableFormat::kCsv}) {
    EXPECT_THAT(RenderTables({table}, format), HasSubstr("run-7 (edited)"));
  }
  EXPECT_THAT(RenderTables({table}, TableFormat::kText),
              HasSubstr("run-7 was edited by hand or damaged and gets no verdict: top1 is odd."));
  EXPECT_THAT(RenderTables({table}, TableFormat::kJson), HasSubstr("\"edited\":true"));

  // It is in no mean over seeds.
  std::vector<NamedRecord> seeds;
  for (const uint64_t seed : {1, 2, 3}) {
    seeds.push_back({absl::StrCat("seed-", seed), MakeRolesFixtureRecord()});
    seeds.back().record.mutable_settings()->set_seed(seed);
  }
  seeds[2].check.faults = {"top1 is odd"};
  EXPECT_THAT(RenderTables(MakeTables(seeds, figures), TableFormat::kText),
              AllOf(HasSubstr("mean of 2 seeds"), Not(HasSubstr("mean of 3 seeds"))));
  ASSERT_OK_AND_ASSIGN(const Verdict verdict, ComputeVerdict(seeds));
  EXPECT_EQ(verdict.runs, 2);
  EXPECT_THAT(verdict.left_out, ElementsAre("seed-3: edited by hand or damaged: top1 is odd"));
  EXPECT_THAT(ComputeVerdict({seeds[2]}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("edited by hand")));
  EXPECT_THAT(RefuseEdited(seeds), StatusIs(absl::StatusCode::kAborted, HasSubstr("seed-3")));
  EXPECT_THAT(RefuseEdited({seeds[0]}), IsOk());
}

TEST(RecordCheckTest, RecordedRunsAreWhole) {
  ASSERT_OK_AND_ASSIGN(const std::string folder, RunfilePath("results/recorded"));
  ASSERT_OK_AND_ASSIGN(const RecordFolder found, ReadRecordFolder(folder));
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_THAT(DescribeEdits(found.records), IsEmpty());
}

}  // namespace
}  // namespace op3d::results
