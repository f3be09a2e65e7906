#include "data/command/folder_list.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "data/annotation/dataset_list.h"
#include "data/video/testing/test_tar.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class FolderListTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.folder = TestFolder("phone");
    for (const char* path : {"Hüpfen/IMG 0001.MOV", "Hüpfen/IMG_2.mp4", "Hüpfen/May/IMG_2.mp4",
                             "side walk/VID (1).mp4", "side walk/b.3gp", "side walk/notes.txt",
                             "side walk/._b.3gp", ".trash/a.mp4", "loose.mp4", "empty/x.jpg"}) {
      Write(path);
    }
  }
  void Write(const std::string& path) {
    const std::string full = JoinPath(options_.folder, path);
    ASSERT_THAT(MakeFolders(full.substr(0, full.rfind('/'))), IsOk());
    ASSERT_THAT(WriteFileAtomically(full, "not looked into"), IsOk());
  }

  FolderListOptions options_;
};

TEST_F(FolderListTest, AFolderAClassBecomesADataset) {
  ASSERT_OK_AND_ASSIGN(const FolderListReport report, ListClassFolders(options_));
  EXPECT_THAT(report.classes, ElementsAre("Hüpfen", "side walk"));
  EXPECT_EQ(report.train, 3);
  EXPECT_EQ(report.test, 2);
  EXPECT_THAT(report.passed_over,
              ElementsAre("empty/x.jpg: its name does not end like a video's",
                          "empty: a folder without a video", "loose.mp4: is not in a class folder",
                          "side walk/notes.txt: its name does not end like a video's"));
  DatasetSettings dataset;
  ASSERT_THAT(ReadTextproto(report.dataset, &dataset), IsOk());
  std::vector<std::string> videos;
  for (const DatasetSettings::Split& split : {dataset.train(), dataset.evaluation()}) {
    ASSERT_OK_AND_ASSIGN(const DatasetList list, ReadDatasetList(dataset, split, options_.folder));
    EXPECT_THAT(list.classes, ElementsAre("Hüpfen", "side walk"));
    for (const ListedVideo& video : list.videos) {
      EXPECT_TRUE(FileExists(JoinPath(list.media_path, video.path))) << video.path;
      EXPECT_EQ(video.label, video.path[0] == 's' ? 1 : 0);
      videos.push_back(video.path);
    }
  }
  std::sort(videos.begin(), videos.end());
  EXPECT_THAT(videos, ElementsAre("Hüpfen/IMG 0001.MOV", "Hüpfen/IMG_2.mp4", "Hüpfen/May/IMG_2.mp4",
                                  "side walk/VID (1).mp4", "side walk/b.3gp"));
  // Nothing is overwritten.
  EXPECT_THAT(ListClassFolders(options_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is there already")));
}

TEST_F(FolderListTest, ShardsOfWebDataset) {
  options_.folder = TestFolder("shards");
  std::vector<TestMember> members = {
      {"none.mp4", "v"}, {"long.mp4", "v"}, {"long.cls", std::string(3, '\n')}};
  for (int i = 0; i < 6; ++i) {
    const std::string key = absl::StrCat("clip", i);
    members.push_back({key + ".mp4", "v"});
    members.push_back({key + ".cls", absl::StrCat(i % 2 == 0 ? 10 : 2, "\n")});
    members.push_back({key + ".json", "{}"});
  }
  WriteTestTar(options_.folder + "/train-000.tar", members);
  ASSERT_THAT(WriteFileAtomically(options_.folder + "/bad.tar", "x"), IsOk());
  ASSERT_OK_AND_ASSIGN(FolderListReport report, ListClassFolders(options_));
  EXPECT_EQ(report.classes.size(), 11);
  EXPECT_EQ(report.classes[10], "10");
  EXPECT_EQ(report.train + report.test, 6);
  EXPECT_THAT(report.passed_over,
              ElementsAre(HasSubstr("bad.tar"), HasSubstr("train-000.tar/long.mp4: has no class"),
                          HasSubstr("no member none.cls")));
  DatasetSettings dataset;
  ASSERT_THAT(ReadTextproto(report.dataset, &dataset), IsOk());
  ASSERT_OK_AND_ASSIGN(const DatasetList list,
                       ReadDatasetList(dataset, dataset.train(), options_.folder));
  for (const ListedVideo& video : list.videos) {
    EXPECT_TRUE(video.label == 2 || video.label == 10) << video.path;
    EXPECT_EQ(video.path.substr(0, 18), "train-000.tar/clip");
  }
  // A tar of class folders next to a class folder.
  options_.folder = TestFolder("classes");
  WriteTestTar(options_.folder + "/a.tar", {{"walk/1.mp4", "v"}, {"./run/x/2.mp4", "v"}});
  Write("walk/3.mp4");
  Write("run/4.mp4");
  ASSERT_OK_AND_ASSIGN(report, ListClassFolders(options_));
  EXPECT_THAT(report.classes, ElementsAre("run", "walk"));
  EXPECT_EQ(report.train + report.test, 4);
}

TEST_F(FolderListTest, ListsElsewhereAreTheSame) {
  options_.out = TestFolder("lists");
  ASSERT_OK_AND_ASSIGN(const FolderListReport report, ListClassFolders(options_));
  DatasetSettings dataset;
  ASSERT_THAT(ReadTextproto(report.dataset, &dataset), IsOk());
  ASSERT_OK_AND_ASSIGN(const DatasetList list,
                       ReadDatasetList(dataset, dataset.train(), options_.out));
  EXPECT_EQ(list.media_path, options_.folder);
  ASSERT_OK_AND_ASSIGN(const std::string elsewhere, ReadFile(JoinPath(options_.out, "train.txt")));
  options_.out = "";
  ASSERT_THAT(ListClassFolders(options_), IsOk());
  EXPECT_EQ(*ReadFile(JoinPath(options_.folder, "train.txt")), elsewhere);
}

TEST_F(FolderListTest, WhatCannotBeIsASentence) {
  options_.test_share = 1;
  EXPECT_THAT(ListClassFolders(options_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("test share of 1")));
  options_.test_share = 0.25;
  options_.folder = JoinPath(options_.folder, "Hüpfen");
  EXPECT_THAT(ListClassFolders(options_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("has 1 folders with videos"), HasSubstr("IMG 0001.MOV"))));
  options_.folder = "/nowhere";
  EXPECT_THAT(ListClassFolders(options_), StatusIs(absl::StatusCode::kNotFound, HasSubstr("")));
}

}  // namespace
}  // namespace op3d::data
