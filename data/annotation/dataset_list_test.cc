#include "data/annotation/dataset_list.h"

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// A dataset of lists of UCF101, with two splits.
class DatasetListTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = TestFolder("root");
    ASSERT_THAT(MakeFolders(root_ + "/videos"), IsOk());
    Write("train1.txt", "Checks/v_Checks_g01_c01.avi 2\r\nBars/v_Bars_g02_c01.avi 1\r\n");
    Write("train2.txt", "Bars/v_Bars_g01_c01.avi 1\n");
    Write("classes.txt", "1 Bars\n2 Checks\n");
    dataset_.set_name("tiny");
    dataset_.set_classes(2);
    dataset_.set_format(DatasetSettings::UCF101_LIST);
    dataset_.set_label_map("classes.txt");
    dataset_.mutable_train()->set_list("train{split}.txt");
    dataset_.mutable_train()->set_media("videos");
  }

  void Write(const std::string& name, const std::string& text) {
    ASSERT_THAT(WriteFileAtomically(root_ + "/" + name, text), IsOk());
  }

  absl::StatusOr<DatasetList> Read() { return ReadDatasetList(dataset_, dataset_.train(), root_); }

  std::string root_;
  DatasetSettings dataset_;
};

TEST_F(DatasetListTest, LabelsAreTheMapsNumbers) {
  ASSERT_OK_AND_ASSIGN(const DatasetList list, Read());
  EXPECT_THAT(list.classes, ElementsAre("Bars", "Checks"));
  ASSERT_EQ(list.videos.size(), 2);
  EXPECT_EQ(list.videos[0].name, "v_Checks_g01_c01");
  EXPECT_EQ(list.videos[0].label, 1);
  EXPECT_EQ(list.videos[0].group, "Checks_g01");
  EXPECT_EQ(list.videos[1].label, 0);
  EXPECT_EQ(list.list_path, root_ + "/train1.txt");
  EXPECT_EQ(list.media_path, root_ + "/videos");
}

TEST_F(DatasetListTest, SplitChoosesTheList) {
  dataset_.set_split(2);
  ASSERT_OK_AND_ASSIGN(const DatasetList list, Read());
  EXPECT_EQ(list.videos.size(), 1);
  dataset_.set_split(3);
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("train3.txt")));
}

TEST_F(DatasetListTest, AFileOfGroupsReplacesTheListsOwn) {
  Write("people.txt", "v_Checks_g01_c01 ann\nBars/v_Bars_g02_c01.avi 1 ann\n");
  dataset_.set_video_groups("people.txt");
  ASSERT_OK_AND_ASSIGN(const DatasetList list, Read());
  EXPECT_EQ(list.videos[0].group, "ann");
  EXPECT_EQ(list.videos[1].group, "ann");
  Write("people.txt", "v_Checks_g01_c01 ann\n");
  EXPECT_THAT(Read(), StatusIs(kInvalid, AllOf(HasSubstr("train1.txt:2"),
                                               HasSubstr("v_Bars_g02_c01 has no group"))));
  dataset_.set_video_groups("nobody.txt");
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("nobody.txt")));
}

TEST_F(DatasetListTest, OtherNamesAreTriedInTurn) {
  ASSERT_THAT(MakeFolders(root_ + "/UCF-101"), IsOk());
  dataset_.mutable_train()->set_list("lists/trainlist0{split}.txt");
  dataset_.mutable_train()->add_other_lists("train{split}.csv");
  dataset_.mutable_train()->set_media("avi");
  dataset_.mutable_train()->add_other_media("UCF-101");
  dataset_.set_label_map("classInd.txt");
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kNotFound,
                               AllOf(HasSubstr("/lists/trainlist01.txt (or train1.csv)"),
                                     HasSubstr("that folder has classes.txt, train1.txt"))));
  dataset_.mutable_train()->add_other_lists("train{split}.txt");
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kNotFound,
                               AllOf(HasSubstr("no label map"), HasSubstr("classInd.txt"))));
  dataset_.add_other_label_maps("classes.txt");
  ASSERT_OK_AND_ASSIGN(const DatasetList list, Read());
  EXPECT_EQ(list.media_path, root_ + "/UCF-101");
  EXPECT_EQ(list.videos.size(), 2);
}

TEST_F(DatasetListTest, SplitsAreCountedByTheirLists) {
  EXPECT_THAT(CountSplits(dataset_, root_), StatusIs(kInvalid, HasSubstr("only one split")));
  *dataset_.mutable_evaluation() = dataset_.train();
  ASSERT_OK_AND_ASSIGN(const int two, CountSplits(dataset_, root_));
  EXPECT_EQ(two, 2);
  // If a copy lacks the lists of an official split, there is no mean over fewer splits.
  for (int split = 0; split < 3; ++split) dataset_.add_official_evaluation(2);
  EXPECT_THAT(CountSplits(dataset_, root_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("train3.txt")));
}

TEST_F(DatasetListTest, RefusesLabelsThatTheMapLacks) {
  Write("classes.txt", "1 Bars\n2 Ring\n");
  EXPECT_THAT(Read(), StatusIs(kInvalid, AllOf(HasSubstr("train1.txt:1: v_Checks_g01_c01"),
                                               HasSubstr("the class 'Checks'"))));
  Write("classes.txt", "1 Checks\n2 Bars\n");
  EXPECT_THAT(Read(), StatusIs(kInvalid, AllOf(HasSubstr("train1.txt:1: "),
                                               HasSubstr("number of 'Bars', but its class is "
                                                         "'Checks'"))));
  Write("classes.txt", "1 Bars\n2 Checks\n");
  Write("train1.txt", "Bars/v_Bars_g02_c01.avi 1\nBars/v_Bars_g02_c02.avi 3\n");
  EXPECT_THAT(Read(),
              StatusIs(kInvalid, AllOf(HasSubstr("train1.txt:2: "), HasSubstr("labels below 2"))));
}

TEST_F(DatasetListTest, AListOfPathsHasNumbersForClasses) {
  dataset_.set_format(DatasetSettings::PATH_LABEL);
  dataset_.set_label_map("");
  Write("train1.txt", "a b/c.mp4 1\n");
  ASSERT_OK_AND_ASSIGN(DatasetList list, Read());
  EXPECT_THAT(list.classes, ElementsAre("0", "1"));
  EXPECT_EQ(list.videos[0].label, 1);
  EXPECT_EQ(list.videos[0].path, "a b/c.mp4");
  dataset_.set_label_map("classes.txt");
  ASSERT_OK_AND_ASSIGN(list, Read());
  EXPECT_THAT(list.classes, ElementsAre("Bars", "Checks"));
  Write("train1.txt", "a.mp4 0\nb.mp4 2\n");
  EXPECT_THAT(Read(), StatusIs(kInvalid, HasSubstr("train1.txt:2: b.mp4 has the label 2")));
  // Without a number of classes the list's own labels are used, within the memory limit.
  dataset_.set_classes(0);
  dataset_.set_label_map("");
  ASSERT_OK_AND_ASSIGN(list, Read());
  EXPECT_EQ(list.classes.size(), 3);
  Write("train1.txt", "a.mp4 2147483647\n");
  EXPECT_THAT(Read(), StatusIs(kInvalid, HasSubstr("has the label 2147483647")));
}

TEST_F(DatasetListTest, ASubsetHasTheClassesOfBothLists) {
  dataset_.set_classes(400);
  dataset_.set_format(DatasetSettings::KINETICS_CSV);
  dataset_.set_label_map("");
  const std::string header = "label,youtube_id,time_start,time_end,split\n";
  Write("train1.txt", header + "abseiling,aaa,0,10,train\nzumba,bbb,0,10,train\n");
  Write("val.txt", header + "zumba,ccc,0,10,val\nair drumming,ddd,0,10,val\n");
  dataset_.mutable_evaluation()->set_list("validation.txt");
  dataset_.mutable_evaluation()->add_other_lists("val.txt");
  dataset_.mutable_evaluation()->set_media("videos");
  for (const DatasetSettings::Split& split : {dataset_.train(), dataset_.evaluation()}) {
    ASSERT_OK_AND_ASSIGN(const DatasetList list, ReadDatasetList(dataset_, split, root_));
    EXPECT_THAT(list.classes, ElementsAre("abseiling", "air drumming", "zumba"));
    EXPECT_THAT(list.notes, ElementsAre(HasSubstr("has 3 classes, but tiny has 400")));
  }
  // The classes come from the list that exists.
  dataset_.mutable_evaluation()->clear_other_lists();
  ASSERT_OK_AND_ASSIGN(DatasetList list, Read());
  EXPECT_THAT(list.classes, ElementsAre("abseiling", "zumba"));
  // If the number of classes is the dataset's, the second list is not needed.
  dataset_.set_classes(2);
  dataset_.mutable_evaluation()->add_other_lists("val.txt");
  ASSERT_OK_AND_ASSIGN(list, Read());
  EXPECT_THAT(list.classes, ElementsAre("abseiling", "zumba"));
  EXPECT_TRUE(list.notes.empty());
}

TEST_F(DatasetListTest, ASubsetsLabelMapCounts) {
  dataset_.set_classes(101);
  ASSERT_OK_AND_ASSIGN(DatasetList list, Read());
  EXPECT_THAT(list.classes, ElementsAre("Bars", "Checks"));
  EXPECT_THAT(list.notes, ElementsAre(HasSubstr("classes.txt has 2 classes, but tiny has 101")));
  // Numbers alone only give a lower bound for the number of classes.
  dataset_.set_format(DatasetSettings::PATH_LABEL);
  dataset_.set_label_map("");
  dataset_.set_classes(2);
  Write("train1.txt", "a.mp4 0\nb.mp4 2\n");
  EXPECT_THAT(Read(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr("has 3 classes, but tiny has 2"),
                                     HasSubstr("label is too large"))));
}

TEST_F(DatasetListTest, APathHasOneLabel) {
  dataset_.set_format(DatasetSettings::PATH_LABEL);
  dataset_.set_label_map("");
  Write("train1.txt", "a/b.mp4 1\nc.mp4 0\n./a//b.mp4 1\n");
  ASSERT_OK_AND_ASSIGN(const DatasetList list, Read());
  EXPECT_EQ(list.videos.size(), 3);
  Write("train1.txt", "a/b.mp4 1\nc.mp4 0\n./a//b.mp4 0\n");
  EXPECT_THAT(Read(),
              StatusIs(kInvalid, AllOf(HasSubstr("train1.txt:3: ./a//b.mp4 has the label 0"),
                                       HasSubstr("in line 1 the label 1"))));
}

TEST_F(DatasetListTest, PartsOfAList) {
  dataset_.set_format(DatasetSettings::ACTIVITYNET_JSON);
  dataset_.set_label_map("");
  Write("train1.txt", R"({"database": {
      "a": {"subset": "validation", "annotations": [{"label": "Surfing", "segment": [0, 1]}]},
      "b": {"subset": "training", "annotations": [{"label": "Ballet", "segment": [0, 1]}]},
      "c": {"subset": "testing", "annotations": []}}})");
  dataset_.mutable_train()->set_part("validation");
  ASSERT_OK_AND_ASSIGN(DatasetList list, Read());
  EXPECT_THAT(list.classes, ElementsAre("Ballet", "Surfing"));  // of all parts
  ASSERT_EQ(list.videos.size(), 1);
  EXPECT_EQ(list.videos[0].label, 1);
  dataset_.mutable_train()->set_part("testing");
  ASSERT_OK_AND_ASSIGN(list, Read());
  EXPECT_EQ(list.videos[0].label, -1);
  EXPECT_TRUE(list.unlabelled.empty());
  // Of all parts, the rows with an annotation.
  dataset_.mutable_train()->set_part("");
  ASSERT_OK_AND_ASSIGN(list, Read());
  EXPECT_EQ(list.videos.size(), 2);
  ASSERT_EQ(list.unlabelled.size(), 1);
  EXPECT_EQ(list.unlabelled[0].name, "c");
  EXPECT_EQ(list.Place(list.unlabelled[0]), root_ + "/train1.txt:4");
  dataset_.mutable_train()->set_part("val");
  EXPECT_THAT(Read(), StatusIs(kInvalid, AllOf(HasSubstr("none of its 3 rows"), HasSubstr("'val'"),
                                               HasSubstr("'testing', 'training', 'validation'"))));
}

TEST_F(DatasetListTest, FlowHasItsOwnFolder) {
  dataset_.set_stream(DatasetSettings::FLOW);
  ASSERT_OK_AND_ASSIGN(DatasetList list, Read());
  EXPECT_EQ(list.media_path, root_ + "/videos");  // beside the pictures
  dataset_.mutable_train()->set_flow("flow");
  EXPECT_THAT(Read(),
              StatusIs(absl::StatusCode::kNotFound, AllOf(HasSubstr("/flow with the flow of"),
                                                          HasSubstr("dataset.train.flow or"))));
  ASSERT_THAT(MakeFolders(root_ + "/flow"), IsOk());
  ASSERT_OK_AND_ASSIGN(list, Read());
  EXPECT_EQ(list.media_path, root_ + "/flow");
}

TEST_F(DatasetListTest, WrongListsAreCalledByTheirNames) {
  const std::pair<DatasetSettings::Format, const char*> expected[] = {
      {DatasetSettings::KINETICS_CSV, "looks like a list of UCF101"},
      {DatasetSettings::SOMETHING_SOMETHING_V1_CSV, "looks like a list of UCF101"},
      {DatasetSettings::SOMETHING_SOMETHING_V2_JSON, "looks like a list of UCF101"},
      {DatasetSettings::ACTIVITYNET_JSON, "looks like a list of UCF101"},
      {DatasetSettings::PATH_FRAMES_LABEL, "looks like a list of UCF101"},
  };
  for (const auto& [format, owner] : expected) {
    dataset_.set_format(format);
    EXPECT_THAT(Read(), StatusIs(kInvalid, AllOf(HasSubstr("train1.txt:1: "), HasSubstr(owner),
                                                 HasSubstr("Checks/v_Checks_g01_c01.avi 2"))))
        << DatasetSettings::Format_Name(format);
  }
}

}  // namespace
}  // namespace op3d::data
