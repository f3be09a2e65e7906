// Tests the main program on every dataset's tiny miniature: its lists, layout and codec are read,
// searched, trained, tested and recorded.  One shard per dataset.

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "benchmarks/testing/benchmark_call.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/testing/status_matchers.h"
#include "results/record/record.h"

namespace op3d::benchmarks {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;

struct Expected {
  const char* name;
  // Numbers of videos in the lists; of those in the training list that are held out.
  int train, evaluation, held_out;
  // In the order of their labels.
  std::vector<std::string> classes;
  bool splits;
};

class MiniaturesTest : public testing::TestWithParam<Expected> {
 protected:
  std::vector<std::string> Flags(const std::string& folder) const {
    return {"--threads=1",
            absl::StrCat("--benchmark=", GetParam().name),
            absl::StrCat("--dataset_root=",
                         *RunfilePath(absl::StrCat("data/synthetic/", GetParam().name, "_tiny"))),
            absl::StrCat("--settings=", *RunfilePath("benchmarks/tests/testdata/tiny_search.textproto")),
            absl::StrCat("--output_dir=", folder),
            absl::StrCat("--index=", JoinPath(TestFolder("index"), "index"))};
  }
};

const DatasetReport::List& List(const RunRecord& record, const std::string& name) {
  static const DatasetReport::List none;
  for (const DatasetReport::List& list : record.dataset().lists()) {
    if (list.name() == name) return list;
  }
  return none;
}

void ExpectWhole(const DatasetReport::List& list, int videos) {
  EXPECT_EQ(list.listed(), videos);
  EXPECT_EQ(list.used(), videos);
  EXPECT_EQ(list.missing() + list.broken(), 0);
}

TEST_P(MiniaturesTest, RunsFromListsToRecord) {
  const Expected& expected = GetParam();
  const std::string folder = JoinPath(TestFolder("run"), "run");
  const Ended ended = CallBenchmark(Flags(folder));
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  ASSERT_OK_AND_ASSIGN(const RunRecord record, results::ReadRecord(folder));
  EXPECT_EQ(record.settings().scale(), BenchmarkSettings::MINIATURE);
  EXPECT_EQ(record.settings().benchmark(), expected.name);
  ExpectWhole(List(record, "train"), expected.train);
  ExpectWhole(List(record, "evaluation"), expected.evaluation);
  ExpectWhole(List(record, "search: held out"), expected.held_out);
  ExpectWhole(List(record, "search: trained on"), expected.train - expected.held_out);
  EXPECT_THAT(record.dataset().classes(), ElementsAreArray(expected.classes));
  EXPECT_EQ(record.searches_size(), 2);
  ASSERT_EQ(record.recipes_size(), 2);
  const TestResult& test = record.recipes(1).test();
  EXPECT_EQ(test.videos(), expected.evaluation);
  EXPECT_EQ(test.clips(), 2);
  EXPECT_EQ(test.crops(), 3);
  EXPECT_GT(test.groups_size(), 1);
  EXPECT_GT(record.time().decode(), 0);
  // All classes have the same number of videos; labels are in the list's order.
  ASSERT_EQ(test.classes_size(), expected.classes.size());
  for (const TestResult::ClassResult& row : test.classes()) {
    EXPECT_EQ(row.videos() * test.classes_size(), expected.evaluation) << row.name();
  }
  ASSERT_OK_AND_ASSIGN(const Safetensors scores,
                       Safetensors::Read(JoinPath(folder, "scores.safetensors")));
  const TensorView* views = scores.Find("planned.scores");
  ASSERT_NE(views, nullptr);
  EXPECT_THAT(views->shape, testing::ElementsAre(expected.evaluation, 6, expected.classes.size()));
}

TEST_P(MiniaturesTest, DryRunSaysWhatItWouldTrain) {
  const std::string folder = JoinPath(TestFolder("dry"), "run");
  std::vector<std::string> flags = Flags(folder);
  flags.push_back("--dry_run");
  Ended ended = CallBenchmark(flags);
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  EXPECT_THAT(ended.text, HasSubstr(absl::StrCat("train: ", GetParam().train, " videos used of ",
                                                 GetParam().train, " listed")));
  EXPECT_THAT(ended.text, HasSubstr("S10-S13"));
  EXPECT_FALSE(FolderExists(folder));
  // Another split has the same number of videos; a dataset without splits reports an error.
  flags.push_back("--split=3");
  ended = CallBenchmark(flags);
  EXPECT_EQ(ended.exit_code, GetParam().splits ? 0 : 2) << ended.text;
  EXPECT_THAT(
      ended.text,
      HasSubstr(GetParam().splits ? absl::StrCat("evaluation: ", GetParam().evaluation, " videos")
                                  : "only one split"));
  flags.back() = "--split=all";
  ended = CallBenchmark(flags);
  EXPECT_EQ(ended.exit_code, GetParam().splits ? 0 : 2) << ended.text;
  EXPECT_THAT(ended.text, HasSubstr(GetParam().splits ? "run 3 of 3: split3" : "only one split"));
  flags.back() = "--split=first";
  EXPECT_EQ(CallBenchmark(flags).exit_code, 2);
}

const std::vector<std::string>& Ucf101Classes() {
  static const auto* classes = new std::vector<std::string>{"Bars", "Checker", "Checks", "Cross",
                                                            "Down", "Fast",    "Ring",   "Up"};
  return *classes;
}

INSTANTIATE_TEST_SUITE_P(
    All, MiniaturesTest,
    testing::Values(
        Expected{"activitynet",
                 16,
                 8,
                 8,
                 {"Bars", "Checker", "Down", "Down then up", "Fast", "Ring", "Up", "Up then down"},
                 false},
        Expected{"hmdb51",
                 16,
                 8,
                 8,
                 {"checker", "down", "down_then_up", "fast", "ring", "slow", "up", "up_then_down"},
                 true},
        Expected{"kinetics400",
                 18,
                 9,
                 9,
                 {"bars", "checks", "down", "down then up", "fast", "ring", "slow", "up",
                  "up then down"},
                 false},
        Expected{"kinetics600",
                 24,
                 12,
                 12,
                 {"bars", "checker", "checks", "down", "down then up", "fast", "fast then slow",
                  "ring", "slow", "slow then fast", "up", "up then down"},
                 false},
        Expected{
            "something_something_v1",
            16,
            8,
            8,
            {"Moving something right then left", "Moving something up", "Moving something right",
             "Moving something down then up", "Moving something left", "Moving something down",
             "Moving something up then down", "Moving something left then right"},
            false},
        Expected{"something_something_v2",
                 20,
                 10,
                 10,
                 {"Moving something down", "Moving something down then up", "Moving something left",
                  "Moving something left then right", "Moving something right",
                  "Moving something right then left", "Moving something up",
                  "Moving something up then down", "Something growing", "Something shrinking"},
                 false},
        Expected{"ucf101", 16, 8, 8, Ucf101Classes(), true}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace op3d::benchmarks
