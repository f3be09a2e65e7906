// Tests //benchmarks:own from a user's own lists to the record, and with data that cannot be used.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/testing/benchmark_call.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "results/record/record.h"

namespace op3d::benchmarks {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Runs with one thread; `text` gets what it printed.
int RunOwn(std::vector<std::string> flags, std::string* text) {
  flags.insert(flags.begin(), {"--benchmark=own", "--threads=1"});
  const Ended ended = CallBenchmark(flags);
  *text = ended.text;
  return ended.exit_code;
}

// Lists of paths over the videos of UCF101's tiny miniature: three videos per class, of two people
// in the training list, each of whom shows all classes.
class OwnTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = TestFolder("root");
    const char* const classes[] = {"Bars", "Checker", "Checks", "Cross",
                                   "Down", "Fast",    "Ring",   "Up"};
    std::string train, test, people;
    for (int label = 0; label < 8; ++label) {
      for (int k = 1; k <= 3; ++k) {
        const std::string path =
            absl::StrCat(classes[label], "/v_", classes[label], "_g0", k, "_c01.avi");
        absl::StrAppend(k == 1 ? &test : &train, path, " ", label, "\n");
        absl::StrAppend(&people, path, " person", k, "\n");
      }
    }
    Write("train.txt", train);
    Write("test.txt", test);
    Write("people.txt", people);
    Write("moves.textproto", Dataset("video_groups: 'people.txt'"));
  }

  void Write(const std::string& name, const std::string& text) {
    ASSERT_THAT(WriteFileAtomically(root_ + "/" + name, text), IsOk());
  }

  std::string Dataset(const std::string& more) const {
    const std::string media =
        absl::StrCat("media: '", *RunfilePath("data/synthetic/ucf101_tiny"), "/UCF-101' }\n");
    return absl::StrCat("name: 'my moves'\nformat: PATH_LABEL\ntrain { list: 'train.txt' ", media,
                        "evaluation { list: 'test.txt' ", media, more, "\n");
  }

  std::vector<std::string> Flags() const {
    return {absl::StrCat("--dataset=", root_, "/moves.textproto"),
            absl::StrCat("--dataset_root=", root_), absl::StrCat("--output_dir=", root_, "/run"),
            absl::StrCat("--index=", root_, "/index")};
  }

  // Expects exit code 2 before anything is trained; returns the output.
  std::string Refused(const std::vector<std::string>& flags) {
    std::string text;
    EXPECT_EQ(RunOwn(flags, &text), 2) << text;
    EXPECT_FALSE(FolderExists(root_ + "/run"));
    return text;
  }

  std::string root_;
};

TEST_F(OwnTest, RunsFromListsToRecord) {
  std::vector<std::string> flags = Flags();
  flags.push_back(
      absl::StrCat("--settings=", *RunfilePath("benchmarks/tests/testdata/tiny_search.textproto")));
  std::string text;
  ASSERT_EQ(RunOwn(flags, &text), 0) << text;
  EXPECT_THAT(text, AllOf(HasSubstr("my_moves, own data"), Not(HasSubstr("Synthetic"))));
  ASSERT_OK_AND_ASSIGN(const RunRecord record, results::ReadRecord(root_ + "/run"));
  const BenchmarkSettings& settings = record.settings();
  EXPECT_EQ(settings.scale(), BenchmarkSettings::OWN);
  EXPECT_EQ(settings.benchmark(), "my_moves");
  EXPECT_EQ(settings.dataset().classes(), 8);
  EXPECT_EQ(settings.transform().train_crop(), 32);  // of pictures of 64x48
  EXPECT_FALSE(settings.transform().horizontal_flip());
  // The value of the file, not the one derived from the data.
  EXPECT_EQ(settings.loader().frame_cache_mib(), 64);
  for (const BenchmarkSettings::Derived& line : settings.derived()) {
    EXPECT_NE(line.reason(), "") << line.field();
    if (line.field() == "search.pools") {
      EXPECT_EQ(line.value(), "as given");
    }
  }
  EXPECT_GT(settings.derived_size(), 8);
  ASSERT_EQ(record.recipes_size(), 2);
  EXPECT_EQ(record.recipes(0).test().videos(), 8);
  // One person's videos measure the search, the other's train it.
  ASSERT_OK_AND_ASSIGN(const std::string held, ReadFile(root_ + "/run/search_held_out.tsv"));
  EXPECT_THAT(held, testing::AnyOf(Not(HasSubstr("_g02_")), Not(HasSubstr("_g03_"))));
  EXPECT_THAT(held, AllOf(HasSubstr("v_Bars_"), HasSubstr("v_Up_")));
  for (const std::string& note : record.notes()) EXPECT_THAT(note, Not(HasSubstr("Miniature")));
  // The same command resumes the run.
  ASSERT_EQ(RunOwn(flags, &text), 0) << text;
  EXPECT_THAT(text, HasSubstr("holds a finished run"));
}

TEST_F(OwnTest, TheDryRunSaysWhatWasChosenAndWhy) {
  std::vector<std::string> flags = Flags();
  flags.push_back("--dry_run");
  flags.push_back("--set=transform.horizontal_flip=true");
  std::string text;
  ASSERT_EQ(RunOwn(flags, &text), 0) << text;
  EXPECT_THAT(text, HasSubstr("transform.train_crop: 32  (pictures are 64x48"));
  EXPECT_THAT(text, HasSubstr("transform.horizontal_flip: true  (the command line"));
  EXPECT_THAT(text, HasSubstr("whole groups of 2"));
  EXPECT_THAT(text, HasSubstr("rounds over a wide graph of 6 clips at 2 rates"));
  EXPECT_FALSE(FolderExists(root_ + "/run"));
  // The run need not scan again.
  EXPECT_TRUE(FileExists(root_ + "/index"));
  EXPECT_THAT(text, HasSubstr("index: " + root_ + "/index (kept"));
}

TEST_F(OwnTest, WrongFlagsAreSentences) {
  const std::string dataset = "--dataset=" + root_ + "/moves.textproto";
  EXPECT_THAT(Refused({"--dataset_root=" + root_}), HasSubstr("--dataset=FILE is missing"));
  EXPECT_THAT(Refused({dataset}), HasSubstr("--dataset_root=DIR is missing"));
  EXPECT_THAT(Refused({"--dataset=" + root_ + "/none.textproto", "--dataset_root=" + root_}),
              HasSubstr("none.textproto"));
  EXPECT_THAT(Refused({"--dataset=" + root_ + "/train.txt", "--dataset_root=" + root_}),
              HasSubstr("--dataset takes a DatasetSettings"));
  Write("empty.textproto", "");
  EXPECT_THAT(Refused({"--dataset=" + root_ + "/empty.textproto", "--dataset_root=" + root_}),
              HasSubstr("train.list and evaluation.list must be set"));
  EXPECT_THAT(Refused({"--benchmark=ucf101", dataset}), HasSubstr("a flag of //benchmarks:own"));
}

TEST_F(OwnTest, DataThatCannotBeTrainedOnAreSentences) {
  Write("test.txt", "Bars/v_Bars_g01_c01.avi\n");
  EXPECT_THAT(Refused(Flags()), HasSubstr("test.txt has no labels"));
  Write("test.txt", "Bars/v_Bars_g01_c01.avi 0\n");

  Write("train.txt", "Bars/v_Bars_g02_c01.avi 0\nBars/v_Bars_g03_c01.avi 0\n");
  EXPECT_THAT(Refused(Flags()), HasSubstr("are of one class"));

  // Each class was shown by one person.
  Write("train.txt", "Bars/v_Bars_g02_c01.avi 0\nUp/v_Up_g02_c01.avi 1\n");
  EXPECT_THAT(Refused(Flags()), HasSubstr("can be held out"));

  Write("moves.textproto", Dataset(""));
  Write("train.txt",
        "Bars/v_Bars_g02_c01.avi 0\nBars/v_Bars_g03_c01.avi 0\n"
        "Up/v_Up_g02_c01.avi 1\nUp/v_Up_g03_c01.avi 1\n");
  EXPECT_THAT(Refused(Flags()), HasSubstr("fewer than the smallest batch, 4"));

  Write("train.txt", "Bars/v_Bars_g02_c01.avi 0\nUp/v_Up_g09_c01.avi 1\n");
  EXPECT_THAT(Refused(Flags()), HasSubstr("Up/v_Up_g09_c01.avi: no such file"));
}

}  // namespace
}  // namespace op3d::benchmarks
