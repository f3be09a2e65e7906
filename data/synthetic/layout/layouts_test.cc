// Every layout, read back by the parser of the real data set's lists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/annotation/format/activitynet_json.h"
#include "data/annotation/format/class_list.h"
#include "data/annotation/format/hmdb51_list.h"
#include "data/annotation/format/something_v1_csv.h"
#include "data/annotation/format/something_v2_json.h"
#include "data/annotation/format/ucf101_list.h"
#include "data/synthetic/layout/activitynet_layout.h"
#include "data/synthetic/layout/hmdb51_layout.h"
#include "data/synthetic/layout/kinetics_layout.h"
#include "data/synthetic/layout/something_something_layout.h"
#include "data/synthetic/layout/ucf101_layout.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string TextOf(const DatasetLayout& layout, const std::string& path) {
  for (const DatasetLayout::TextFile& file : layout.texts) {
    if (file.path == path) return file.text;
  }
  ADD_FAILURE() << "no file " << path;
  return "";
}

std::vector<std::string> Names(const Miniature& miniature) {
  std::vector<std::string> names;
  for (const VideoClass& video_class : miniature.classes) names.push_back(video_class.name);
  return names;
}

// Videos by their path.
std::map<std::string, DatasetLayout::PlacedVideo> ByPath(const DatasetLayout& layout) {
  std::map<std::string, DatasetLayout::PlacedVideo> videos;
  for (const DatasetLayout::PlacedVideo& video : layout.videos) {
    EXPECT_TRUE(videos.emplace(video.path, video).second) << video.path << " twice";
  }
  return videos;
}

TEST(LayoutsTest, SomethingSomethingV1) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("something_something_v1"));
  const DatasetLayout layout = LayOutSomethingSomething(miniature, {24, 16, 3, 0, 0}, 1);
  EXPECT_THAT(layout.videos, SizeIs(43));
  const auto videos = ByPath(layout);
  ASSERT_OK_AND_ASSIGN(
      const auto labels,
      ParseClassList(TextOf(layout, "something-something-v1-labels.csv"), "labels"));
  EXPECT_EQ(labels, Names(miniature));
  for (const auto& [list, count] :
       {std::make_pair("train", 24), std::make_pair("validation", 16), std::make_pair("test", 3)}) {
    const std::string file = absl::StrCat("something-something-v1-", list, ".csv");
    ASSERT_OK_AND_ASSIGN(const auto rows, ParseSomethingV1Csv(TextOf(layout, file), file));
    ASSERT_THAT(rows, SizeIs(count));
    for (const SomethingV1Video& row : rows) {
      const auto video = videos.find("20bn-something-something-v1/" + row.id);
      ASSERT_NE(video, videos.end()) << row.id;
      EXPECT_EQ(row.label,
                list == std::string("test") ? "" : labels[ClassOf(miniature, video->second.index)]);
    }
  }
}

TEST(LayoutsTest, SomethingSomethingV2) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("something_something_v2"));
  const DatasetLayout layout = LayOutSomethingSomething(miniature, {30, 20, 4, 0, 0}, 1);
  const auto videos = ByPath(layout);
  ASSERT_OK_AND_ASSIGN(
      const auto labels,
      ParseClassList(TextOf(layout, "something-something-v2-labels.json"), "labels"));
  EXPECT_EQ(labels, Names(miniature));
  for (const auto& [list, count] :
       {std::make_pair("train", 30), std::make_pair("validation", 20), std::make_pair("test", 4)}) {
    const std::string file = absl::StrCat("something-something-v2-", list, ".json");
    EXPECT_EQ(absl::StrContains(TextOf(layout, file), "[something]"), list != std::string("test"));
    ASSERT_OK_AND_ASSIGN(const auto rows, ParseSomethingV2Json(TextOf(layout, file), file));
    ASSERT_THAT(rows, SizeIs(count));
    for (const SomethingV2Video& row : rows) {
      const auto video = videos.find(absl::StrCat("20bn-something-something-v2/", row.id, ".webm"));
      ASSERT_NE(video, videos.end()) << row.id;
      EXPECT_EQ(row.label,
                list == std::string("test") ? "" : labels[ClassOf(miniature, video->second.index)]);
    }
  }
}

TEST(LayoutsTest, TheVersionsOrderTheirLabelsDifferently) {
  ASSERT_OK_AND_ASSIGN(const Miniature v1, FindMiniature("something_something_v1"));
  ASSERT_OK_AND_ASSIGN(const Miniature v2, FindMiniature("something_something_v2"));
  for (size_t i = 0; i < v1.classes.size(); ++i) {
    EXPECT_THAT(Names(v2), testing::Contains(v1.classes[i].name));
    EXPECT_NE(v1.classes[i].name, v2.classes[i].name) << "label " << i;
  }
}

TEST(LayoutsTest, Ucf101KeepsGroupsOnOneSideOfEachSplit) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("ucf101"));
  const DatasetLayout layout = LayOutUcf101(miniature, miniature.size);
  const auto videos = ByPath(layout);
  EXPECT_THAT(videos, SizeIs(8 * 15 * 3));
  ASSERT_OK_AND_ASSIGN(
      const auto classes,
      ParseClassList(TextOf(layout, "ucfTrainTestlist/classInd.txt"), "classInd.txt"));
  EXPECT_EQ(classes, Names(miniature));
  std::map<std::string, int> tested;
  for (int split = 1; split <= 3; ++split) {
    const std::string train_file = absl::StrCat("ucfTrainTestlist/trainlist0", split, ".txt");
    const std::string test_file = absl::StrCat("ucfTrainTestlist/testlist0", split, ".txt");
    EXPECT_THAT(TextOf(layout, train_file), HasSubstr(".avi 1\r\n"));
    ASSERT_OK_AND_ASSIGN(const auto train, ParseUcf101List(TextOf(layout, train_file), "train"));
    ASSERT_OK_AND_ASSIGN(const auto test, ParseUcf101List(TextOf(layout, test_file), "test"));
    EXPECT_THAT(train, SizeIs(240));
    EXPECT_THAT(test, SizeIs(120));
    std::set<std::string> trained_groups;
    for (const Ucf101Video& row : train) {
      EXPECT_EQ(classes[row.number - 1], row.label);
      EXPECT_EQ(videos.count(absl::StrCat("UCF-101/", row.label, "/", row.name, ".avi")), 1);
      trained_groups.insert(row.label + row.group);
    }
    for (const Ucf101Video& row : test) {
      EXPECT_EQ(row.number, 0);
      EXPECT_EQ(trained_groups.count(row.label + row.group), 0) << row.name;
      const auto video = videos.find(absl::StrCat("UCF-101/", row.label, "/", row.name, ".avi"));
      ASSERT_NE(video, videos.end());
      EXPECT_EQ(classes[ClassOf(miniature, video->second.index)], row.label);
      ++tested[row.name];
    }
  }
  EXPECT_THAT(tested, SizeIs(videos.size()));  // each video is tested in one split
}

TEST(LayoutsTest, Hmdb51GivesEveryFilmOneFlag) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("hmdb51"));
  const DatasetLayout layout = LayOutHmdb51(miniature, miniature.size);
  const auto videos = ByPath(layout);
  EXPECT_THAT(videos, SizeIs(8 * 20 * 2));
  std::set<std::string> tested;
  for (int split = 1; split <= 3; ++split) {
    std::map<int, int> flags;
    for (const std::string& name : Names(miniature)) {
      const std::string file =
          absl::StrCat("testTrainMulti_7030_splits/", name, "_test_split", split, ".txt");
      ASSERT_OK_AND_ASSIGN(const auto rows, ParseHmdb51List(TextOf(layout, file), file, name));
      std::map<std::string, int> of_film;
      for (const Hmdb51Video& row : rows) {
        ++flags[row.flag];
        EXPECT_EQ(of_film.emplace(row.source_video, row.flag).first->second, row.flag) << row.name;
        const auto video = videos.find(absl::StrCat("hmdb51_org/", name, "/", row.name, ".avi"));
        ASSERT_NE(video, videos.end()) << row.name;
        EXPECT_EQ(miniature.classes[ClassOf(miniature, video->second.index)].name, name);
        if (row.flag == 2) {
          EXPECT_TRUE(tested.insert(row.name).second) << row.name;
        }
      }
      EXPECT_THAT(of_film, SizeIs(20));
    }
    EXPECT_EQ(flags, (std::map<int, int>{{0, 8 * 4}, {1, 8 * 24}, {2, 8 * 12}}));
  }
}

TEST(LayoutsTest, TheTinySizesHaveEveryFlagToo) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("hmdb51"));
  const DatasetLayout layout = LayOutHmdb51(miniature, miniature.tiny_size);
  for (int split = 1; split <= 3; ++split) {
    const std::string text =
        TextOf(layout, absl::StrCat("testTrainMulti_7030_splits/up_test_split", split, ".txt"));
    for (const char* flag : {" 0 \n", " 1 \n", " 2 \n"}) EXPECT_THAT(text, HasSubstr(flag));
  }
}

TEST(LayoutsTest, ActivityNetsSegmentsAreWhereTheActorIs) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("activitynet"));
  const DatasetLayout layout = LayOutActivityNet(miniature, {32, 16, 5, 0, 0}, 1);
  const auto videos = ByPath(layout);
  ASSERT_OK_AND_ASSIGN(const auto rows,
                       ParseActivityNetJson(TextOf(layout, "activity_net.v1-3.min.json"), "json"));
  ASSERT_THAT(rows, SizeIs(53));
  std::map<std::string, int> subsets;
  int mkv = 0;
  for (const ActivityNetVideo& row : rows) {
    ++subsets[row.subset];
    auto video = videos.find(absl::StrCat("videos/v_", row.id, ".mp4"));
    if (video == videos.end()) {
      video = videos.find(absl::StrCat("videos/v_", row.id, ".mkv"));
      ++mkv;
    }
    ASSERT_NE(video, videos.end()) << row.id;
    if (row.subset == "testing") {
      EXPECT_THAT(row.segments, IsEmpty());
      continue;
    }
    ASSERT_THAT(row.segments, SizeIs(1));
    EXPECT_EQ(row.Label(), miniature.classes[ClassOf(miniature, video->second.index)].name);
    const double seconds = row.segments[0].end_seconds - row.segments[0].start_seconds;
    EXPECT_GE(seconds, 0.29 * 288 / 25);
    EXPECT_LE(seconds, 0.46 * 288 / 25);
    EXPECT_GE(row.segments[0].start_seconds, 0);
    EXPECT_LE(row.segments[0].end_seconds, 288.0 / 25);
  }
  EXPECT_EQ(subsets,
            (std::map<std::string, int>{{"training", 32}, {"validation", 16}, {"testing", 5}}));
  EXPECT_GE(mkv, 20);  // about half
  EXPECT_LE(mkv, 33);
}

TEST(LayoutsTest, Kinetics600HasListsOfItsOwnName) {
  ASSERT_OK_AND_ASSIGN(const Miniature miniature, FindMiniature("kinetics600"));
  const DatasetLayout layout = LayOutKinetics(miniature, {12, 12, 1, 0, 0}, 1);
  EXPECT_THAT(TextOf(layout, "kinetics-600_train.csv"), HasSubstr("\"fast then slow\","));
  EXPECT_THAT(TextOf(layout, "kinetics-600_test.csv"), Not(HasSubstr("label")));
}

}  // namespace
}  // namespace op3d::data
