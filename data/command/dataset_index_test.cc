#include "data/command/dataset_index.h"

#include <nlohmann/json.hpp>

#include "data/command/dataset_check.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// A copy whose test list has five videos: one missing, one broken, one short, two good ones.  There
// is no training list.
class DatasetIndexTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(ParseTextproto("name: 'gestures' classes: 2 format: PATH_LABEL "
                               "train { list: 'train.txt' media: '.' } "
                               "evaluation { list: 'test.txt' media: '.' } "
                               "official_train: 100 official_evaluation: 6",
                               "dataset", &dataset_),
                IsOk());
    options_.root = TestFolder("gestures");
    options_.threads = 2;
    ASSERT_THAT(WriteFileAtomically(options_.root + "/test.txt",
                                    "a 1.mp4 0\nbroken.mp4 1\nnowhere.mp4 1\nshort.mp4 0\n"
                                    "b.mp4 0\n"),
                IsOk());
    WriteTestClip(options_.root, "a 1.mp4", TestClipOptions(), 40);
    WriteTestClip(options_.root, "b.mp4", TestClipOptions(), 20);
    WriteTestClip(options_.root, "short.mp4", TestClipOptions(), 9);
    ASSERT_THAT(WriteFileAtomically(options_.root + "/broken.mp4", "no video"), IsOk());
  }

  DatasetSettings dataset_;
  DatasetIndexOptions options_;
};

TEST_F(DatasetIndexTest, SaysWhatIsThereAndWhatIsNot) {
  ASSERT_OK_AND_ASSIGN(const DatasetIndexReport report, IndexDataset(dataset_, options_));
  EXPECT_TRUE(FileExists(report.index));
  ASSERT_EQ(report.splits.size(), 2);
  EXPECT_THAT(report.splits[0].status, StatusIs(absl::StatusCode::kNotFound, HasSubstr("")));
  const SplitReport& test = report.splits[1];
  EXPECT_EQ(test.list.videos.size(), 3);
  EXPECT_EQ(test.frames, 69);
  EXPECT_EQ(test.classes_used, 1);
  ASSERT_EQ(test.short_videos.size(), 1);
  EXPECT_EQ(test.short_videos[0].frames, 9);
  EXPECT_THAT(DatasetReportText(report),
              AllOf(HasSubstr("train: not usable"), HasSubstr("train.txt"),
                    HasSubstr("3 of 5 listed videos can be used (the official list has 6)"),
                    HasSubstr("69 frames; 1 of 2 classes"),
                    HasSubstr("1 missing, 1 broken, 1 short"), HasSubstr("missing: nowhere.mp4"),
                    HasSubstr("short: short.mp4: 9 frames"), HasSubstr("broken: broken.mp4: ")));
  EXPECT_THAT(UsableLists(report),
              StatusIs(absl::StatusCode::kAborted,
                       AllOf(HasSubstr("'train' cannot be used"), Not(HasSubstr("'evaluation'")))));
  dataset_.mutable_train()->set_list("");  // of a dataset that is only tested on
  ASSERT_OK_AND_ASSIGN(const DatasetIndexReport without, IndexDataset(dataset_, options_));
  EXPECT_THAT(UsableLists(without), IsOk());
}

TEST_F(DatasetIndexTest, SaysWhatOneFileInTwoPlacesMeans) {
  ASSERT_THAT(
      WriteFileAtomically(options_.root + "/train.txt", "b.mp4 0\nshort.mp4 0\n./b.mp4 0\n"),
      IsOk());
  ASSERT_OK_AND_ASSIGN(const DatasetIndexReport report, IndexDataset(dataset_, options_));
  EXPECT_THAT(UsableLists(report), IsOk());
  EXPECT_THAT(DatasetReportText(report),
              AllOf(HasSubstr("note: "), HasSubstr("train.txt: 1 row names a video"),
                    HasSubstr("note: 2 of 3 videos of the evaluation list are in the training list "
                              "too (first: short.mp4)")));
  const auto json = nlohmann::json::parse(
      DatasetReportJson(report).substr(DatasetReportJson(report).find('\n') + 1));
  EXPECT_EQ(json["notes"].size(), 1);
  ASSERT_THAT(WriteFileAtomically(options_.root + "/train.txt", "b.mp4 0\nb.mp4 1\n"), IsOk());
  ASSERT_OK_AND_ASSIGN(const DatasetIndexReport refused, IndexDataset(dataset_, options_));
  EXPECT_THAT(UsableLists(refused), StatusIs(absl::StatusCode::kAborted, HasSubstr("train.txt:2")));
}

TEST_F(DatasetIndexTest, RowsWithoutAnAnnotationAreNamed) {
  dataset_.set_format(DatasetSettings::ACTIVITYNET_JSON);
  dataset_.mutable_evaluation()->set_part("validation");
  ASSERT_THAT(WriteFileAtomically(options_.root + "/test.txt",
                                  R"({"database": {
 "b": {"subset": "validation", "annotations": [{"label": "x", "segment": [0, 1]}]},
 "short": {"subset": "validation", "annotations": [{"label": "y", "segment": [0, 1]}]},
 "none": {"subset": "validation", "annotations": []},
 "t": {"subset": "testing", "annotations": []}}})"),
              IsOk());
  ASSERT_OK_AND_ASSIGN(const DatasetIndexReport report, IndexDataset(dataset_, options_));
  EXPECT_THAT(DatasetReportText(report),
              AllOf(HasSubstr("2 of 3 listed videos can be used"),
                    HasSubstr("0 missing, 0 broken, 1 short, 1 without a label"),
                    HasSubstr("  without a label: none\n"), HasSubstr("none in line 4")));
  EXPECT_THAT(DatasetReportJson(report), HasSubstr("\"unlabelled\":[{\"name\":\"none\""));
}

TEST_F(DatasetIndexTest, JsonHasALineAList) {
  ASSERT_OK_AND_ASSIGN(const DatasetIndexReport report, IndexDataset(dataset_, options_));
  const std::string text = DatasetReportJson(report);
  const size_t line = text.find('\n');
  const auto train = nlohmann::json::parse(text.substr(0, line));
  const auto test = nlohmann::json::parse(text.substr(line + 1));
  EXPECT_EQ(train["list"], "train");
  EXPECT_THAT(train["error"].get<std::string>(), HasSubstr("train.txt"));
  EXPECT_EQ(test["usable"], 3);
  EXPECT_EQ(test["official"], 6);
  EXPECT_EQ(test["missing"][0]["name"], "nowhere.mp4");
  EXPECT_THAT(test["broken"][0]["path"].get<std::string>(), EndsWith("/broken.mp4"));
  EXPECT_EQ(test["short"][0]["frames"], 9);
}

TEST_F(DatasetIndexTest, NothingAtAllIsAnError) {
  options_.root = TestFolder("empty");
  EXPECT_THAT(IndexDataset(dataset_, options_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("train.txt")));
}

TEST_F(DatasetIndexTest, CheckFindsAFileThatChangedBehindTheIndex) {
  ASSERT_OK_AND_ASSIGN(const DatasetIndexReport report, IndexDataset(dataset_, options_));
  std::vector<Video> videos = report.splits[1].list.videos;
  ASSERT_OK_AND_ASSIGN(const CheckReport whole, CheckVideos(videos, 2));
  EXPECT_EQ(whole.videos, 3);
  EXPECT_EQ(whole.frames, 69);
  EXPECT_TRUE(whole.damaged.empty());

  WriteTestClip(options_.root, "b.mp4", TestClipOptions(), 19);
  ASSERT_THAT(WriteFileAtomically(options_.root + "/a 1.mp4", "gone bad"), IsOk());
  ASSERT_OK_AND_ASSIGN(const CheckReport check, CheckVideos(videos, 2));
  ASSERT_EQ(check.damaged.size(), 2);
  EXPECT_EQ(check.damaged[0].name, "a 1.mp4");
  EXPECT_THAT(check.damaged[1].reason, HasSubstr("has 19 frames, not the 20 of the index"));
  const auto json = nlohmann::json::parse(CheckReportJson(check));
  EXPECT_EQ(json["frames"], 28);
  EXPECT_EQ(json["damaged"].size(), 2);
  EXPECT_THAT(CheckReportText(check), HasSubstr("3 videos read, 28 frames decode, 2 videos"));
}

}  // namespace
}  // namespace op3d::data
